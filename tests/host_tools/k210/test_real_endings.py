"""What ends a program or a board on the vendor's own firmware: Ctrl-C anywhere, resets, power cuts, the watchdog.

`make test` takes a sample on the smallest image, `make soak` many on all.
"""

from __future__ import annotations

import gc
import random
import re

import pytest

from host_tools.k210 import Ended
from host_tools.serial_link import sentences
from tests.host_tools.k210 import states
from tests.host_tools.k210.states import PatientSession

EACH = states.EACH
BOOT = re.compile(rb"\$HELLO,1,[^,]*,(\d+),")
# Flash operations that counting a start takes at least.
COUNTING_PROGRAMS = 170
STOPPED = b"posenet: stopped"


def sampled(few: int, many: int, others: int) -> list:
    """The image and how many times: few in `make test`, in `make soak` many on the smallest, and on each other one."""
    times = [(name, many if name == "minimum" else others) for name in states.IMAGES]
    return [*([("minimum", few)] if few else ()), *(pytest.param(*each, marks=pytest.mark.soak) for each in times)]


def says_again(board: PatientSession, text: bytes) -> None:
    """Run until the board says it from now on."""
    board.wait(text, len(board.sent))


@pytest.mark.parametrize(("name", "times"), sampled(1, 50, 50))
def test_ctrl_c_at_any_instruction_of_a_frame_ends_at_the_prompt(name: str, times: int) -> None:
    chance = random.Random(f"{name} {times}")
    for _ in range(times):
        gc.collect()
        board = states.running(name)
        board.machine.run_for(chance.uniform(0, 0.15))
        begin = len(board.sent)
        board.type(b"\x03")
        said = board.wait(b">>> ", begin)
        assert STOPPED in said, said
        assert b"KeyboardInterrupt" in said, said
        begin = len(board.sent)
        board.type(b"print(6 * 7)\r")
        board.wait(b"42\r\n", begin)


@pytest.mark.parametrize(("name", "times"), sampled(0, 12, 4))
def test_ctrl_c_at_any_instruction_of_its_start_ends_at_the_prompt_or_in_the_program(name: str, times: int) -> None:
    chance = random.Random(f"start {name} {times}")
    for _ in range(times):
        gc.collect()
        board = PatientSession(states.deployed(name))
        board.machine.power_on()
        says_again(board, b"init end")
        board.machine.run_for(chance.uniform(0, 3.5))
        begin = len(board.sent)
        board.type(b"\x03")
        board.machine.run(
            lambda: b">>> " in board.sent[begin:] or b"$FRAME," in board.sent[begin:],  # noqa: B023 - asked in this turn
            seconds=30,
            real_seconds=states.REAL_SECONDS,
        )


def start_number(board: PatientSession, begin: int) -> int:
    """The number of the start that the program says from there on."""
    board.wait(b"$HELLO,1,", begin)
    board.wait(b"\n", board.sent.find(b"$HELLO,1,", begin))
    return int(BOOT.search(bytes(board.sent), begin)[1])


def switched_on(board: PatientSession) -> PatientSession:
    board.machine.power_on()
    return PatientSession(board.machine)


def pressed_reset(board: PatientSession) -> tuple[PatientSession, int]:
    begin = len(board.sent)
    board.machine.reset()
    return board, begin


def soft_reset(board: PatientSession) -> tuple[PatientSession, int]:
    begin = len(board.sent)
    board.type(b"\x03")
    board.wait(b">>> ", begin)
    begin = len(board.sent)
    board.type(b"\x04")
    return board, begin


def power_cut(board: PatientSession) -> tuple[PatientSession, int]:
    board.machine.power_off()
    return switched_on(board), 0


def cut_while_counting(board: PatientSession, operation: int, done: float) -> tuple[PatientSession, int]:
    """Power goes in the middle of a page, while the next start is counted."""
    board, begin = pressed_reset(board)
    board.wait(b"init end", begin)
    board.machine.power_cut(operation, done)
    assert board.machine.run(seconds=30, real_seconds=states.REAL_SECONDS) is Ended.POWER_CUT
    return switched_on(board), 0


@pytest.mark.parametrize(("name", "times"), sampled(0, 20, 4))
def test_every_restart_has_a_number_of_its_own(name: str, times: int) -> None:
    board = states.running(name)
    begin = len(board.sent)
    board.type(sentences.made("HELLO", 1))
    numbers = [start_number(board, begin)]
    chance = random.Random(times)

    def cut_anywhere(board: PatientSession) -> tuple[PatientSession, int]:
        return cut_while_counting(board, chance.randrange(1, COUNTING_PROGRAMS), chance.choice((0.0, 0.5)))

    for number in range(times):
        board, begin = (cut_anywhere, pressed_reset, soft_reset, power_cut)[number % 4](board)
        numbers.append(start_number(board, begin))
    assert len(set(numbers)) == len(numbers), numbers


@pytest.mark.soak
@pytest.mark.parametrize("name", EACH)
def test_a_watchdog_that_is_not_fed_starts_the_board_anew(name: str) -> None:
    board = PatientSession(states.plain(name))
    begin = len(board.sent)
    # As short as it can be: what runs meanwhile is run, instruction for instruction.
    board.type(b"from machine import WDT\nw = WDT(id=0, timeout=50)\nwhile True: pass\n\x04")
    board.wait("init end", begin)
    assert board.machine.resets == 1
