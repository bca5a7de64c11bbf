"""Counting the turns of idle loops without running them changes nothing: not what a program sees, and not when."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.host_tools.k210.programs import run, with_and_without_the_helper

# Waits for a word that the timer's interrupt writes after some rounds; cycle and instruction of each round are left.
WAIT = """
    la t0, handler
    csrw mtvec, t0
    li sp, 0x80200000
    li s0, RESULTS
    li s4, CLINT
    li t1, 0x4000
    add s4, s4, t1
    li s5, {ticks}
    li s6, {ticks}
    li s7, 16
    sd s5, 0(s4)
    li t0, 0x80
    csrs mie, t0
    li t0, 8
    csrs mstatus, t0
again:
    ld t2, 0(s0)
    {work}
    beq t2, zero, again
    sd s2, 8(s0)
    sd s3, 120(s0)
    j out
handler:
    csrr t3, mcycle
    csrr t4, minstret
    add t5, s0, s7
    sd t3, 0(t5)
    sd t4, 8(t5)
    addi s7, s7, 16
    add s5, s5, s6
    sd s5, 0(s4)
    addi t6, s7, -80
    bltu t6, s7, last
    mret
last:
    li t3, 1
    sd t3, 0(s0)
    li t3, -1
    sd t3, 0(s4)
    mret
out:
"""
IDLE = (
    "nop", "sd t2, -8(sp)", "csrr t3, mhartid", "li t3, 8\n csrc mstatus, t3\n csrs mstatus, t3", "jal ra, next\nnext:",
)  # fmt: skip
# Loops that only look idle: each turn does something.
BUSY = (
    "addi s2, s2, 1",
    "ld s2, -16(sp)\n addi s2, s2, 1\n sd s2, -16(sp)\n mv s3, s2\n mv s2, zero",
    "ld t3, 160(s0)\n addi t3, t3, 1\n sd t3, 160(s0)\n mv t3, zero",
)
WORDS = 24


def wait_for_interrupts(work: str, ticks: int) -> None:
    fast, slowly = with_and_without_the_helper(WAIT.format(ticks=ticks, work=work), WORDS)
    assert fast == slowly
    assert 0 < fast[2] - ticks * 50 < 100


@pytest.mark.parametrize("work", IDLE)
@settings(max_examples=3)
@given(ticks=st.integers(50, 900))
def test_interrupts_come_at_the_same_cycles_and_instructions(work: str, ticks: int) -> None:
    wait_for_interrupts(work, ticks)


@pytest.mark.soak
@pytest.mark.parametrize("work", IDLE)
@settings(max_examples=40)
@given(ticks=st.integers(50, 900))
def test_all_interrupts_come_at_the_same_cycles_and_instructions(work: str, ticks: int) -> None:
    wait_for_interrupts(work, ticks)


@pytest.mark.parametrize("work", BUSY)
def test_loops_that_do_something_are_run(work: str) -> None:
    fast, slowly = with_and_without_the_helper(WAIT.format(ticks=400, work=work), WORDS)
    assert fast == slowly


def test_turns_that_are_not_run_are_in_the_profile() -> None:
    """An endless loop of one instruction is what takes the time, exactly so often."""
    made = run("nop")
    made.statistics.profile()
    before = made.statistics.instructions
    made.run_for(0.01)
    (_, count), *_ = made.statistics.hottest()
    assert count == made.statistics.instructions - before > 100_000
