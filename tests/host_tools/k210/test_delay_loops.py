"""Jumping over the turns of delay loops changes nothing: what a program sees is what it sees without."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.host_tools.k210.programs import with_and_without_the_helper

# Waits so many cycles, with some work in each turn, and leaves each reading behind the loop.
LOOP = """
    li sp, 0x80200000
    li s0, RESULTS
    li s1, {cycles}
    li s3, {second}
    csrr a0, mcycle
again:
    {work}
    csrr a1, mcycle
    sub a2, a1, a0
    bltu a2, s1, again
    sd a2, 0(s0)
    sd s2, 8(s0)
    csrr a0, mcycle
more:
    csrr a1, mcycle
    sub a2, a1, a0
    bltu a2, s3, more
    sd a2, 16(s0)
"""
PURE = ("nop", "sd a1, -8(sp)", "ld t0, 0(s0)", "addi t0, t0, 1\n xor t1, t0, a1")
# Loops that do something beside waiting: each turn counts.
COUNTING = ("addi s2, s2, 1\n sd s2, 24(s0)", "ld t0, 24(s0)\n addi t0, t0, 1\n sd t0, 24(s0)\n mv s2, t0")


CYCLES = {"cycles": st.integers(1, 20_000), "second": st.integers(1, 3_000)}


def wait(work: str, cycles: int, second: int) -> None:
    fast, slowly = with_and_without_the_helper(LOOP.format(cycles=cycles, second=second, work=work), 3)
    assert fast == slowly


@pytest.mark.parametrize("work", PURE)
@settings(max_examples=3)
@given(**CYCLES)
def test_a_loop_ends_where_it_would_have(work: str, cycles: int, second: int) -> None:
    wait(work, cycles, second)


@pytest.mark.soak
@pytest.mark.parametrize("work", PURE)
@settings(max_examples=40)
@given(**CYCLES)
def test_every_loop_ends_where_it_would_have(work: str, cycles: int, second: int) -> None:
    wait(work, cycles, second)


@pytest.mark.parametrize("work", COUNTING)
def test_a_loop_that_counts_is_not_jumped_over(work: str) -> None:
    fast, slowly = with_and_without_the_helper(LOOP.format(cycles=40_000, second=100, work=work), 4)
    assert fast == slowly
    assert fast[1] > 1000


def test_an_interrupt_comes_at_its_cycle() -> None:
    """A timer fires in the middle of a long wait: the handler sees the same time with and without jumps."""
    source = """
    la t0, handler
    csrw mtvec, t0
    li s0, RESULTS
    li s4, CLINT
    li t1, 0x4000
    add s4, s4, t1
    li t0, 700
    sd t0, 0(s4)
    li t0, 0x80
    csrs mie, t0
    li t0, 8
    csrs mstatus, t0
    li s1, 90000
    csrr a0, mcycle
again:
    csrr a1, mcycle
    sub a2, a1, a0
    bltu a2, s1, again
    sd a2, 0(s0)
    j out
handler:
    li t4, -1
    sd t4, 0(s4)
    csrr t3, mcycle
    sd t3, 8(s0)
    mret
out:
"""
    fast, slowly = with_and_without_the_helper(source, 2)
    assert fast == slowly
    assert 700 * 50 <= fast[1] < 700 * 50 + 100
