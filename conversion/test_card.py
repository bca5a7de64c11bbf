"""The test card as the KPU sees it: the firmware's drawing, turned into planes as the board turns it."""

from __future__ import annotations

from array import array

import numpy as np

from firmware import pose_selftest


def draw(width: int, height: int) -> np.ndarray:
    """The card at one size, uint8 [3, height, width] RGB, every pixel representable in RGB565."""
    row = array("H", [0] * width)
    words = np.empty((height, width), np.uint16)
    for y in range(height):
        pose_selftest.draw_row(y, width, height, row)
        words[y] = row
    return planes_of(words)


def planes_of(words: np.ndarray) -> np.ndarray:
    """RGB565 words, uint16 [H, W], as the planes uint8 [3, H, W] that MaixPy's `Image.pix_to_ai` makes of them.

    Five bits widen as (v * 255 + 15) // 31, six as (v * 255 + 31) // 63.
    """
    wide = words.astype(np.uint32)
    red, green, blue = wide >> 11, wide >> 5 & 63, wide & 31
    return np.stack([(red * 255 + 15) // 31, (green * 255 + 31) // 63, (blue * 255 + 15) // 31]).astype(np.uint8)
