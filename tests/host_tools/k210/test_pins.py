"""GPIO and GPIOHS: pins that a program drives, reads, and is interrupted by; the PLIC's order and thresholds."""

from __future__ import annotations

import pytest

from host_tools.k210 import Machine
from host_tools.k210.blocks.addresses import Function, Irq
from tests.host_tools.k210.programs import done, machine, results, take_line
from tests.patience import HANG_SECONDS

OUT_PIN, IN_PIN = 10, 11
# Out on IO10, in on IO11; says that it is ready by a level, then waits for an interrupt.
CONNECT = """
    li s4, FPIOA
    li t0, {out}
    sw t0, 40(s4)
    li t0, {into}
    sw t0, 44(s4)
"""
WAIT = """
wait:
    ld t2, 0(s0)
    beq t2, zero, wait
    j out
handler:
    lw t3, 0(s3)
    sd t3, 0(s0)
"""
# Pin 0 out, pin 1 in: an interrupt when it goes low (edge, polarity 0).
GPIO = """
    li s5, GPIO
    li t0, 1
    sw t0, 0x04(s5)
    li t0, 2
    sw t0, 0x38(s5)
    sw t0, 0x30(s5)
    li t0, 1
    sw t0, 0x00(s5)
"""
GPIO_HANDLER = """
    lw t4, 0x40(s5)
    sd t4, 8(s0)
    lw t4, 0x50(s5)
    andi t4, t4, 3
    sd t4, 16(s0)
    li t4, 2
    sw t4, 0x4c(s5)
    sw t3, 0(s3)
    lw t4, 0x40(s5)
    sd t4, 24(s0)
    mret
out:
"""
# Pin 4 out, pin 6 in: an interrupt when it goes low.
GPIOHS = """
    li s5, GPIOHS
    li t0, 0x10
    sw t0, 0x08(s5)
    li t0, 0x40
    sw t0, 0x04(s5)
    sw t0, 0x20(s5)
    li t0, 0x10
    sw t0, 0x0c(s5)
"""
GPIOHS_HANDLER = """
    lw t4, 0x24(s5)
    sd t4, 8(s0)
    lw t4, 0x00(s5)
    andi t4, t4, 0x50
    sd t4, 16(s0)
    li t4, 0x40
    sw t4, 0x24(s5)
    sw t3, 0(s3)
    lw t4, 0x24(s5)
    sd t4, 24(s0)
    mret
out:
"""
BANKS = {
    "gpio": (Function.GPIO0, (0, 1), Irq.GPIO, GPIO, GPIO_HANDLER, (2, 1)),
    "gpiohs": (Function.GPIOHS0, (4, 6), Irq.GPIOHS0 + 6, GPIOHS, GPIOHS_HANDLER, (0x40, 0x10)),
}


@pytest.mark.parametrize("bank", BANKS)
def test_a_key_interrupts_the_program_once(bank: str) -> None:
    function, (out, into), line, code, handler, (raised, levels) = BANKS[bank]
    source = take_line(line) + CONNECT.format(out=function + out, into=function + into) + code + WAIT + handler
    made = machine(source)
    made.run(lambda: made.pins.level(OUT_PIN) == 1, seconds=0.1, real_seconds=HANG_SECONDS)
    made.run_for(0.001)
    assert not done(made)
    made.pins.drive(IN_PIN, 0)
    made.run(lambda: done(made), seconds=0.1, real_seconds=HANG_SECONDS)
    # The line, the pin that it is, both pins' levels, and nothing more once it was cleared.
    assert results(made, 4) == [line, raised, levels, 0]
    made.pins.drive(IN_PIN, 1)
    assert not made.bus.plic.level >> line & 1


def test_gpio_interrupts_by_level_and_by_both_edges() -> None:
    made = Machine()
    gpio, line = made.bus.gpio, 1 << Irq.GPIO
    made.bus.fpioa.write(4 * IN_PIN, 4, Function.GPIO0 + 3)
    gpio.write(0x3C, 4, 8)
    gpio.write(0x30, 4, 8)
    # High already, by the pull: a level stays as long as it lasts, masked or not.
    assert (gpio.read(0x44, 4), bool(made.bus.plic.level & line)) == (8, True)
    gpio.write(0x34, 4, 8)
    assert (gpio.read(0x44, 4), gpio.read(0x40, 4), made.bus.plic.level & line) == (8, 0, 0)
    made.pins.drive(IN_PIN, 0)
    gpio.write(0x34, 4, 0)
    assert gpio.read(0x40, 4) == 0
    gpio.write(0x38, 4, 8)
    gpio.write(0x68, 4, 8)
    for level in (1, 0):
        made.pins.drive(IN_PIN, level)
        assert (gpio.read(0x40, 4), bool(made.bus.plic.level & line)) == (8, True)
        gpio.write(0x4C, 4, 8)
        assert not made.bus.plic.level & line


def claim(made: Machine, hart: int = 0) -> int:
    return made.bus.plic.read(0x20_0004 + 0x2000 * hart, 4)


def test_the_most_urgent_line_comes_first_and_equals_by_number() -> None:
    made = Machine()
    plic = made.bus.plic
    for line, priority in ((Irq.UART1, 2), (Irq.TIMER0A, 7), (Irq.GPIO, 2), (Irq.UARTHS, 1)):
        plic.write(4 * line, 4, priority)
        plic.line(line, True)
    plic.write(0x2000, 4, 0xFFFF_FFFF)
    plic.write(0x2004, 4, 0xFFFF_FFFF)
    assert [claim(made) for _ in range(5)] == [Irq.TIMER0A, Irq.UART1, Irq.GPIO, Irq.UARTHS, 0]
    # A line that is still up comes again when it was completed, not before.
    plic.write(0x20_0004, 4, Irq.GPIO)
    assert plic.read(0x1000, 4) == 1 << Irq.GPIO
    assert claim(made) == Irq.GPIO


def test_thresholds_and_enables_are_each_harts_own() -> None:
    made = Machine()
    plic = made.bus.plic
    plic.write(4 * Irq.GPIO, 4, 3)
    plic.line(Irq.GPIO, True)
    plic.write(0x2100, 4, 1 << Irq.GPIO)
    assert (plic.asserted(0), plic.asserted(1)) == (False, True)
    plic.write(0x20_2000, 4, 3)
    assert not plic.asserted(1)
    plic.write(0x20_2000, 4, 2)
    assert plic.asserted(1)
    assert (claim(made, 0), claim(made, 1)) == (0, Irq.GPIO)
