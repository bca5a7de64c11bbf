"""Photos: reading them, fitting them into the network's picture, and the ones that calibration falls back on."""

from __future__ import annotations

import warnings
from importlib import resources
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from conversion.errors import PhotoError
from conversion.letterbox import fitted_size

# The photo for proofs and pictures: Eileen Collins, NASA, public domain; shipped with scikit-image.
SAMPLE = "astronaut.png"
SUFFIXES = (".jpg", ".jpeg", ".png")


def upright(photo: Image.Image) -> Image.Image:
    """The photo as RGB, turned as its EXIF orientation says."""
    return ImageOps.exif_transpose(photo).convert("RGB")


def letterbox(photo: Image.Image, width: int, height: int) -> np.ndarray:
    """Fit a photo into width x height without distortion: top left, the rest black. Gives uint8 [H, W, 3] RGB."""
    turned = upright(photo)
    size = fitted_size(turned.size, (width, height))
    canvas = Image.new("RGB", (width, height))
    canvas.paste(turned.resize(size, Image.Resampling.BILINEAR), (0, 0))
    return np.asarray(canvas)


def planes(pictures: np.ndarray) -> np.ndarray:
    """[..., H, W, 3] pixels as the planes [..., 3, H, W] that camera and KPU use."""
    return np.ascontiguousarray(np.moveaxis(pictures, -1, -3))


def read(path: Path) -> Image.Image:
    """Read one photo completely; PhotoError if it is missing, damaged, or not a picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as photo:
                photo.load()
                return photo
    except FileNotFoundError:
        raise PhotoError(f"{path}: no such photo") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoError(f"{path}: not a readable photo ({error}); remove it or replace it by a JPEG or PNG") from error


def in_folder(folder: Path) -> list[Path]:
    """The JPEG and PNG files of a folder by name; PhotoError if there are none."""
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise PhotoError(f"{folder}: cannot be read as a folder of photos ({error.strerror})") from error
    if not found:
        raise PhotoError(f"{folder}: no photos in this folder; put JPEG or PNG files of people into it")
    return found


def bundled(name: str) -> Image.Image:
    """A photo that scikit-image ships, such as "astronaut.png"."""
    with resources.as_file(resources.files("skimage.data") / name) as path:
        return read(path)
