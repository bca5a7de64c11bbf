"""Letters in cells of 8x10 pixels, as wide as MaixPy's; the shapes are Pillow's own bitmap font."""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WIDTH = 8
HEIGHT = 10
# Pillow's letters stand 6x11 pixels, the topmost row empty.
_ABOVE = -1
_SPACE_WIDTH = 3


@cache
def glyph(letter: str) -> np.ndarray:
    """A letter's ink, bool [HEIGHT, WIDTH]; a box for what the font has not."""
    if not " " <= letter <= "~":
        ink = np.zeros((HEIGHT, WIDTH), bool)
        ink[1:-1, 1:-1] = True
        ink[2:-2, 2:-2] = False
        return ink
    cell = Image.new("1", (WIDTH, HEIGHT))
    ImageDraw.Draw(cell).text((1, _ABOVE), letter, fill=1, font=_font())
    return np.asarray(cell)


@cache
def _font() -> ImageFont.ImageFont:
    return ImageFont.load_default_imagefont()


def trimmed(ink: np.ndarray) -> np.ndarray:
    """A glyph without its empty columns; a space is three columns wide."""
    columns = np.nonzero(ink.any(axis=0))[0]
    if not columns.size:
        return ink[:, :_SPACE_WIDTH]
    return ink[:, columns[0] : columns[-1] + 1]
