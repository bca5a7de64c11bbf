"""Reading back over a line that is not perfect: only bytes that really differ are a difference."""

from __future__ import annotations

import binascii
import contextlib
import io
import random
import sys
import types
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.errors import FlashError
from host_tools.flashing import readback
from host_tools.flashing.kfpkg import Entry, Package
from host_tools.flashing.readback import BLOCK_BYTES

ADDRESS = 0x300000
DATA = random.Random(2).randbytes(5 * BLOCK_BYTES + 100)
PACKAGE = Package((Entry("a.kmodel", ADDRESS, DATA),))


class Board:
    """Stands for a board at its prompt: runs the scripts under CPython on a flash of bytes, damages what they print."""

    port = "/dev/ttyUSB0"

    def __init__(self, flash: bytes, damage: Callable[[int, str], str] = lambda number, line: line) -> None:
        self.flash, self.damage, self.scripts = flash, damage, 0
        self.asked: list[int] = []

    def read(self, address: int, size: int) -> bytes:
        self.asked.append(size)
        return self.flash[address - ADDRESS : address - ADDRESS + size]

    def execute(self, source: str, *, seconds: float, line: Callable[[str], None] | None = None) -> str:
        assert seconds > 1
        self.scripts += 1
        modules = {
            "Maix": types.SimpleNamespace(utils=types.SimpleNamespace(flash_read=self.read)),
            "ubinascii": types.SimpleNamespace(crc32=zlib.crc32, hexlify=binascii.hexlify),
        }
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), pytest.MonkeyPatch.context() as patch:
            for name, module in modules.items():
                patch.setitem(sys.modules, name, module)
            exec(compile(source, "script", "exec"), {})
        printed = "\n".join(self.damage(self.scripts, text) for text in printed.getvalue().splitlines())
        lines = printed.splitlines()
        for text in lines:
            if line is not None:
                line(text)
        return printed


def compare(board: Board) -> list[readback.Difference]:
    return readback.compare(board, PACKAGE, lambda done: None)


def test_equal_flash_has_no_difference_and_is_read_in_small_pieces() -> None:
    board = Board(DATA)
    assert compare(board) == []
    assert max(board.asked) == BLOCK_BYTES
    assert sum(board.asked) == len(DATA)


@given(st.sets(st.integers(0, len(DATA) - 1), min_size=1, max_size=6), st.integers(1, 255))
def test_the_first_byte_that_differs_is_named(places: set[int], change: int) -> None:
    flash = bytearray(DATA)
    for at in places:
        flash[at] ^= change
    (found,) = compare(Board(bytes(flash)))
    first = min(places)
    assert (found.address, found.expected, found.found) == (ADDRESS + first, DATA[first], flash[first])
    assert (found.blocks, found.of_blocks) == (len({at // BLOCK_BYTES for at in places}), 6)


def test_an_erased_block_is_called_so() -> None:
    (found,) = compare(Board(b"\xff" * len(DATA)))
    assert "6 of 6 blocks of 4 KiB differ; the block is erased" in str(found)


def spoil(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


@pytest.mark.parametrize("damage", [lambda text: "", spoil, lambda text: text[3:], lambda text: text + "$FRAME,1*0000"])
def test_a_checksum_that_comes_damaged_is_no_difference(damage: Callable[[str], str]) -> None:
    third = f"{ADDRESS + 2 * BLOCK_BYTES:08x}"
    board = Board(DATA, lambda number, text: damage(text) if number == 1 and text.startswith(third) else text)
    assert compare(board) == []
    assert board.scripts == 2


def test_a_row_that_comes_damaged_proves_nothing() -> None:
    flash = DATA[:100] + bytes([DATA[100] ^ 1]) + DATA[101:]
    with pytest.raises(
        FlashError, match="the block at flash 0x300000 came damaged over the line, so nothing is proved"
    ):
        compare(Board(flash, lambda number, text: text if number == 1 else spoil(text)))


def test_a_line_that_damages_everything_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readback, "_MOST_SUSPECTS", 4)
    board = Board(DATA, lambda number, text: "" if number == 1 else text)
    with pytest.raises(FlashError, match=r"6 checksums of a\.kmodel were damaged on the way, so nothing is proved"):
        compare(board)


def test_lines_of_other_addresses_are_passed_over() -> None:
    """A checksum of a block that was not asked for is no progress, and none of the blocks that were."""
    board = Board(DATA, lambda number, line: f"{line}\n{ADDRESS + 4:08x} 00000000\n00000000 00000000\nnone")
    seen: list[int] = []
    assert readback.compare(board, PACKAGE, seen.append) == []
    assert seen == list(range(0, len(DATA), BLOCK_BYTES))


def test_progress_counts_all_files() -> None:
    seen: list[int] = []
    two = Package((Entry("a", ADDRESS, DATA), Entry("b", ADDRESS, DATA)))
    readback.compare(Board(DATA), two, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] < two.size
    assert len(seen) == 12
