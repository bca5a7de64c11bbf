"""Runs small programs on the emulated chip and looks at what they have left in memory."""

from __future__ import annotations

from typing import Any

import pytest

from host_tools.k210 import Machine
from host_tools.k210.blocks import addresses
from host_tools.k210.engine import native
from tests.host_tools.k210.assembler import assemble
from tests.patience import HANG_SECONDS

# Where programs leave what a test looks at, and the word by which they say that they are done.
RESULTS, DONE = 0x8010_0000, 0x8010_0FF0
DONE_WORD = 0x600D
SYMBOLS = {
    "RESULTS": RESULTS, "DONE": DONE, "UARTHS": addresses.UARTHS, "CLINT": addresses.CLINT, "PLIC": addresses.PLIC,
    "SPI3": addresses.SPI3, "SPI0": addresses.SPI0, "SPI1": addresses.SPI1,
    "DMAC": addresses.DMAC, "KPU": addresses.KPU, "DVP": addresses.DVP, "FPIOA": addresses.FPIOA,
    "GPIOHS": addresses.GPIOHS, "SYSCTL": addresses.SYSCTL, "TIMER0": addresses.TIMER[0],
    "WDT0": addresses.WATCHDOG[0], "I2C0": addresses.I2C[0], "RTC": addresses.RTC,
    "UART1": addresses.UART[0], "UART2": addresses.UART[1], "UART3": addresses.UART[2],
    "GPIO": addresses.GPIO, "OTP": addresses.OTP, "SHA256": addresses.SHA256, "AES": addresses.AES,
    "FFT": addresses.FFT,
}  # fmt: skip
FINISH = f"""
    li t6, {DONE:#x}
    li t5, {DONE_WORD:#x}
    sd t5, 0(t6)
finished:
    j finished
"""
# Takes one interrupt line of the PLIC in `handler`, which finds the claim register in s3; results are at s0.
TAKE_LINE = """
    la t0, handler
    csrw mtvec, t0
    li s0, RESULTS
    li s1, PLIC
    li t0, 1
    sw t0, {priority}(s1)
    li s2, {enable}
    add s2, s1, s2
    li t0, {bit}
    sw t0, 0(s2)
    li s3, 0x200004
    add s3, s1, s3
    li t0, 0x800
    csrs mie, t0
    li t0, 8
    csrs mstatus, t0
"""
SECONDS, REAL_SECONDS = 5.0, 10 * HANG_SECONDS


def machine(source: str, finish: bool = True, **settings: Any) -> Machine:
    """A board that has been switched on with this program, which ends with FINISH."""
    made = Machine(assemble(source + (FINISH if finish else ""), SYMBOLS), **settings)
    made.power_on()
    return made


def take_line(line: int) -> str:
    """The start of a program that is interrupted by a line of the PLIC."""
    return TAKE_LINE.format(priority=4 * line, enable=0x2000 + line // 32 * 4, bit=1 << line % 32)


def done(made: Machine) -> bool:
    """Whether the program has come to its end."""
    return int.from_bytes(made.memory.load(DONE, 8), "little") == DONE_WORD


def run(source: str, **settings: Any) -> Machine:
    """The board after the program has come to its end."""
    made = machine(source, **settings)
    made.run(lambda: done(made), seconds=SECONDS, real_seconds=REAL_SECONDS)
    return made


def results(made: Machine, count: int) -> list[int]:
    """The 64-bit words that the program has left."""
    data = made.memory.load(RESULTS, 8 * count)
    return [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]


def with_and_without_the_helper(source: str, count: int) -> tuple[list[int], list[int]]:
    """What a program leaves when helper.c looks for loops, and when every turn is run."""
    if native.library() is None:
        pytest.skip("there is no C compiler here: every turn is run anyway")
    fast = results(run(source), count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "library", lambda: None)
        return fast, results(run(source), count)
