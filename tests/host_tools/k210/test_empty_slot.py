"""An SD slot with nothing in it: the data line stays high, and looking for a card takes the time of the line's clock.

The vendor's firmware looks for one on hart 1 while hart 0 runs the program.
"""

from __future__ import annotations

import pytest

from host_tools.k210.engine import native
from host_tools.k210.engine.clock import CYCLES_PER_INSTRUCTION
from host_tools.k210.machine import SHARED_SLICE
from tests.host_tools.k210.programs import results, run

BYTES, DIVIDER, BITS = 200, 2014, 8
# Hart 1 receives bytes one by one, as the SDK's spi_receive_data_standard does; hart 0 takes the time of it meanwhile.
RECEIVE = f"""
    li s0, RESULTS
    csrr a0, mhartid
    bne a0, zero, second
    csrr s2, mcycle
    li s1, CLINT
    li t0, 1
    sw t0, 4(s1)
wait:
    {{meanwhile}}
    ld t1, 16(s0)
    beq t1, zero, wait
    csrr s3, mcycle
    sub s3, s3, s2
    sd s3, 0(s0)
    j out
second:
    li s1, SPI1
    li t0, 0x70200
    sw t0, 0(s1)
    li t0, {DIVIDER}
    sw t0, 20(s1)
    li s2, {BYTES}
    li s3, -1
another:
    sw zero, 4(s1)
    li t0, 1
    sw t0, 8(s1)
    sw s3, 96(s1)
    sw t0, 16(s1)
arriving:
    lw t1, 36(s1)
    beq t1, zero, arriving
    lw t1, 96(s1)
    sw zero, 16(s1)
    sw zero, 8(s1)
    sd t1, 8(s0)
    addi s2, s2, -1
    bne s2, zero, another
    li t0, 1
    sd t0, 16(s0)
park:
    j park
out:
"""
# What hart 0 does meanwhile: it polls memory, a counter, or a device.
MEANWHILE = {"memory": "nop", "counter": "csrr t2, mcycle", "device": "lw t2, 0(s1)"}


def cycles_of_receiving(meanwhile: str) -> tuple[int, int]:
    """Cycles that the bytes take on the line, and that hart 0 has counted; all bytes are of a line that is high."""
    made = run(RECEIVE.format(meanwhile=meanwhile))
    cycles, byte = results(made, 2)
    assert byte == 0xFF
    sysctl = made.sysctl
    return BYTES * BITS * DIVIDER * sysctl.cpu_hertz // sysctl.spi_hertz(1), cycles


@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_bytes_for_the_second_hart_take_the_time_of_the_line(meanwhile: str) -> None:
    if native.library() is None:
        pytest.skip("there is no C compiler here")
    on_line, cycles = cycles_of_receiving(MEANWHILE[meanwhile])
    # Beside the line there are some ten instructions a byte, and what is left of the last slice.
    assert on_line <= cycles < on_line * 1.1


@pytest.mark.soak
def test_without_the_helper_a_byte_takes_a_slice_of_hart_0_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "library", lambda: None)
    on_line, cycles = cycles_of_receiving(MEANWHILE["memory"])
    slice_cycles = SHARED_SLICE * CYCLES_PER_INSTRUCTION
    assert on_line <= cycles < (on_line + BYTES * slice_cycles) * 1.1
