"""How a picture lies on LCDs of all sizes: the whole of it, scaled, or its middle; and the skeleton upon it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.firmware.app import stand_ins
from tests.firmware.app.board import Board

with Board().modules():
    # For what needs no heap.
    VIEW = importlib.import_module("pose_canvas")
    MEMORY = importlib.import_module("pose_memory")
LCDS = {(240, 135): (180, 135), (135, 240): (135, 101), (240, 240): (240, 180), (480, 320): (426, 320)}
SIDES = st.integers(8, 800)


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    with board.modules():
        yield board


def view(board: Board, size: tuple[int, int], lcd: tuple[int, int], spare: int = 0) -> tuple[SimpleNamespace, int]:
    """A view with its copy, if there is room; the bytes that there is no room for."""
    made = importlib.import_module("pose_canvas").View(*size, *lcd)
    return made, made.scale(spare)


def test_fit_has_known_answers() -> None:
    assert [VIEW.fit(320, size) for size in (320, 240, 135, 480)] == [
        (0, 320, 0), (40, 240, 0), (92, 135, 0), (0, 320, 80)
    ]  # fmt: skip
    assert VIEW.fit(240, 135) == (52, 135, 0)


@given(SIDES, SIDES)
def test_fit_centres_and_stays_inside(picture: int, screen: int) -> None:
    first, count, place = VIEW.fit(picture, screen)
    assert count == min(picture, screen)
    assert 0 <= first <= picture - count
    assert 0 <= place <= screen - count
    assert abs((picture - count) - 2 * first) <= 1
    assert abs((screen - count) - 2 * place) <= 1


@pytest.mark.parametrize(("lcd", "size"), LCDS.items())
def test_the_size_on_the_lcds_of_our_boards(lcd: tuple[int, int], size: tuple[int, int]) -> None:
    assert MEMORY.scaled((320, 240), lcd) == size


def test_a_smaller_picture_fills_the_lcd() -> None:
    assert MEMORY.scaled((256, 192), (320, 240)) == (320, 240)
    assert MEMORY.scaled((224, 224), (320, 240)) == (240, 240)


@given(st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES))
def test_a_scaled_picture_keeps_its_shape_and_fills_one_direction(picture: tuple, screen: tuple) -> None:
    columns, rows = MEMORY.scaled(picture, screen)
    assert 1 <= columns <= screen[0]
    assert 1 <= rows <= screen[1]
    assert columns == screen[0] or rows == screen[1]
    exact = min(screen[0] / picture[0], screen[1] / picture[1])
    assert abs(columns - picture[0] * exact) <= 1
    assert abs(rows - picture[1] * exact) <= 1


@given(st.integers(1, 50), SIDES)
def test_the_firmwares_single_precision_makes_the_size_that_was_taken(sixteenth: int, columns: int) -> None:
    """floor(width * scale) of floats of 32 bits, as MaixPy's copy() computes it."""
    width = 16 * sixteenth
    scale = np.float32((2 * columns + 1) / (2 * width))
    assert int(np.float32(width) * scale) == columns


@pytest.mark.parametrize(("lcd", "size"), LCDS.items())
def test_the_whole_picture_is_there_and_keypoints_lie_where_they_are(
    board: Board, lcd: tuple[int, int], size: tuple[int, int]
) -> None:
    board.free_heap = 400_000
    seen, missing = view(board, (320, 240), lcd)
    assert missing == 0
    picture = stand_ins.Image(size=(320, 240))
    canvas = seen.canvas(picture)
    assert canvas is not picture
    assert canvas.size == size
    # Taken once.
    assert seen.canvas(picture) is canvas
    assert seen.roi == (0, 0, *size)
    assert seen.offset == ((lcd[0] - size[0]) // 2, (lcd[1] - size[1]) // 2)
    seen.locate(SimpleNamespace(x16=[-80 + 320 * n for n in range(17)], y16=[3840 - 240 * n for n in range(17)]))
    for n in range(17):
        assert abs(seen.xs[n] - (-5 + 20 * n) * size[0] / 320) <= 0.5
        assert abs(seen.ys[n] - (240 - 15 * n) * size[1] / 240) <= 0.5


def test_a_picture_of_the_lcds_size_is_shown_itself(board: Board) -> None:
    board.free_heap = 0
    seen, missing = view(board, (320, 240), (320, 240))
    picture = stand_ins.Image(size=(320, 240))
    assert missing == 0
    assert seen.canvas(picture) is picture


def test_without_room_its_middle_is_shown_as_it_is(board: Board) -> None:
    needed = 2 * 180 * 135
    board.free_heap = needed + 999
    seen, missing = view(board, (320, 240), (240, 135), spare=1000)
    picture = stand_ins.Image(size=(320, 240))
    assert missing == needed
    assert seen.canvas(picture) is picture
    assert (seen.roi, seen.offset) == ((40, 52, 240, 135), (0, 0))
    board.free_heap += 1
    assert view(board, (320, 240), (240, 135), spare=1000)[1] == 0


def test_a_heap_in_pieces_is_no_room(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    board.free_heap = 400_000

    def refused(size: tuple[int, int]) -> None:
        raise MemoryError("Out of normal MicroPython Heap Memory!")

    seen = importlib.import_module("pose_canvas").View(320, 240, 240, 135)
    monkeypatch.setattr(importlib.import_module("image"), "Image", refused)
    assert seen.scale(0) == 2 * 180 * 135
    picture = stand_ins.Image(size=(320, 240))
    assert seen.canvas(picture) is picture
