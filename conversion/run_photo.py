"""One photo through one kmodel: what the board would compute, decode and send."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from conversion import files, letterbox, network, photos
from conversion.decoding import board_decoder, overlay
from conversion.decoding.board_decoder import BoardPose
from conversion.kpu import posenet
from conversion.kpu.posenet import Heads


@dataclass(frozen=True)
class Result:
    """The upright photo, the network's size (width, height), the raw heads, the poses, and what identifies them."""

    model_sha256: str
    input_sha256: str
    photo: Image.Image
    size: tuple[int, int]
    heads: Heads
    poses: list[BoardPose]

    @property
    def scale(self) -> np.ndarray:
        """Pixels of the photo to one of the model's picture, across and down."""
        return np.divide(self.photo.size, letterbox.fitted_size(self.photo.size, self.size))

    def in_photo(self, pose: BoardPose) -> np.ndarray:
        """A pose's keypoints in pixels of the photo, float64 [17, 3]."""
        return letterbox.to_photo(pose.keypoints, self.photo.size, self.size)

    def to_dict(self) -> dict:
        """For JSON: poses as `monitor --json` gives them, in 1/16 pixel of the model's picture, whose size is `size`;
        `photo_scale` is how much larger the photo is, across and down; SHA-256 of model, input planes and heads."""
        return {
            "model_sha256": self.model_sha256,
            "input_sha256": self.input_sha256,
            "size": list(self.size),
            "photo": list(self.photo.size),
            "photo_scale": [round(float(scale), 6) for scale in self.scale],
            "heads_sha256": {name: hashlib.sha256(head.tobytes()).hexdigest() for name, head in self.heads.items()},
            "poses": [pose.wire for pose in self.poses],
        }


def simulate(model: Path, image: Path) -> Result:
    """Letterbox a photo, run the kmodel on the simulated KPU, decode as the board does where nobody changed a setting.

    The model card beside the kmodel is needed. Raises ModelFormatError, UnsupportedModelError or PhotoError.
    """
    found = posenet.read_described(model)
    machine = found.simulation
    photo = photos.read(image)
    planes = photos.planes(photos.letterbox(photo, machine.width, machine.height))
    heads = machine.heads(planes)
    return Result(
        model_sha256=hashlib.sha256(found.data).hexdigest(),
        input_sha256=hashlib.sha256(planes.tobytes()).hexdigest(),
        photo=photos.upright(photo),
        size=(machine.width, machine.height),
        heads=heads,
        poses=board_decoder.decode(heads, found.card, **board_decoder.ON_BOARD),
    )


def write_heads(result: Result, path: Path) -> None:
    """Write the raw heads as .npz: heatmap, offset, displacement_fwd, displacement_bwd, uint8 [C, H, W]."""
    packed = io.BytesIO()
    np.savez(packed, **{name: result.heads[name] for name in network.HEAD_NAMES})
    files.write(path, packed.getvalue())


def write_overlay(result: Result, path: Path) -> None:
    """Write the photo with the poses drawn on it, as PNG."""
    files.write_png(path, overlay.skeletons(result.photo, result.poses, result.size))
