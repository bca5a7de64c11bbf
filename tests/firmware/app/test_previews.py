"""Previews that have no room: said by the board at its start and in HELLO, with what they lack and what helps."""

from __future__ import annotations

import pytest

from tests.firmware.app import sentences, stand_ins
from tests.firmware.app.board import Board

# Bisected on the emulated chip, with the vendor's own images.
MINIMUM_KIB, FULL_KIB = 304, 708
REMEDY = (
    "a `minimum` build of MaixPy without zoom has room, or `deploy --heap 384 --set camera.dual_buffer=0 "
    "--set settings.zoom=0`"
)


def missing(board: Board) -> list[int]:
    """Of each HELLO the KiB that previews lack."""
    return [hello[16] for hello in sentences.of(board.run(1000), "HELLO")]


@pytest.mark.parametrize(("full_build", "needed"), [(False, MINIMUM_KIB), (True, FULL_KIB)])
@pytest.mark.parametrize(("free", "lacking"), [(0, 0), (-1, 1), (-100 * 1024, 100), (-100 * 1024 - 1, 101)])
def test_what_previews_lack_beside_model_camera_and_lcd(full_build: bool, needed: int, free: int, lacking: int) -> None:
    board = Board()
    board.full_build, board.free = full_build, needed * 1024 + free
    assert missing(board) == [0, lacking]
    said = f"posenet: no previews, which need {lacking} KiB more: {REMEDY}"
    assert board.printed.count(said) == (lacking > 0)


def test_where_nobody_knows_what_is_free_nothing_is_said() -> None:
    board = Board()
    board.free = -1
    assert missing(board) == [0, 0]
    assert "previews" not in board.printed


def test_it_is_said_once_however_often_the_camera_starts_anew() -> None:
    board = Board()
    board.free = 100 * 1024
    stand_ins.FAULTS["silent_frames"] = range(3, 9)
    found = board.run(9000)
    assert len(sentences.of(found, "ERROR")) > 1
    assert {hello[16] for hello in sentences.of(found, "HELLO")[1:]} == {MINIMUM_KIB - 100}
    assert board.printed.count("no previews") == 1
