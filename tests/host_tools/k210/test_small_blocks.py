"""OTP, clocks and resets by sysctl, and the power chip on its two-wire bus."""

from __future__ import annotations

import pytest

from host_tools.k210 import Machine
from host_tools.k210.blocks.otp import UNIQUE
from tests.host_tools.k210.programs import machine, results, run

# Where the unique number lies, in bits; the register takes those.
UNIQUE_AT = 0x3D90
# Reads four bytes of the number, and one behind it, each when the chip says that it is there.
READ_OTP = f"""
    li s0, OTP
    li s2, RESULTS
    li s3, {8 * UNIQUE_AT}
    li s4, 5
next:
    sw s3, 0x30(s0)
wait:
    lw t0, 0xac(s0)
    beq t0, zero, wait
    lw t0, 0x24(s0)
    sd t0, 0(s2)
    addi s2, s2, 8
    addi s3, s3, 8
    addi s4, s4, -1
    bne s4, zero, next
"""
# The CPU's clock from PLL0: 26 MHz * 62 / 2 / 2 = 403 MHz, as MaixPy sets it; then the time of a loop by the counter.
CLOCKS = """
    li s0, SYSCTL
    li s2, RESULTS
    li t0, {pll0}
    sw t0, 0x08(s0)
wait:
    lw t1, 0x18(s0)
    andi t1, t1, 1
    beq t1, zero, wait
    li t0, 1
    sw t0, 0x20(s0)
    lw t0, 0x20(s0)
    sd t0, 0(s2)
"""


def test_the_chips_number_is_read_from_otp() -> None:
    assert results(run(READ_OTP), 5) == list(UNIQUE[:5])


def test_otp_is_blank_elsewhere_and_burns_nothing() -> None:
    otp = Machine().bus.find(0x5042_0000)[0]
    for at, wanted in ((UNIQUE_AT - 1, 0), (UNIQUE_AT, UNIQUE[0]), (UNIQUE_AT + 31, UNIQUE[31]), (UNIQUE_AT + 32, 0)):
        otp.write(0x30, 4, 8 * at)
        otp.write(0x24, 4, 0x5A)
        assert (otp.read(0x3C, 4), otp.read(0x24, 4)) == (1, wanted)


@pytest.mark.parametrize(("feedback", "divided_by", "hertz"), [(61, 0, 806_000_000), (61, 1, 403_000_000)])
def test_the_cpu_runs_at_the_clock_that_a_program_sets(feedback: int, divided_by: int, hertz: int) -> None:
    made = machine(CLOCKS.format(pll0=feedback << 4 | divided_by << 10))
    made.run_for(0.0002)
    assert results(made, 1) == [1]
    assert made.clock.hertz == made.sysctl.cpu_hertz == hertz
    # So many cycles pass in a time from then on, of the CPU's and of what hangs on it.
    before = made.clock.cycles
    made.run_for(0.001)
    assert abs(made.clock.cycles - before - hertz // 1000) <= hertz // 100_000
    assert made.sysctl.apb_hertz(0) == hertz
    assert made.sysctl.watchdog_hertz(0) == 13_000_000


def test_clocks_of_kpu_spi_and_timers_have_dividers_of_their_own() -> None:
    sysctl = Machine().sysctl
    sysctl.write(0x08, 4, 61 << 4)
    sysctl.write(0x0C, 4, 45 << 4 | 2 << 10)
    sysctl.write(0x38, 4, 1 << 8)
    assert sysctl.kpu_hertz == 26_000_000 * 46 // 3 // 2
    sysctl.write(0x3C, 4, 3 | 1 << 8)
    sysctl.write(0x20, 4, 1 << 13)
    assert [sysctl.spi_hertz(number) for number in (0, 1, 3)] == [1_612_000_000 // 8, 1_612_000_000 // 4, 13_000_000]
    sysctl.write(0x40, 4, 4)
    assert (sysctl.timer_hertz(0), sysctl.timer_hertz(1)) == (1_612_000_000 // 10, 13_000_000)


def test_a_block_is_reset_alone() -> None:
    made = Machine()
    made.bus.timers[0].write(0x00, 4, 77)
    made.bus.timers[1].write(0x00, 4, 78)
    made.bus.gpio.write(0x00, 4, 1)
    made.sysctl.write(0x34, 4, 1 << 21)
    assert (made.bus.timers[0].read(0x00, 4), made.bus.timers[1].read(0x00, 4)) == (0, 78)
    assert made.bus.gpio.read(0x00, 4) == 1


def test_a_reset_says_why_once() -> None:
    made = machine("nop")
    made.run_for(0.0001)
    made.reset()
    made.run_for(0.0001)
    assert made.resets == 1
    assert made.sysctl.read(0x60, 4) == 2
    made.sysctl.write(0x60, 4, 1)
    assert made.sysctl.read(0x60, 4) == 0


@pytest.mark.parametrize(("board", "clock_pin"), [("m5stickv", 28), ("maix_cube", 30), ("maix_amigo_ips", 24)])
def test_the_power_chip_keeps_what_is_written(board: str, clock_pin: int) -> None:
    made = Machine(board=board)
    i2c = made.bus.i2c[0]
    i2c.write(0x04, 4, 0x34)
    # Its clock leads nowhere yet: nobody answers.
    i2c.write(0x10, 4, 0x28)
    assert i2c.read(0x80, 4) == 1
    i2c.read(0x54, 4)
    made.bus.fpioa.write(4 * clock_pin, 4, 126)
    for byte in (0x28, 0xF0, 0x0F | 0x200):
        i2c.write(0x10, 4, byte)
    i2c.write(0x10, 4, 0x28 | 0x200)
    for _ in range(2):
        i2c.write(0x10, 4, 0x100)
    assert (i2c.read(0x80, 4), i2c.read(0x78, 4)) == (0, 2)
    assert [i2c.read(0x10, 4) for _ in range(2)] == [0xF0, 0x0F]


def test_boards_without_a_power_chip_have_none() -> None:
    i2c = Machine().bus.i2c[0]
    i2c.write(0x04, 4, 0x34)
    i2c.write(0x10, 4, 0x28)
    assert i2c.read(0x80, 4) == 1
