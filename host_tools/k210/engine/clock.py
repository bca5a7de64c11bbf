"""Emulated time: cycles of the CPU, made of instructions and of what passes without any, and what is due when.

No wall clock comes in anywhere: two runs of the same firmware with the same input do the same at the same cycle.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from host_tools.k210.engine import native

# Cycles an instruction takes on average: what the K210's caches and branches make of it was never measured by us.
CYCLES_PER_INSTRUCTION = Fraction(3, 2)
# The crystal, which clocks the chip until the firmware starts a PLL (sysctl.h: SYSCTRL_CLOCK_FREQ_IN0).
CRYSTAL_HERTZ = 26_000_000
NANOSECONDS = 1_000_000_000

# (cycle, number, action, arguments, whether it survives a reset)
_Event = tuple[int, int, Callable[..., None], tuple[Any, ...], bool]


class Clock:
    """Cycles since power-on, the frequency of the CPU, and the queue of events.

    Events are bound methods of devices, so that a machine can be saved with what it has yet to do.
    """

    def __init__(self, factor: Fraction | float) -> None:
        factor = Fraction(factor).limit_denominator(1000)
        self.shared = native.SharedClock(
            numerator=factor.numerator, denominator=factor.denominator, next_event=native.NEVER, may_skip=1
        )
        self.hertz = CRYSTAL_HERTZ
        self._changed, self._nanoseconds = 0, 0
        self._events: list[_Event] = []
        self._number = 0
        # Set by the machine: what ends the slice that is being run, and what lets a hart wait until a cycle.
        self.interrupt_slice: Callable[[], None] = _nothing
        self.on_wait: Callable[[int], None] = self.pass_to

    def __getstate__(self) -> dict[str, Any]:
        shared = {name: getattr(self.shared, name) for name, _ in native.SharedClock._fields_}
        return {**self.__dict__, "shared": shared, "interrupt_slice": None, "on_wait": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.shared = native.SharedClock(**state["shared"])

    @property
    def cycles(self) -> int:
        """Cycles of the CPU since power-on."""
        shared = self.shared
        return shared.first_count * shared.numerator // shared.denominator + shared.skipped

    @property
    def nanoseconds(self) -> int:
        """Emulated time since power-on."""
        return self._nanoseconds + (self.cycles - self._changed) * NANOSECONDS // self.hertz

    @property
    def seconds(self) -> float:
        """Emulated time since power-on."""
        return self.nanoseconds / NANOSECONDS

    def set_hertz(self, hertz: int) -> None:
        """The CPU goes on at another frequency."""
        if hertz != self.hertz:
            self._nanoseconds, self._changed = self.nanoseconds, self.cycles
            self.hertz = hertz

    def cycles_of(self, seconds: Fraction | float) -> int:
        """How many cycles a time is at the present frequency, at least 1."""
        return max(1, int(seconds * self.hertz))

    def after(self, cycles: int, action: Callable[..., None], *arguments: Any, keep: bool = False) -> None:
        """Call action(*arguments) so many cycles from now; `keep` says that a reset of the chip does not stop it."""
        self.at(self.cycles + max(1, cycles), action, *arguments, keep=keep)

    def at(self, cycle: int, action: Callable[..., None], *arguments: Any, keep: bool = False) -> None:
        """Call action(*arguments) at that cycle, or as soon as possible where it has passed."""
        self._number += 1
        heapq.heappush(self._events, (cycle, self._number, action, arguments, keep))
        if cycle < self.shared.next_event:
            self.shared.next_event = cycle
            self.interrupt_slice()

    def cancel(self, action: Callable[..., None]) -> None:
        """Forget what would have called this method."""
        self._keep(lambda event: event[2] != action)

    def forget(self) -> None:
        """What a reset of the chip does: only what happens outside of it goes on."""
        self._keep(lambda event: event[4])

    def _keep(self, wanted: Callable[[_Event], bool]) -> None:
        self._events = [event for event in self._events if wanted(event)]
        heapq.heapify(self._events)
        self._note_next()

    def run_due(self) -> None:
        """Do what is due by now, in its order."""
        while self._events and self._events[0][0] <= self.cycles:
            event = heapq.heappop(self._events)
            self._note_next()
            event[2](*event[3])

    def _note_next(self) -> None:
        self.shared.next_event = self._events[0][0] if self._events else native.NEVER

    def until_next(self, most: int) -> int:
        """Cycles until the next event, from 1 to `most`."""
        return max(1, min(most, self.shared.next_event - self.cycles))

    def skip(self, cycles: int) -> None:
        """Let time pass without instructions."""
        self.shared.skipped += cycles

    def wait(self, cycle: int) -> None:
        """The guest polls for something that comes at that cycle: it may as well sleep until then, or until whatever
        happens before."""
        cycle = min(cycle, self.shared.next_event)
        if self.cycles < cycle < native.NEVER:
            self.on_wait(cycle)

    def pass_to(self, cycle: int) -> None:
        """Let time pass without instructions, up to a cycle."""
        self.shared.skipped += max(0, cycle - self.cycles)
        if self.cycles >= self.shared.next_event:
            self.interrupt_slice()


def _nothing() -> None:
    pass
