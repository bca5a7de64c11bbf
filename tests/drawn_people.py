"""The test card's people drawn into a VGA frame, at any place and height, as a camera would see them."""

from __future__ import annotations

from array import array
from functools import lru_cache

import numpy as np
from PIL import Image

from conversion.test_card import planes_of
from firmware import pose_selftest

FRAME = (640, 480)
# The drawing that is scaled down: one figure of this height, and how wide it is.
_TALL, _WIDE = 512, 256


@lru_cache
def _figure(number: int) -> tuple[Image.Image, Image.Image]:
    """One of the card's figures, RGB, and where it is opaque."""
    shapes, colours = pose_selftest.FIGURES[number]
    words = np.empty((_TALL, _WIDE), np.uint16)
    row = array("H", [0] * _WIDE)
    for y in range(_TALL):
        for x in range(_WIDE):
            row[x] = pose_selftest.GROUND
        for shape in shapes:
            pose_selftest._draw_shape(row, _WIDE, _WIDE // 2, _TALL, y * 256 // _TALL, shape, colours)
        words[y] = row
    picture = Image.fromarray(np.ascontiguousarray(np.moveaxis(planes_of(words), 0, -1)))
    opaque = Image.fromarray(((words != pose_selftest.GROUND) * 255).astype(np.uint8))
    return picture, opaque


def frame(people: list[tuple[int, int, int]], seed: int = 0) -> Image.Image:
    """A frame with people (x of the middle, y of the top, height in pixels) on a plain ground, and a camera's noise."""
    ground = tuple(planes_of(np.array([[pose_selftest.GROUND]], np.uint16))[:, 0, 0].tolist())
    canvas = Image.new("RGB", FRAME, ground)
    for number, (x, y, height) in enumerate(people):
        picture, opaque = _figure(number % len(pose_selftest.FIGURES))
        size = (height * _WIDE // _TALL, height)
        scaled = [each.resize(size, Image.Resampling.LANCZOS) for each in (picture, opaque)]
        canvas.paste(scaled[0], (x - size[0] // 2, y), scaled[1])
    noise = np.random.default_rng(seed).normal(0, 2, (FRAME[1], FRAME[0], 3))
    return Image.fromarray(np.clip(np.asarray(canvas) + noise, 0, 255).astype(np.uint8))
