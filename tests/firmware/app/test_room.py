"""The room that is held for the LCD's picture while the program is compiled."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.firmware.app.board import Board

STICK = {"width": 240, "height": 135}


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    with board.modules():
        yield board


@pytest.fixture
def room(board: Board) -> ModuleType:
    """The module, with a config that says what a test puts into board.config."""
    return importlib.import_module("pose_room")


def held(room: ModuleType) -> int:
    """Bytes that are held."""
    room.take()
    found = len(room._block) if room._block is not None else 0
    room.let_go()
    assert room._block is None
    return found


def test_it_is_as_large_as_the_lcd(board: Board, room: ModuleType) -> None:
    board.config["lcd"] = STICK
    assert held(room) == 2 * 240 * 135 + room.MARGIN
    board.config["lcd"] = {}
    assert held(room) == 2 * 320 * 240 + room.MARGIN


@pytest.mark.parametrize(
    "change",
    [
        {"lcd": None},
        {"lcd": {"width": "wide"}},
        {"lcd": "none"},
        {"lcd": STICK, "lcd_scale": 0},
        {"lcd": {"width": 480, "height": 320}},
    ],
    ids=["no LCD", "no number", "no section", "cropped", "too large for the heap"],
)
def test_there_is_none_where_it_is_not_wanted_or_does_not_fit(board: Board, room: ModuleType, change: dict) -> None:
    board.config.update(change)
    assert held(room) == 0


def test_a_config_that_is_missing_or_no_json_is_none_of_its_business(board: Board, room: ModuleType) -> None:
    room.CONFIG = "nothing.json"
    assert held(room) == 0
    room.CONFIG = "main.py"
    assert held(room) == 0
