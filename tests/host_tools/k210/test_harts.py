"""Harts, time and interrupts, driven by programs of a few lines."""

from __future__ import annotations

from fractions import Fraction

import pytest

from host_tools.k210 import Machine
from host_tools.k210.engine import native, slow
from tests.host_tools.k210.programs import results, run

COUNTERS = """
    li s0, RESULTS
    csrr a0, mhartid
    sd a0, 0(s0)
    csrr a0, mcycle
    csrr a1, minstret
    nop
    nop
    csrr a2, mcycle
    csrr a3, minstret
    sd a0, 8(s0)
    sd a1, 16(s0)
    sd a2, 24(s0)
    sd a3, 32(s0)
"""
# Waits for 100,000 cycles as firmware does, then counts what it has done since.
DELAY = """
    li sp, 0x80200000
    li s0, RESULTS
    li s1, 100000
    csrr a0, mcycle
again:
    csrr a1, mcycle
    sub a2, a1, a0
    bltu a2, s1, again
    sd a2, 0(s0)
    csrr a3, mcycle
    sub a3, a3, a0
    sd a3, 8(s0)
    csrr a4, minstret
    sd a4, 16(s0)
"""
SOFTWARE_INTERRUPT = """
    la t0, handler
    csrw mtvec, t0
    li t0, 8
    csrs mie, t0
    csrs mstatus, t0
    li s0, RESULTS
    li s1, CLINT
    li t1, 1
    sw t1, 0(s1)
wait:
    ld t2, 0(s0)
    beq t2, zero, wait
    j out
handler:
    sw zero, 0(s1)
    csrr t3, mcause
    sd t3, 0(s0)
    csrr t3, mip
    sd t3, 8(s0)
    mret
out:
"""
TIMER_INTERRUPT = """
    la t0, handler
    csrw mtvec, t0
    li s0, RESULTS
    li s1, CLINT
    li s2, 0x4000
    add s2, s1, s2
    li t0, 1000
    sd t0, 0(s2)
    li t0, 0x80
    csrs mie, t0
    li t0, 8
    csrs mstatus, t0
    wfi
    nop
wait:
    ld t2, 0(s0)
    beq t2, zero, wait
    j out
handler:
    li t4, -1
    sd t4, 0(s2)
    csrr t3, mcause
    sd t3, 0(s0)
    csrr t3, mcycle
    sd t3, 8(s0)
    csrr t3, minstret
    sd t3, 16(s0)
    mret
out:
"""
# Each hart adds its number and one to a place of its own; hart 0 lets hart 1 go by its software interrupt.
TWO_HARTS = """
    li s0, RESULTS
    csrr a0, mhartid
    bne a0, zero, second
    li s1, CLINT
    li t0, 1
    sw t0, 4(s1)
wait:
    ld t1, 8(s0)
    beq t1, zero, wait
    sd t0, 0(s0)
    j out
second:
    li t0, 2
    sd t0, 8(s0)
park:
    j park
out:
"""
POINTER = """
    li s0, RESULTS
    ld a0, 64(zero)
    sd a0, 0(s0)
"""


@pytest.mark.parametrize("factor", [Fraction(1), Fraction(3, 2), Fraction(8, 5)])
def test_cycles_are_instructions_times_the_factor(factor: Fraction) -> None:
    hart, cycle, instret, later_cycle, later_instret = results(run(COUNTERS, cycles_per_instruction=factor), 5)
    assert hart == 0
    assert later_instret >= instret
    assert abs((later_cycle - cycle) - (later_instret - instret) * factor) <= 1


def test_a_delay_loop_ends_at_the_turn_at_which_it_would_have_ended() -> None:
    """A turn is three instructions of two cycles. A read counts the whole block of code that it stands in."""
    waited, behind = results(run(DELAY, cycles_per_instruction=Fraction(2)), 2)
    assert 100000 <= waited <= 100000 + 6
    assert waited < behind <= waited + 2 * 20


def test_delay_loops_and_counts_are_the_same_without_the_c_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    if native.library() is None:
        pytest.skip("there is no C compiler here: nothing to compare")
    fast = run(DELAY)
    monkeypatch.setattr(native, "library", lambda: None)
    slowly = run(DELAY)
    assert isinstance(slowly.harts[0].counter, slow.SlowCounter)
    assert not isinstance(fast.harts[0].counter, slow.SlowCounter)
    assert results(fast, 2) == results(slowly, 2)
    assert results(fast, 3)[2] < results(slowly, 3)[2] / 100


def test_software_interrupt() -> None:
    cause, pending = results(run(SOFTWARE_INTERRUPT), 2)
    assert cause == 1 << 63 | 3
    assert pending == 0


def test_a_waiting_hart_is_woken_by_its_timer() -> None:
    cause, cycle, instructions = results(run(TIMER_INTERRUPT), 3)
    assert cause == 1 << 63 | 7
    assert 1000 * 50 <= cycle < 1000 * 50 + 200
    assert instructions < 100


def test_the_second_hart_runs_when_it_is_let_go() -> None:
    assert results(run(TWO_HARTS), 2) == [1, 2]


def test_a_null_pointer_is_noted_and_reads_zero() -> None:
    made = run(POINTER)
    assert results(made, 1) == [0]
    assert any("null pointer" in note.text for note in made.notes)


def test_marks_count_instructions_up_to_an_address() -> None:
    if native.library() is None:
        pytest.skip("marks need the C helper")
    made = Machine(run(COUNTERS).firmware)
    made.statistics.mark([0x8000_0018])
    made.power_on()
    made.run(lambda: bool(made.statistics.marks), seconds=1, real_seconds=30)
    assert [(mark.address, mark.instructions) for mark in made.statistics.marks] == [(0x8000_0018, 1)]


def test_a_profile_names_where_instructions_went() -> None:
    if native.library() is None:
        pytest.skip("profiles need the C helper")
    made = run("nop")
    made.statistics.profile()
    made.run_for(0.001)
    (address, count), *_ = made.statistics.hottest()
    assert count > 1000
    assert made.statistics.by_function({"before": 0x8000_0000, "loop": address})["loop"] == count
