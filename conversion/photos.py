"""Photos: reading them, fitting them into the network's picture, and the ones that calibration falls back on."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import resources
from pathlib import Path
from typing import IO

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from conversion.errors import PhotoError
from conversion.letterbox import fitted_size
from conversion.outside import reading
from conversion.outside.text import shown

# The photo for proofs and pictures: Eileen Collins, NASA, public domain; shipped with scikit-image.
SAMPLE = "astronaut.png"
SUFFIXES = (".jpg", ".jpeg", ".png")
# Videos by their names; what is said of one where it cannot be read, for its file's name.
VIDEOS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".mjpeg", ".ogv")
VIDEO_ADVICE = "videos are not read; make a folder of its frames: `ffmpeg -i {} frames/%04d.png`"
# What is opened, whatever a file is called: Pillow knows forty formats more, of which one starts Ghostscript.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
# Of a pixel of 16 bits; Pillow's own conversion takes what is above 255 for white.
_MOST_OF_16_BITS = 65535
# A side of a picture that is large enough for every model.
_ENOUGH = 2000
# Pillow takes four bytes for a pixel, and up to five pictures are in memory at once (WebP).
MOST_PIXELS = 48 * 1024 * 1024
# What Pillow's readers, and its reader of EXIF, raise for damaged files of these formats.
_DAMAGE = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, EOFError),
    *(RuntimeError, AssertionError, MemoryError, struct.error, zlib.error, Image.DecompressionBombError),
)
# EXIF 2.3, 4.6.4, Orientation: how the picture has to be turned.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class _TooLargeError(ValueError):
    """More pixels than are read."""


def rgb(photo: Image.Image) -> Image.Image:
    """A picture as RGB of 8 bits, whatever its pixels are; ValueError for numbers of which nobody knows the white."""
    if photo.mode.startswith("I;16"):
        wide = np.asarray(photo).astype(np.uint32)
        photo = Image.fromarray(((wide * 255 + _MOST_OF_16_BITS // 2) // _MOST_OF_16_BITS).astype(np.uint8))
    elif photo.mode in ("I", "F"):
        raise ValueError(f"its pixels are {'integers of 32 bits' if photo.mode == 'I' else 'floats'}, of unknown range")
    return photo.convert("RGB")


def upright(photo: Image.Image) -> Image.Image:
    """The photo as RGB, turned as its EXIF orientation says."""
    return rgb(ImageOps.exif_transpose(photo))


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
    """Read one photo completely: upright, RGB; PhotoError if it is missing, damaged, too large, or not a picture.

    Takes less than 1 GiB for the largest photo that is read.
    """
    try:
        with _opened(path) as photo:
            photo.load()
            return _upright_alone(photo)
    except _DAMAGE as error:
        raise _unreadable(path, error) from error


def animation(path: Path) -> Image.Image | None:
    """An animated picture, for `frame`, its file left open; None for one that stands still. PhotoError as `read`."""
    with ExitStack() as parts:
        try:
            file = parts.enter_context(reading.open_regular(path))
            with warnings.catch_warnings():
                opened = _of_limited_size(file)
                moves = getattr(opened, "n_frames", 1) > 1
        except _DAMAGE as error:
            raise _unreadable(path, error) from error
        if moves:
            # Its file is read frame by frame.
            parts.pop_all()
            return opened
    return None


def frame(animated: Image.Image, number: int) -> Image.Image:
    """A frame of an animated picture, from 0 on and again and again, RGB; PhotoError where it is damaged."""
    try:
        animated.seek(number % animated.n_frames)
        return rgb(animated)
    except _DAMAGE as error:
        raise PhotoError(f"frame {number} of the animation is damaged ({shown(error)}); take another one") from error


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """A picture of one of FORMATS whose size is no trap; its pixels are not read yet."""
    with warnings.catch_warnings(), reading.open_regular(path) as file, _of_limited_size(file) as photo:
        yield photo


def _of_limited_size(file: IO[bytes]) -> Image.Image:
    """The picture in an open file; from here on no warnings: an own limit stands for Pillow's, and what Pillow cannot
    do without in damaged EXIF data is an error all the same."""
    warnings.simplefilter("ignore")
    photo = Image.open(file, formats=FORMATS)
    if photo.width * photo.height > MOST_PIXELS:
        raise _TooLargeError(f"{photo.width}x{photo.height} pixels")
    return photo


def _upright_alone(photo: Image.Image) -> Image.Image:
    """The pixels as RGB, turned as EXIF says, without anything else that the file holds."""
    method = _TURNS.get(photo.getexif().get(ExifTags.Base.Orientation))
    plain = rgb(photo)
    if method is not None:
        plain = plain.transpose(method)
    plain.info = {}
    return plain


def _unreadable(path: Path, error: Exception) -> PhotoError:
    if isinstance(error, FileNotFoundError):
        return PhotoError(f"{path}: no such photo")
    if isinstance(error, (_TooLargeError, Image.DecompressionBombError)):
        return PhotoError(
            f"{path}: too large ({shown(error)}, at most {MOST_PIXELS} are read); make it smaller, {_ENOUGH} pixels a "
            "side are plenty"
        )
    if isinstance(error, UnidentifiedImageError):
        error = ValueError(f"it is none of {', '.join(FORMATS)}")
    reason = getattr(error, "strerror", None) or shown(error) or type(error).__name__
    return PhotoError(f"{path}: not a readable photo ({reason}); remove it, or save it as a JPEG or PNG of 8 bits")


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
