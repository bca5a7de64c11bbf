"""The board's clock: jumps that go to the next thing, stop at the host's silence, and depend on nothing else."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.virtual_board.clock import Clock, JumpingClock, RealClock
from tests.patience import HANG_SECONDS

SECOND = 1_000_000


def never() -> bool:
    return False


def beside(clock: Clock, moment: int, act: object) -> threading.Thread:
    """A thread beside the processor's, which has asked for `act` at a moment."""
    thread = threading.Thread(target=clock.at, args=((moment, act),), daemon=True)
    thread.start()
    while isinstance(clock, JumpingClock) and not clock.awaited:
        pass
    return thread


def test_a_wait_jumps_to_its_end() -> None:
    clock = JumpingClock()
    with clock.host_waits():
        clock.wait(3600 * SECOND, never)
    assert clock.now() == 3600 * SECOND
    clock.wait(5, never)
    assert clock.now() == 3600 * SECOND


@given(st.lists(st.integers(0, JumpingClock.SILENCE_US // 20), max_size=20))
def test_what_is_spent_adds_up(times: list[int]) -> None:
    clock = JumpingClock()
    for microseconds in times:
        clock.spend(microseconds, never)
    assert clock.now() == sum(times)


def test_a_wait_ends_when_something_has_happened() -> None:
    clock = JumpingClock()
    clock.wait(SECOND, lambda: True)
    assert clock.now() == 0


class TestSilence:
    def stands_still(self, clock: JumpingClock, until: int) -> tuple[threading.Thread, threading.Event]:
        """A processor that waits until a moment that the host's silence keeps it from."""
        over = threading.Event()
        processor = threading.Thread(target=clock.wait, args=(until, over.is_set), daemon=True)
        processor.start()
        while clock.now() < JumpingClock.SILENCE_US:
            pass
        processor.join(0.05)
        assert processor.is_alive()
        assert clock.now() == JumpingClock.SILENCE_US
        return processor, over

    def test_it_stops_the_clock_until_the_host_speaks(self) -> None:
        clock = JumpingClock()
        processor, _ = self.stands_still(clock, 3 * SECOND // 2)
        clock.hear()
        processor.join(HANG_SECONDS)
        assert clock.now() == 3 * SECOND // 2

    def test_two_that_wait_for_each_other_go_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(JumpingClock, "STILL_SECONDS", 0.01)
        clock = JumpingClock()
        clock.wait(5 * SECOND, never)
        assert clock.now() == 5 * SECOND

    def test_it_ends_where_something_happens(self) -> None:
        clock = JumpingClock()
        processor, over = self.stands_still(clock, 5 * SECOND)
        over.set()
        clock.wake()
        processor.join(HANG_SECONDS)
        assert clock.now() == JumpingClock.SILENCE_US

    def test_it_counts_while_the_host_waits_or_is_gone_and_no_longer(self) -> None:
        for state in ("host_waits", "host_gone"):
            clock = JumpingClock()
            processor, over = self.stands_still(clock, 5 * SECOND)
            with getattr(clock, state)():
                processor.join(HANG_SECONDS)
                assert clock.now() == 5 * SECOND
                assert clock.gives_up(0) == (state == "host_gone")
            assert not clock.gives_up(0)
            clock.wait(6 * SECOND, lambda: True)
            processor = threading.Thread(target=clock.wait, args=(6 * SECOND, over.is_set), daemon=True)
            processor.start()
            processor.join(0.05)
            assert processor.is_alive()
            assert clock.now() == 5 * SECOND
            over.set()
            clock.wake()
            processor.join(HANG_SECONDS)
            assert not processor.is_alive()

    def test_a_statement_can_end_early(self) -> None:
        clock = JumpingClock()
        with clock.host_waits() as statement:
            clock.wait(2 * SECOND, never)
            statement.end()
            statement.end()
            processor = threading.Thread(target=clock.wait, args=(3 * SECOND, never), daemon=True)
            processor.start()
            processor.join(0.05)
            assert processor.is_alive()
            clock.hear()
            processor.join(HANG_SECONDS)

    def test_so_much_time_can_be_let_pass_and_no_more(self) -> None:
        clock = JumpingClock()
        processor, over = self.stands_still(clock, 9 * SECOND)
        assert clock.pass_time(3 * SECOND, HANG_SECONDS)
        processor.join(0.05)
        assert clock.now() == 4 * SECOND
        over.set()
        clock.wake()
        processor.join(HANG_SECONDS)

    def test_time_passes_for_a_processor_that_waits_for_ever(self) -> None:
        clock = JumpingClock()
        over = threading.Event()
        processor = threading.Thread(target=clock.wait, args=(None, over.is_set), daemon=True)
        processor.start()
        assert clock.pass_time(3 * SECOND, HANG_SECONDS)
        assert clock.now() == 3 * SECOND
        over.set()
        clock.wake()
        processor.join(HANG_SECONDS)

    def test_a_board_that_never_waits_does_not_pass_time(self) -> None:
        assert not JumpingClock().pass_time(SECOND, 0.01)


class TestBesideTheProcessor:
    def test_things_happen_in_their_order_on_the_way(self) -> None:
        clock, seen = JumpingClock(), []
        threads = [beside(clock, moment, lambda: seen.append(clock.now())) for moment in (300, 100, 200, 100)]
        while clock.awaited < len(threads):
            pass
        clock.wait(250, never)
        assert seen == [100, 100, 200]
        clock.wait(1000, never)
        assert seen == [100, 100, 200, 300]
        for thread in threads:
            thread.join(HANG_SECONDS)
            assert not thread.is_alive()

    def test_what_happens_can_end_the_wait_at_its_moment(self) -> None:
        clock, happened = JumpingClock(), threading.Event()
        beside(clock, 70, happened.set)
        clock.wait(1000, happened.is_set)
        assert clock.now() == 70

    def test_nothing_happens_while_the_processor_computes_but_what_comes_from_outside(self) -> None:
        clock, happened = JumpingClock(), threading.Event()
        thread = beside(clock, 70, happened.set)
        thread.join(0.05)
        assert not happened.is_set()
        clock.compute(0.0, None)
        assert happened.is_set()
        assert clock.now() == 70
        clock.compute(0.0, 500)
        assert clock.now() == 70

    def test_a_program_that_computes_for_ever_comes_to_what_ends_it(self) -> None:
        clock = JumpingClock()
        clock.compute(JumpingClock.ENDLESS_SECONDS + 0.1, 500)
        assert clock.now() == 500
        clock.compute(JumpingClock.ENDLESS_SECONDS + 0.1, None)
        assert clock.now() == 500

    def test_a_board_that_is_switched_off_keeps_nobody(self) -> None:
        happened = threading.Event()
        for clock in (JumpingClock(), RealClock()):
            thread = beside(clock, 10**12, happened.set)
            clock.stop()
            thread.join(HANG_SECONDS)
            assert not thread.is_alive()
            clock.wait(None, never)
            clock.at((0, happened.set))
        assert not happened.is_set()


class TestRealPace:
    def test_a_wait_takes_its_time(self) -> None:
        clock = RealClock()
        begin = clock.now()
        clock.wait(begin + 20_000, never)
        assert clock.now() >= begin + 20_000
        clock.wait(None, lambda: True)
        clock.compute(9.0, 9)

    def test_something_from_outside_ends_it(self) -> None:
        clock, over = RealClock(), threading.Event()
        processor = threading.Thread(target=clock.wait, args=(3600 * SECOND, over.is_set), daemon=True)
        processor.start()
        over.set()
        clock.hear()
        processor.join(HANG_SECONDS)
        assert not processor.is_alive()

    def test_what_happens_beside_happens_then(self) -> None:
        clock, moments = RealClock(), []
        clock.at((20_000, lambda: moments.append(clock.now())))
        assert moments[0] >= 20_000

    def test_the_host_is_seen_not_told_of(self) -> None:
        clock = RealClock()
        with clock.host_waits(), clock.host_gone():
            assert clock.gives_up(0)
            assert not clock.gives_up(10**12)
