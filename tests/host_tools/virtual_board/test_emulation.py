"""A small program of our own on the emulated chip, behind the virtual board's line and on its clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from host_tools import boards
from host_tools.flashing import images
from host_tools.k210 import Machine, requirements
from host_tools.virtual_board import session
from host_tools.virtual_board.clock import JumpingClock
from host_tools.virtual_board.emulation import EmulationOptions
from host_tools.virtual_board.hardware import Hardware
from host_tools.virtual_board.remarks import Remarks
from tests.host_tools.k210.assembler import assemble
from tests.host_tools.k210.programs import SYMBOLS
from tests.host_tools.k210.test_serial import ECHO
from tests.jumping import VirtualBoard
from tests.patience import HANG_SECONDS

SECONDS = HANG_SECONDS


@pytest.fixture
def board() -> Iterator[VirtualBoard]:
    """Sends each byte back, one higher; 26 MHz through 226 are 115200 baud."""
    program = images.in_flash(assemble(ECHO.replace("255", "225"), SYMBOLS))
    hardware = Hardware.of(boards.find("maix_bit"))
    with VirtualBoard(flash=program, board=hardware, emulate=EmulationOptions()) as made:
        # The program sets its rate.
        made.pass_time(0.01)
        yield made


def echoed(board: VirtualBoard, text: bytes) -> bytes:
    with serial.Serial(board.port, 115200, timeout=SECONDS) as line, board.clock.host_waits():
        line.write(text)
        return line.read(len(text))


def test_a_tool_at_the_port_talks_to_the_program(board: VirtualBoard) -> None:
    assert echoed(board, b"HAL") == b"IBM"


def test_the_machine_is_as_late_as_the_boards_clock(board: VirtualBoard) -> None:
    """It stands still where the host is silent, and goes exactly as far as time is let pass."""
    machine = board._emulation.machine
    assert echoed(board, b"HAL") == b"IBM"
    before = board.clock.now()
    board.pass_time(0.3)
    assert board.clock.now() == before + 300_000
    # A slice further at most: 100,000 instructions at 26 MHz, and what the clock may be behind.
    assert abs(machine.clock.seconds - board.clock.now() / 1e6) < 0.02
    assert isinstance(board.clock, JumpingClock)
    assert echoed(board, b"still there") == b"tujmm!uifsf"


def test_a_flash_file_is_the_chip_from_run_to_run(tmp_path: Path) -> None:
    """What is in it counts, not what a new chip would begin with."""
    first = images.in_flash(assemble(ECHO.replace("255", "225"), SYMBOLS))
    more = {"board": Hardware.of(boards.find("maix_bit")), "emulate": EmulationOptions()}
    for flash in (first, b"another firmware"):
        with VirtualBoard(flash=flash, flash_file=tmp_path / "flash.bin", **more) as made:
            made.pass_time(0.01)
            assert echoed(made, b"HAL") == b"IBM"
    assert (tmp_path / "flash.bin").read_bytes()[: len(first)] == first


def test_a_blank_board_without_unicorn_is_the_stand_in_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    find, said = requirements.importlib.util.find_spec, []
    monkeypatch.setattr(
        requirements.importlib.util, "find_spec", lambda name: None if name == "unicorn" else find(name)
    )
    nothing = (None,) * 4
    options = session.BoardOptions(None, "maix_bit", *nothing, (), blank=True)
    content = session._content(options, boards.find("maix_bit"), said.append)
    assert content.parts["emulate"] is None
    assert content.runs == session.STAND_IN
    (line,) = said
    assert "needs the package unicorn" in line
    assert line.endswith("; what is flashed is not run, the stand-in runs in its place")


def test_machines_of_one_command_make_a_remark_once() -> None:
    said: list[str] = []
    remarks = Remarks(said.append)
    assert Remarks.of(remarks) is remarks
    first, second = Machine(), Machine()
    first.note("one thing")
    for made in (first, second):
        remarks.listen(made)
        made.note("one thing")
    second.note("another")
    assert [line.split(" (")[0] for line in said] == ["emulated chip: one thing", "emulated chip: another"]
