"""What the host expects of a board: the model's heads and poses for a picture, by simulator and decoder."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from conversion import card, network
from conversion.decoding import board_decoder, board_settings
from conversion.kmodel.v3 import V3Model
from conversion.kpu import posenet
from conversion.kpu.posenet import Heads, Simulation
from firmware import pose_decoder

# Values of the setting `mode` (firmware/README.md, SETTINGS).
SEVERAL, SINGLE = 0, 1


class DecoderSettings(Protocol):
    """What decides which poses come out of the same heads: a SETTINGS event, or DEFAULTS."""

    mode: int
    max_poses: int
    root_score: int
    nms_radius: int
    pose_score: int
    vote: int | None


@dataclass(frozen=True)
class FixedSettings:
    """Settings that no board has sent; scores in 1/32768, `nms_radius` and `vote` in input pixels."""

    mode: int
    max_poses: int
    root_score: int
    nms_radius: int
    pose_score: int
    vote: int


# The decoder's own, whatever the board's settings are; and those that the program starts with.
DEFAULTS = FixedSettings(SEVERAL, *pose_decoder.DEFAULTS)
AT_START = replace(DEFAULTS, pose_score=board_settings.POSE_SCORE, vote=board_settings.VOTE)


@dataclass(frozen=True)
class Model:
    """A V3 kmodel, its card, and the simulated KPU that runs it."""

    path: Path
    data: bytes
    kmodel: V3Model
    card: dict
    simulation: Simulation

    @property
    def sha256(self) -> str:
        """Of the kmodel file."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of its input in pixels."""
        return self.simulation.width, self.simulation.height

    @property
    def selftest(self) -> FixedSettings:
        """What a board's self-test decodes with."""
        return replace(DEFAULTS, vote=self.card.get("test_vector", {}).get("vote", 0))

    def poses(self, heads: Mapping[str, np.ndarray], settings: DecoderSettings) -> list[dict]:
        """The poses in `heads` as a board sends them: {score, keypoints [[x16, y16, s255] x 17]}."""
        decoder = board_decoder.decoder_for(self.card)
        # A program that knows no vote has none.
        vote = settings.vote or 0
        decoder.configure(settings.max_poses, settings.root_score, settings.nms_radius, settings.pose_score, vote)
        found = board_decoder.poses_of(decoder, heads, single=settings.mode == SINGLE)
        return [pose.wire for pose in found]

    @property
    def head_bytes(self) -> int:
        """Of all heads together."""
        return sum(head["channels"] * head["height"] * head["width"] for head in card.heads(self.card))

    def split(self, data: bytes) -> Heads | None:
        """The bytes of a HEADS block as uint8 [C, h, w] by name; None if they are not as many as the card says."""
        shapes = {head["name"]: (head["channels"], head["height"], head["width"]) for head in card.heads(self.card)}
        sizes = [int(np.prod(shape)) for shape in shapes.values()]
        if len(data) != sum(sizes):
            return None
        parts = np.split(np.frombuffer(data, np.uint8), np.cumsum(sizes)[:-1])
        return {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}


def load(path: Path) -> Model:
    """The kmodel at a path and the card beside it.

    ModelFormatError or UnsupportedModelError for what is no V3 kmodel of this project, or a card of another one.
    """
    found = posenet.read_described(path)
    return Model(path, found.data, found.model, found.card, found.simulation)


def joined(heads: Mapping[str, np.ndarray]) -> bytes:
    """All heads one after another, as HEADS blocks and checksums have them."""
    return b"".join(heads[name].tobytes() for name in network.HEAD_NAMES)


def checksums(heads: Mapping[str, np.ndarray]) -> tuple[int, dict[str, int]]:
    """CRC-32 of all heads one after another, and of each by name: what DIGEST carries."""
    return zlib.crc32(joined(heads)), {name: zlib.crc32(heads[name].tobytes()) for name in network.HEAD_NAMES}
