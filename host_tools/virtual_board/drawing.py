"""The shapes that MaixPy's image module draws, in a band of rows of an image.

A band is uint16 [rows, width] of raw words whose first row is row `top` of the image; everything outside is cut off.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from host_tools.virtual_board import font


def line(band: np.ndarray, top: int, ends: tuple[int, int, int, int], colour: int, thickness: int) -> None:
    """From (x0, y0) to (x1, y1): a disc of `thickness` moved along all pixels of the line."""
    if thickness > 0:
        x, y = _line_points(*ends)
        dx, dy = _disc(-(thickness // 2), (thickness - 1) // 2)
        _put(band, top, x[:, None] + dx, y[:, None] + dy, colour)


def circle(band: np.ndarray, top: int, place: tuple[int, int, int], colour: int, thickness: int, fill: bool) -> None:
    """Around (x, y) with a radius."""
    x, y, radius = place
    if fill:
        dx, dy = _disc(-radius, radius)
    else:
        reach = radius + thickness // 2
        dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        distance = np.hypot(dx, dy)
        on_ring = (distance >= radius - (thickness - 1) // 2 - 0.5) & (distance < reach + 0.5)
        dx, dy = dx[on_ring], dy[on_ring]
    _put(band, top, x + dx, y + dy, colour)


def rectangle(
    band: np.ndarray, top: int, place: tuple[int, int, int, int], colour: int, thickness: int, fill: bool
) -> None:
    """At (x, y) with width and height."""
    x, y, width, height = place
    if fill:
        _fill(band, top, x, y, x + width, y + height, colour)
    elif thickness > 0:
        before, after = thickness // 2, (thickness - 1) // 2 + 1
        left, right = x - before, x + width - 1 + after
        upper, lower = y - before, y + height - 1 + after
        for edge in (y, y + height - 1):
            _fill(band, top, left, edge - before, right, edge + after, colour)
        for edge in (x, x + width - 1):
            _fill(band, top, edge - before, upper, edge + after, lower, colour)


def string(
    band: np.ndarray, top: int, place: tuple[int, int], text: str, colour: int, scale: float, gaps: tuple[int, int]
) -> None:
    """Letters from (x, y) on, each as wide as its ink; `gaps` are added pixels between letters and between lines."""
    _letters(band, top, place, text, colour, scale, gaps, mono=False)


def mono_string(
    band: np.ndarray, top: int, place: tuple[int, int], text: str, colour: int, scale: float, gaps: tuple[int, int]
) -> None:
    """Letters from (x, y) on, all equally wide."""
    _letters(band, top, place, text, colour, scale, gaps, mono=True)


def _letters(
    band: np.ndarray,
    top: int,
    place: tuple[int, int],
    text: str,
    colour: int,
    scale: float,
    gaps: tuple[int, int],
    mono: bool,
) -> None:
    x, y = place
    for letter in text.replace("\r\n", "\n"):
        if letter in "\r\n":
            x, y = place[0], y + round(font.HEIGHT * scale) + gaps[1]
            continue
        rows, columns, advance = _letter(letter, scale, mono)
        _put(band, top, x + columns, y + rows, colour)
        x += advance + gaps[0]


# A program draws the same letters and discs in every frame.
@lru_cache(maxsize=256)
def _letter(letter: str, scale: float, mono: bool) -> tuple[np.ndarray, np.ndarray, int]:
    """Rows and columns of a letter's pixels, and how far it is to the next one."""
    ink = font.glyph(letter) if mono else font.trimmed(font.glyph(letter))
    return *_scaled(ink, scale), round((font.WIDTH if mono else ink.shape[1] + 1) * scale)


def _scaled(ink: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of a glyph's pixels, each pixel taken from the nearest one before it."""
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    rows = np.minimum((np.arange(height) / scale).astype(int), ink.shape[0] - 1)
    columns = np.minimum((np.arange(width) / scale).astype(int), ink.shape[1] - 1)
    return np.nonzero(ink[rows][:, columns])


def _line_points(x0: int, y0: int, x1: int, y1: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of Bresenham's line."""
    steps = max(abs(x1 - x0), abs(y1 - y0))
    along = np.arange(steps + 1)
    if not steps:
        return np.array([x0]), np.array([y0])

    def axis(start: int, end: int) -> np.ndarray:
        moved = (2 * abs(end - start) * along + steps) // (2 * steps)
        return start + moved * (1 if end >= start else -1)

    return axis(x0, x1), axis(y0, y1)


@lru_cache(maxsize=8)
def _disc(low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    """Offsets from low to high within a circle of radius -low."""
    dy, dx = np.mgrid[low : high + 1, low : high + 1]
    inside = dx * dx + dy * dy <= low * low
    return dx[inside], dy[inside]


def _put(band: np.ndarray, top: int, x: np.ndarray, y: np.ndarray, colour: int) -> None:
    rows = y - top
    inside = (x >= 0) & (x < band.shape[1]) & (rows >= 0) & (rows < band.shape[0])
    band[rows[inside], x[inside]] = colour


def _fill(band: np.ndarray, top: int, left: int, upper: int, right: int, lower: int, colour: int) -> None:
    band[max(upper - top, 0) : max(lower - top, 0), max(left, 0) : max(right, 0)] = colour
