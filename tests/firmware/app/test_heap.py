"""MicroPython's heap: made larger where there is room, put back where that was too much, and said each time."""

from __future__ import annotations

import pytest

from tests.firmware.app import sentences, stand_ins
from tests.firmware.app.board import Board

KIB = 1024
OLD, WANTED = 512 * KIB, 768 * KIB
STATE = "/flash/pose_heap.txt"
# What a chip has whose set size could not be had.
FALLBACK = 129_536


class Chip:
    """A board that is started again after each reset, with the heap that is set then, if it can be had."""

    def __init__(self, most: int = 4 << 20, **config: object) -> None:
        self.files: dict[str, bytes] = {}
        self.heap = OLD
        self.most = most
        self.free = 4_000_000
        self.config = config
        self.said = ""
        self.starts = 0

    def start(self) -> Board:
        """One life, until half a second is over or the program resets the chip."""
        board = Board()
        board.files, board.heap_set = self.files, self.heap
        board.free = self.free - (self.heap - OLD)
        usable = self.heap * 15 // 16 + 1 if self.heap <= self.most else FALLBACK
        board.free_heap, board.heap_used = usable - 100_000, 100_000
        board.config.update(self.config)
        board.run(500)
        self.heap = board.heap_set
        self.said += board.printed
        self.starts += 1
        return board

    def settle(self) -> Board:
        """Start until it runs; the board that did."""
        for _ in range(5):
            board = self.start()
            if not board.resets:
                return board
        raise AssertionError(f"it resets for ever: {self.said}")


def test_a_larger_heap_needs_one_reset_and_stays() -> None:
    chip = Chip(heap=WANTED)
    board = chip.settle()
    assert (chip.heap, chip.starts) == (WANTED, 2)
    assert "posenet: MicroPython's heap is set to 768 KiB (room for picture files): resetting" in chip.said
    assert chip.files[STATE] == b"524288 786432 0"
    assert sentences.frames(board.sent())
    chip.settle()
    assert chip.starts == 3


def test_without_an_entry_the_heap_is_left_alone() -> None:
    chip = Chip()
    chip.settle()
    assert (chip.heap, chip.starts, STATE in chip.files) == (OLD, 1, False)


def test_a_heap_that_somebody_made_larger_is_left_alone() -> None:
    chip = Chip(heap=WANTED)
    chip.heap = 1 << 20
    chip.settle()
    assert (chip.heap, chip.starts) == (1 << 20, 1)


def test_no_room_leaves_it_and_says_so() -> None:
    chip = Chip(heap=WANTED)
    chip.free = 1_200_000
    board = chip.settle()
    assert (chip.heap, chip.starts) == (OLD, 1)
    assert "posenet: MicroPython's heap stays at 512 KiB: no room for 768" in board.printed


def test_a_size_that_cannot_be_had_is_put_back_once_and_for_all() -> None:
    chip = Chip(most=600 * KIB, heap=WANTED)
    board = chip.settle()
    assert (chip.heap, chip.starts) == (OLD, 3)
    assert "posenet: MicroPython's heap is set to 512 KiB (768 KiB could not be had): resetting" in chip.said
    assert chip.files[STATE] == b"524288 524288 786432"
    assert sentences.frames(board.sent())
    chip.settle()
    assert (chip.heap, chip.starts) == (OLD, 4)


def test_a_size_that_somebody_else_set_and_cannot_be_had_becomes_the_usual_one() -> None:
    chip = Chip(most=600 * KIB)
    chip.heap = 7_000_000
    chip.settle()
    assert (chip.heap, chip.starts) == (OLD, 2)


def test_no_entry_any_more_puts_the_former_size_back() -> None:
    chip = Chip(heap=WANTED)
    chip.settle()
    chip.config = {"heap": 0}
    chip.settle()
    assert (chip.heap, chip.starts) == (OLD, 4)
    chip.config = {"heap": WANTED}
    chip.settle()
    assert chip.heap == WANTED


def test_a_full_flash_leaves_the_heap_as_it_is() -> None:
    board = Board()
    board.config["heap"] = WANTED
    board.flash_full = True
    board.run(500)
    assert (board.heap_set, board.resets) == (OLD, 0)
    assert "MicroPython's heap stays as it is: /flash is full" in board.printed


def test_no_memory_for_the_kmodel_gives_the_former_size_back() -> None:
    chip = Chip(heap=WANTED)
    chip.settle()
    board = Board()
    board.files, board.heap_set, board.config = chip.files, WANTED, {**board.config, "heap": WANTED}
    board.free_heap = 700_000
    stand_ins.FAULTS["load"] = "2006, ERR_NO_MEM: memory not enough"
    board.run(500)
    assert (board.heap_set, board.resets) == (OLD, 1)
    assert "kmodel, camera and LCD have no room beside 768 KiB" in board.printed


def test_canmv_is_not_touched() -> None:
    board = Board()
    board.platform = "CanMV"
    board.config["heap"] = WANTED
    board.heap_set = 1
    board.run(500)
    assert (board.heap_set, board.resets) == (1, 0)


@pytest.mark.parametrize("damage", [b"", b"a b c", b"1 2", b"-1 -1 -1", b"\xff" * 50])
def test_a_damaged_file_of_sizes_is_none(damage: bytes) -> None:
    chip = Chip(heap=WANTED)
    chip.files[STATE] = damage
    chip.settle()
    assert chip.heap == WANTED


SMALL = 384 * KIB


def test_a_smaller_heap_leaves_its_room_to_the_firmware_until_nobody_wants_it() -> None:
    chip = Chip(heap=SMALL)
    board = chip.settle()
    assert (chip.heap, chip.starts) == (SMALL, 2)
    assert "posenet: MicroPython's heap is set to 384 KiB (as the config has it): resetting" in chip.said
    assert sentences.frames(board.sent())
    chip.settle()
    assert (chip.heap, chip.starts) == (SMALL, 3)
    chip.config = {"heap": 0}
    chip.settle()
    assert (chip.heap, chip.starts) == (OLD, 5)


@pytest.mark.parametrize("wanted", [1, 128 * KIB, SMALL - 1])
def test_no_heap_is_made_too_small_for_the_program(wanted: int) -> None:
    chip = Chip(heap=wanted)
    chip.settle()
    assert (chip.heap, chip.starts) == (SMALL, 2)


@pytest.mark.parametrize("before", [WANTED, 1 << 20])
def test_a_smaller_heap_is_made_of_a_larger_one_too(before: int) -> None:
    chip = Chip(heap=SMALL)
    chip.heap = before
    chip.settle()
    assert (chip.heap, chip.starts) == (SMALL, 2)
    assert chip.files[STATE] == b"%d %d 0" % (before, SMALL)
