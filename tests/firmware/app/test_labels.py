"""Labels on the LCD: whatever people do, no two lie on each other, and none leaves the LCD."""

from __future__ import annotations

import importlib

from hypothesis import given
from hypothesis import strategies as st

from tests.firmware.app.board import Board

with Board().modules():
    LABELS = importlib.import_module("pose_labels")
MOST, HEIGHT = 32, 12
WANTED = st.lists(st.tuples(st.integers(-2048, 2047), st.integers(-2048, 2047), st.integers(8, 40)), max_size=MOST)
# More of them where there is little room.
CLOSE = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.sampled_from([16, 24, 32])), max_size=MOST)


def placed(wanted: list[tuple[int, int, int]], field: tuple[int, int, int, int]) -> list[tuple[int, int, int] | None]:
    """Where texts got their places: x, y, width; None without one."""
    labels = LABELS.Labels(MOST, HEIGHT)
    labels.clear(1, 2, 3, 4)
    labels.add(0, 0, 1)
    labels.clear(*field)
    for x, y, width in wanted:
        labels.add(x, y, width)
    return [(labels.xs[n], labels.ys[n], width) if labels.there[n] else None for n, (_, _, width) in enumerate(wanted)]


@given(WANTED | CLOSE, st.integers(0, 80), st.integers(0, 60), st.integers(8, 480), st.integers(8, 320))
def test_no_two_overlap_and_all_are_inside(wanted: list, left: int, top: int, width: int, height: int) -> None:
    found = [place for place in placed(wanted, (left, top, left + width, top + height)) if place]
    for n, (x, y, wide) in enumerate(found):
        assert left <= x
        assert x + wide <= left + width
        assert top <= y
        assert y + HEIGHT <= top + height
        for other_x, other_y, other_wide in found[:n]:
            assert x + wide <= other_x or other_x + other_wide <= x or abs(y - other_y) >= HEIGHT


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 220)), max_size=5))
def test_so_few_as_people_usually_are_all_have_a_place(wanted: list[tuple[int, int]]) -> None:
    assert all(placed([(x, y, 32) for x, y in wanted], (0, 14, 135, 101)))


def test_who_has_room_stands_where_wanted_and_the_first_first() -> None:
    field = (0, 14, 320, 240)
    assert placed([(100, 100, 24), (124, 100, 24), (100, 112, 24)], field) == [
        (100, 100, 24), (124, 100, 24), (100, 112, 24)
    ]  # fmt: skip
    assert placed([(100, 100, 24), (110, 104, 24), (90, 97, 24)], field) == [
        (100, 100, 24), (110, 88, 24), (90, 112, 24)
    ]  # fmt: skip


def test_where_there_is_no_room_there_is_no_text() -> None:
    assert placed([(0, 0, 24), (0, 0, 24)], (0, 0, 30, 20)) == [(0, 0, 24), None]
    assert placed([(0, 0, 40)], (0, 0, 30, 20)) == [None]
    assert placed([(0, 0, 10)], (0, 0, 30, 11)) == [None]
