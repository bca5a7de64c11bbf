"""UARTHS and UART1: an echo, the time that bytes take, and what finds the FIFO full."""

from __future__ import annotations

import itertools

import pytest

from host_tools.k210 import Session
from tests.host_tools.k210.programs import machine
from tests.patience import HANG_SECONDS

# Sends back every byte, one higher; baud is CPU clock / (255 + 1).
ECHO = """
    li s0, UARTHS
    li t0, 255
    sw t0, 0x18(s0)
    li t0, 1
    sw t0, 0x08(s0)
    sw t0, 0x0c(s0)
again:
    lw a0, 0x04(s0)
    blt a0, zero, again
    addi a0, a0, 1
full:
    lw a1, 0(s0)
    blt a1, zero, full
    sw a0, 0(s0)
    j again
"""
# Leaves the FIFO alone until a GPIOHS input goes low, then reads it out.
LATE = """
    li s0, UARTHS
    li t0, 255
    sw t0, 0x18(s0)
    li t1, 200000
    csrr a0, mcycle
wait:
    csrr a1, mcycle
    sub a2, a1, a0
    bltu a2, t1, wait
again:
    lw a0, 0x04(s0)
    blt a0, zero, end
    sw a0, 0(s0)
    j again
end:
"""
# One of UART1 to UART3 in threshold mode, divisor 1: echoes what comes.
ECHO_PLAIN_UART = """
    li s0, {uart}
    li t0, 0x83
    sw t0, 0x0c(s0)
    li t0, 1
    sw t0, 0x00(s0)
    sw zero, 0x04(s0)
    li t0, 3
    sw t0, 0x0c(s0)
again:
    lw a0, 0x14(s0)
    andi a0, a0, 1
    beq a0, zero, again
    lw a1, 0x00(s0)
    sw a1, 0x00(s0)
    j again
"""
BYTE_CYCLES = 10 * 256


def test_echo() -> None:
    made = machine(ECHO, finish=False)
    session = Session(made)
    session.type("HAL")
    assert session.wait("IBM", seconds=1, real_seconds=HANG_SECONDS) == b"IBM"


def test_bytes_take_the_time_of_their_line() -> None:
    made = machine(ECHO, finish=False)
    made.run_for(0.0001)
    session = Session(made)
    begin = made.clock.cycles
    session.type(b"\x01" * 100)
    made.run(lambda: len(session.sent) == 100, seconds=1, real_seconds=HANG_SECONDS)
    assert made.serial.byte_cycles == BYTE_CYCLES
    # The last byte arrives after a hundred times; its echo needs one more, and the program a little.
    assert 101 * BYTE_CYCLES <= made.clock.cycles - begin < 101 * BYTE_CYCLES + 200


def test_what_finds_the_fifo_full_is_lost_and_counted() -> None:
    made = machine(LATE)
    session = Session(made)
    session.type(bytes(range(20)))
    made.run_for(0.02)
    assert bytes(session.sent) == bytes(range(8))
    assert made.serial.overruns == 12


@pytest.mark.parametrize("number", range(3))
def test_plain_uarts_echo(number: int) -> None:
    made = machine(ECHO_PLAIN_UART.format(uart=f"UART{number + 1}"), finish=False)
    got = bytearray()
    made.bus.uarts[number].on_sent = got.extend
    made.bus.uarts[number].feed(b"maix")
    made.run(lambda: len(got) == 4, seconds=1, real_seconds=HANG_SECONDS)
    assert bytes(got) == b"maix"


@pytest.mark.parametrize("count", [1, 9])
def test_lines_are_taken_down_with_their_time(count: int) -> None:
    made = machine(ECHO, finish=False)
    session = Session(made)
    session.type(b"a\x09" * count)
    made.run(lambda: len(session.lines) == count, seconds=1, real_seconds=HANG_SECONDS)
    cycles = [line.cycle for line in session.lines]
    assert [line.text for line in session.lines] == [b"b\n"] * count
    assert all(later - earlier == 2 * BYTE_CYCLES for earlier, later in itertools.pairwise(cycles))
