"""A photo as the camera's VGA frame, and the board's warp of a window of it into the network's picture, to the byte."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from conversion import photos
from conversion.letterbox import Size

# The camera's frame that windows are cut from (firmware/pose_view.py).
FRAME: Size = (640, 480)


def of_photo(photo: Image.Image) -> np.ndarray:
    """Planes uint8 [3, 480, 640]: the photo upright, scaled without distortion, top left, the rest black."""
    return photos.planes(photos.letterbox(photo, *FRAME))


def warp(planes: np.ndarray, window: Sequence[int], size: Size) -> np.ndarray:
    """What MaixPy's `image.warp_affine_ai` makes of planes uint8 [C, h, w]: uint8 [C, height, width] of `size`.

    `window` is (x0, y0, step) in 1/256 pixel. Bilinear with 8 bits of fraction, truncated; outside of the frame 0
    (components/micropython/port/src/omv/img/affine.c of MaixPy). The C code has floats for the window, which are exact
    here. In the frame's last line and column it reads one beyond, so windows keep out of these; here that is 0.
    """
    count, height, width = planes.shape
    x0, y0, step = map(int, window)
    xs, ys = (at + step * np.arange(pixels) for at, pixels in zip((x0, y0), size, strict=True))
    inside = ((xs >> 8 >= 0) & (xs >> 8 < width))[None, :] & ((ys >> 8 >= 0) & (ys >> 8 < height))[:, None]
    padded = np.zeros((count, height + 1, width + 1), np.int32)
    padded[:, :height, :width] = planes
    left, top = np.clip(xs >> 8, 0, width - 1), np.clip(ys >> 8, 0, height - 1)
    dx, dy = (xs & 255).astype(np.int32), (ys & 255).astype(np.int32)[:, None]
    lines = padded[:, :, left] * (256 - dx) + padded[:, :, left + 1] * dx
    mixed = (lines[:, top] * (256 - dy) + lines[:, top + 1] * dy) >> 16
    return np.where(inside, mixed, 0).astype(np.uint8)
