"""The KPU layer by layer: only on a sound copy of the kmodel, paused, with room; and the network afresh after."""

from __future__ import annotations

import struct

import pytest

from tests.firmware.app import sentences
from tests.firmware.app.board import ADDRESS, Board

LAYERS = 32
PLACE = ADDRESS + 0x10000
ROOM = 12 * 320 * 240 + 64


def copy(board: Board, main_memory: int = ROOM) -> bytes:
    """The board's kmodel with another main memory in its header."""
    return board.kmodel[:20] + struct.pack("<I", main_memory) + board.kmodel[24:]


def prepared(paused: bool = True) -> Board:
    board = Board()
    board.flash[PLACE] = copy(board)
    if paused:
        board.tell(1000, "PAUSE,1")
    board.tell(1500, "PROFILE,2")
    return board


def answer(found: list) -> list:
    return next(reply for reply in sentences.of(found, "REPLY") if reply[0] == 2)


def test_each_layer_is_measured_and_the_network_loaded_afresh() -> None:
    board = prepared()
    board.tell(5000, "RESUME,3")
    found = board.run(7000)
    assert answer(found)[1:3] == (0, LAYERS)
    layers = sentences.of(found, "LAYER")
    assert [layer[:2] for layer in layers] == [(n, LAYERS) for n in range(1, LAYERS + 1)]
    assert all(0 <= us - 1000 * n < 20 for n, _, us in layers)
    assert board.kpu.loaded == [ADDRESS, PLACE, ADDRESS]
    # The network, the copy, and the network again at the end.
    assert board.kpu.closed == 3
    after = [frame for frame, _ in sentences.frames(found) if frame[1] > 5000]
    assert len(after) > 10
    assert all(frame[3] == 3 for frame in after)


def test_a_board_that_takes_frames_is_told_to_pause_first() -> None:
    board = prepared(paused=False)
    found = board.run(3000)
    assert answer(found)[1] == 3
    assert "send PAUSE first" in answer(found)[3]
    assert board.kpu.loaded == [ADDRESS]


@pytest.mark.parametrize("main_memory", [ROOM - 1, 34504, 0])
def test_a_copy_without_room_for_the_results_is_never_loaded(main_memory: int) -> None:
    """It would overwrite other memory."""
    board = prepared()
    board.flash[PLACE] = copy(board, main_memory)
    assert answer(board.run(3000))[1] == 23
    assert board.kpu.loaded == [ADDRESS]


@pytest.mark.parametrize("at", [0, 12, 16, 24, 100, 4096, -1])
def test_anything_else_than_a_copy_of_this_kmodel_is_refused(at: int) -> None:
    board = prepared()
    damaged = bytearray(copy(board))
    damaged[at] ^= 1
    board.flash[PLACE] = bytes(damaged)
    found = answer(board.run(3000))
    assert found[1] == 23
    assert "write it with `flash --profile`" in found[3]
    assert board.kpu.loaded == [ADDRESS]


def test_no_copy_at_all_is_said() -> None:
    board = prepared()
    del board.flash[PLACE]
    assert answer(board.run(3000))[1] == 23


@pytest.mark.parametrize(("free", "status"), [(ROOM - 34504 + 98304, 0), (ROOM - 34504 + 98303, 27), (-1, 27)])
def test_room_is_looked_for_before_it_begins(free: int, status: int) -> None:
    board = prepared()
    board.free = free
    found = board.run(4000)
    assert answer(found)[1] == status
    assert len(board.kpu.loaded) == (1 if status else 3)


def test_what_fails_while_it_measures_is_said_and_the_network_runs_on() -> None:
    board = prepared()

    def set_layers(task: object, count: int) -> None:
        if count == 3:
            raise OSError("ctx error")
        board.kpu.layers = count

    board.kpu.set_layers = set_layers
    board.tell(4000, "RESUME,3")
    found = board.run(6000)
    assert len(sentences.of(found, "LAYER")) == 2
    assert "measuring ended early: ctx error" in board.printed
    assert board.kpu.loaded == [ADDRESS, PLACE, ADDRESS]
    assert [frame for frame, _ in sentences.frames(found) if frame[1] > 4000]
