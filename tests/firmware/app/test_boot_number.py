"""The number of a start: another one each time, whatever happens to the files that count, or while they are written."""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterator
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools import payload
from tests.firmware.app.board import Board

LAST = 2**32 - 1


class Cut(BaseException):
    """The power goes."""


class Chip:
    """A board that is started again and again; `tear` gives what a write leaves of its data when the power goes."""

    def __init__(self) -> None:
        self.board = Board()

    @property
    def files(self) -> dict[str, bytes]:
        return self.board.files

    def start(self, tear: int | None = None) -> int | None:
        """The number of a start; None if the power went as `tear` bytes were written (-1: before the old one went)."""
        with self.board.modules():
            boot = importlib.import_module("pose_boot")
            if tear is not None:
                boot.pose_files.write = lambda path, data: self._torn(path, data, tear)
            try:
                return boot.number()
            except Cut:
                return None

    def _torn(self, path: str, data: bytes, tear: int) -> None:
        if tear >= 0:
            self.files[path] = data[:tear]
        raise Cut


@pytest.fixture
def chip() -> Chip:
    return Chip()


@pytest.fixture
def boot() -> Iterator[ModuleType]:
    with Board().modules():
        yield importlib.import_module("pose_boot")


def test_a_thousand_starts_with_cuts_have_a_thousand_numbers(chip: Chip) -> None:
    """Every third write is torn somewhere; a start that was cut has told nobody a number."""
    draw = random.Random(1)
    numbers = [chip.start(draw.randrange(-1, 20) if draw.random() < 0.33 else None) for _ in range(1500)]
    told = [number for number in numbers if number is not None]
    assert len(told) >= 950
    assert len(set(told)) == len(told)


def test_it_counts(chip: Chip) -> None:
    _, first = chip.start(), chip.start()
    assert [chip.start() for _ in range(3)] == [(first + n) % 2**32 for n in (1, 2, 3)]


def test_it_counts_over_the_end(chip: Chip, boot: ModuleType) -> None:
    chip.files[boot.FILES[0]] = boot._content(LAST - 2)
    chip.files[boot.FILES[1]] = boot._content(LAST - 1)
    assert [chip.start() for _ in range(4)] == [LAST, 0, 1, 2]


@pytest.mark.parametrize("damage", [b"", b"\xff" * 12, b"12", b"12,", b"12,0", b"x,1", b"-1,0", b"1,2,3", b"9" * 4096])
def test_a_damaged_file_is_no_number(chip: Chip, boot: ModuleType, damage: bytes) -> None:
    """Whichever of the two it is, a number that was told does not come again."""
    told = [chip.start() for _ in range(3)]
    for path in boot.FILES * 2:
        chip.files[path] = damage
        told += [chip.start(), chip.start()]
    assert len(set(told)) == len(told) == 11


@pytest.mark.parametrize("lost", [(0,), (1,), (0, 1)])
def test_lost_files_give_another_number(chip: Chip, boot: ModuleType, lost: tuple[int, ...]) -> None:
    told = [chip.start() for _ in range(3)]
    for number in lost:
        del chip.files[boot.FILES[number]]
    chip.board.clock.pass_us(137)
    told += [chip.start() for _ in range(3)]
    assert len(set(told)) == 6


def test_a_full_flash_draws_numbers_and_says_so(chip: Chip, capsys: pytest.CaptureFixture) -> None:
    chip.board.flash_full = True
    numbers = set()
    for _ in range(5):
        chip.board.clock.pass_us(1001)
        numbers.add(chip.start())
    assert len(numbers) == 5
    assert "posenet: starts cannot be counted in /flash (" in capsys.readouterr().out


def test_deploy_knows_the_files_to_remove(boot: ModuleType) -> None:
    heap = importlib.import_module("pose_heap")
    assert [f"/flash/{name}" for name in payload.WRITTEN_BY_PROGRAM] == [*boot.FILES, heap.FILE]


@given(value=st.integers(0, LAST))
def test_what_is_written_is_read(value: int) -> None:
    chip = Chip()
    with chip.board.modules():
        boot = importlib.import_module("pose_boot")
        content = boot._content(value)
        assert len(content) <= boot.MAX_BYTES
        chip.files[boot.FILES[0]] = content
        assert boot._read(boot.FILES[0]) == value


@given(value=st.integers(0, LAST), content=st.binary(max_size=24))
def test_no_other_content_is_taken_for_a_number(value: int, content: bytes) -> None:
    chip = Chip()
    with chip.board.modules():
        boot = importlib.import_module("pose_boot")
        chip.files[boot.FILES[0]] = content
        found = boot._read(boot.FILES[0])
        assert found is None or boot._content(found) == content
