"""Shapes, against the rules of OpenMV's imlib written out pixel by pixel."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from host_tools.virtual_board import drawing, font

HEIGHT, WIDTH = 24, 32
places = st.integers(-10, 45)


def blank() -> np.ndarray:
    return np.zeros((HEIGHT, WIDTH), np.uint16)


class Slow:
    """A picture that is drawn one pixel at a time."""

    def __init__(self) -> None:
        self.pixels = blank()

    def put(self, x: int, y: int) -> None:
        if 0 <= x < WIDTH and 0 <= y < HEIGHT:
            self.pixels[y, x] = 9

    def disc(self, x: int, y: int, low: int, high: int) -> None:
        for dy in range(low, high + 1):
            for dx in range(low, high + 1):
                if dx * dx + dy * dy <= low * low:
                    self.put(x + dx, y + dy)

    def rectangle(self, x: int, y: int, w: int, h: int, thickness: int) -> None:
        before, after = thickness // 2, (thickness - 1) // 2
        for i in range(x - before, x + w + after):
            for edge in (y, y + h - 1):
                for j in range(edge - before, edge + after + 1):
                    self.put(i, j)
        for j in range(y - before, y + h + after):
            for edge in (x, x + w - 1):
                for i in range(edge - before, edge + after + 1):
                    self.put(i, j)


@given(places, places, st.integers(0, 12))
def test_a_filled_circle_is_all_pixels_within_its_radius(x: int, y: int, radius: int) -> None:
    band, slow = blank(), Slow()
    drawing.circle(band, 0, (x, y, radius), 9, 1, True)
    slow.disc(x, y, -radius, radius)
    assert (band == slow.pixels).all()


@given(places, places, st.integers(1, 12))
def test_a_circle_is_a_closed_line_at_its_radius(x: int, y: int, radius: int) -> None:
    band = np.zeros((200, 200), np.uint16)
    drawing.circle(band, -80, (x + 80, y, radius), 9, 1, False)
    rows, columns = np.nonzero(band)
    distance = np.hypot(rows - 80 - y, columns - 80 - x)
    assert abs(distance - radius).max() <= 0.5
    assert len(rows) >= 4 * radius


@given(places, places, places, places, st.integers(1, 5))
def test_a_line_is_its_brush_along_a_straight_path(x0: int, y0: int, x1: int, y1: int, thickness: int) -> None:
    band, slow = blank(), Slow()
    drawing.line(band, 0, (x0, y0, x1, y1), 9, thickness)
    steps = max(abs(x1 - x0), abs(y1 - y0))
    for step in range(steps + 1):
        # The path itself may differ from imlib's by the rounding of exact halves, so it is the test's own.
        x = x0 + _rounded(x1 - x0, step, steps)
        y = y0 + _rounded(y1 - y0, step, steps)
        slow.disc(x, y, -(thickness // 2), (thickness - 1) // 2)
    assert (band == slow.pixels).all()


def _rounded(distance: int, step: int, steps: int) -> int:
    """distance * step / steps to the nearest integer, halves away from zero."""
    if not steps:
        return 0
    sign = 1 if distance >= 0 else -1
    return sign * ((2 * abs(distance) * step + steps) // (2 * steps))


@given(places, places, st.integers(1, 20), st.integers(1, 20), st.integers(1, 4))
def test_a_rectangle_has_its_edges(x: int, y: int, w: int, h: int, thickness: int) -> None:
    band, slow = blank(), Slow()
    drawing.rectangle(band, 0, (x, y, w, h), 9, thickness, False)
    slow.rectangle(x, y, w, h, thickness)
    assert (band == slow.pixels).all()


@given(places, places, st.integers(1, 20), st.integers(1, 20))
def test_a_filled_rectangle_is_full(x: int, y: int, w: int, h: int) -> None:
    band = blank()
    drawing.rectangle(band, 0, (x, y, w, h), 9, 1, True)
    inside = {(j, i) for j in range(y, y + h) for i in range(x, x + w) if 0 <= j < HEIGHT and 0 <= i < WIDTH}
    assert set(zip(*(axis.tolist() for axis in np.nonzero(band)), strict=True)) == inside


@given(st.integers(0, 20), places, places, places, places)
def test_a_band_is_a_part_of_the_picture(top: int, x0: int, y0: int, x1: int, y1: int) -> None:
    whole, band = blank(), blank()[top:]
    drawing.line(whole, 0, (x0, y0, x1, y1), 9, 2)
    drawing.line(band, top, (x0, y0, x1, y1), 9, 2)
    assert (band == whole[top:]).all()


def test_every_letter_can_be_told_from_every_other() -> None:
    shapes = {font.glyph(chr(code)).tobytes() for code in range(0x21, 0x7F)}
    assert len(shapes) == 0x7F - 0x21


def test_text_runs_to_the_right_and_starts_again_below() -> None:
    band = np.zeros((40, 60), np.uint16)
    drawing.string(band, 0, (2, 1), "AB\nC", 9, 1, (0, 2))
    rows = np.nonzero(band.any(axis=1))[0]
    assert rows[0] >= 1
    assert rows[-1] >= 1 + font.HEIGHT + 2
    assert band[: font.HEIGHT, 10:].any()
    assert not band[font.HEIGHT + 3 :, 14:].any()


def test_mono_spaced_letters_have_cells_of_eight_pixels() -> None:
    band = np.zeros((10, 40), np.uint16)
    drawing.mono_string(band, 0, (0, 0), "i i", 9, 1, (0, 0))
    assert (band[:, :8] == band[:, 16:24]).all()
    assert not band[:, 8:16].any()


def test_text_is_enlarged_by_whole_pixels() -> None:
    small, large = np.zeros((10, 8), np.uint16), np.zeros((20, 16), np.uint16)
    drawing.mono_string(small, 0, (0, 0), "R", 9, 1, (0, 0))
    drawing.mono_string(large, 0, (0, 0), "R", 9, 2, (0, 0))
    assert (large == small.repeat(2, axis=0).repeat(2, axis=1)).all()
