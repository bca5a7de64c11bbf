"""The board's clock: at real pace for people, or in jumps from one thing that happens to the next, for tests.

All that takes time on a board takes it from here: sleeps, camera frames, the KPU, the LCD, flash, the serial line. A
board has one clock, and one thread that is its processor: that thread alone calls wait(), spend() and compute().
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType

Over = Callable[[], bool]
# A moment, and what happens then.
Happening = tuple[int, Callable[[], None]]
MICROSECONDS = 1_000_000
# At real pace a client that is there may leave its bytes unread for so long before they are lost.
_PATIENCE_SECONDS = 2.0


class Clock(ABC):
    """Board time: microseconds since the clock was made; it only goes forward.

    `call_us` is what a program's call into a module takes where nothing else says so.
    """

    call_us = 0

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._stopped = False

    def stop(self) -> None:
        """The board is switched off: from now on nobody waits, and nothing happens."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    @abstractmethod
    def now(self) -> int:
        """The board's time; from any thread."""

    @abstractmethod
    def wait(self, until: int | None, over: Over) -> None:
        """The processor waits until a moment (None: for ever), or until `over()`, which is asked after each wake()."""

    def spend(self, microseconds: int, over: Over) -> None:
        """The processor is busy for so long, or until `over()`."""
        self.wait(self.now() + microseconds, over)

    def compute(self, busy_seconds: float, due: int | None) -> None:  # noqa: B027 - at real pace time passes by itself
        """The processor computes and asks for nothing, for so long already: what comes from outside comes meanwhile.

        `busy_seconds` are seconds of this machine's processor; `due` is the moment at which something ends it anyway.
        """

    @abstractmethod
    def at(self, *happenings: Happening) -> None:
        """From a thread beside the processor's: the host does something. Have what comes of it happen, in this order,
        each at its moment; return then."""

    def wake(self) -> None:
        """Something has happened that an `over()` looks at; from any thread, which holds no lock that `over` takes."""
        with self._changed:
            self._changed.notify_all()

    def hear(self) -> None:
        """The host has done something that the board notices: its silence begins anew."""
        self.wake()

    def host_waits(self) -> Statement:
        """Within it the host is there and waits for the board, however long that takes."""
        return Statement()

    def host_gone(self) -> Statement:
        """Within it nobody is there: nothing is read any more, and nothing is sent."""
        return Statement()

    @abstractmethod
    def pass_time(self, microseconds: int, limit: float) -> bool:
        """From a thread beside the processor's: return after so much time; False after `limit` real seconds."""

    def gives_up(self, unread_since: float) -> bool:
        """Whether a client that has read nothing since then (time.monotonic) loses what it has not read."""
        return time.monotonic() - unread_since > _PATIENCE_SECONDS


class Statement:
    """What is said of the host, until the end of its `with`, or until end(); a clock at real pace does not listen."""

    def __enter__(self) -> Statement:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Not any more; from any thread, as often as one likes."""


class RealClock(Clock):
    """Real pace: a second is a second."""

    def __init__(self) -> None:
        super().__init__()
        self._begin = time.monotonic()

    def now(self) -> int:
        return int((time.monotonic() - self._begin) * MICROSECONDS)

    def wait(self, until: int | None, over: Over) -> None:
        with self._changed:
            while not over() and not self._stopped:
                left = None if until is None else (until - self.now()) / MICROSECONDS
                if left is not None and left <= 0:
                    return
                self._changed.wait(left)

    def at(self, *happenings: Happening) -> None:
        for moment, act in happenings:
            self.wait(moment, lambda: False)
            if not self._stopped:
                act()

    def pass_time(self, microseconds: int, limit: float) -> bool:
        time.sleep(min(microseconds / MICROSECONDS, limit))
        return microseconds / MICROSECONDS <= limit


class _Heeded(Statement):
    """One that counts: it is in a list while it holds."""

    def __init__(self, changed: threading.Condition, held: list[Statement], ended: Callable[[], None]) -> None:
        self._changed, self._held, self._ended = changed, held, ended

    def __enter__(self) -> Statement:
        with self._changed:
            self._held.append(self)
            self._changed.notify_all()
        return self

    def end(self) -> None:
        with self._changed:
            if self in self._held:
                self._held.remove(self)
                self._ended()


class JumpingClock(Clock):
    """Board time passes at once when the processor waits, and not at all while it computes.

    Programs take a host for gone that is silent for some seconds of theirs: the raised speed that falls back, the
    upload that is given up. A busy machine must not look like that. So the clock stands still `silence_us` after the
    last byte of the host, until the next one, unless the test says that the host waits or is gone; and it stands still
    at once when the host does not wait any more. A host that is silent for `STILL_SECONDS` of this machine waits too,
    though nobody has said so: then it goes on by one such second at a time, so that both never wait for each other.
    """

    # Shorter than the shortest silence that means something to the firmware (3 s, pose_link.FALLBACK_MS).
    SILENCE_US = 1_000_000
    # Longer than a command needs to start on a busy machine; the silences that mean something take three times as long.
    STILL_SECONDS = 20.0
    # A program that computes for so long, on this machine, will not stop by itself.
    ENDLESS_SECONDS = 1.0
    # So that a program that waits in a loop of its own, without sleeping, comes to its end.
    call_us = 20

    def __init__(self, silence_us: int = SILENCE_US) -> None:
        super().__init__()
        self._now = 0
        self._silence_us = silence_us
        # As far as it may go.
        self._limit = silence_us
        self._sent = 0
        self._waits: list[Statement] = []
        self._gone: list[Statement] = []
        self._due: list[_Event] = []
        self._numbers = itertools.count()

    def now(self) -> int:
        with self._changed:
            return self._now

    def wait(self, until: int | None, over: Over) -> None:
        with self._changed:
            while not over() and not self._stopped and (until is None or self._now < until):
                if not self._go_on(until):
                    self._stand_until_heard(until)

    def spend(self, microseconds: int, over: Over) -> None:
        with self._changed:
            until = self._now + microseconds
            free = until <= self._limit or self._waits or self._gone
            due = self._due and self._due[0].moment <= until
            # Each call of a program into a module spends something, and nearly always nothing else happens.
            if free and not due and not self._stopped and not over():
                self._now = until
                self._changed.notify_all()
                return
        self.wait(until, over)

    def _go_on(self, until: int | None) -> bool:
        """Go to the next thing that happens, at most to `until`; False if nothing does before the host speaks."""
        free = self._waits or self._gone
        limit = math.inf if free else self._limit
        if until is not None:
            limit = min(limit, until)
        if self._due and self._due[0].moment <= limit:
            self._happen()
            return True
        # A processor that waits for ever goes only where pass_time() sends it.
        reached = self._sent if until is None else limit
        if reached <= self._now:
            return False
        self._now = reached
        self._changed.notify_all()
        return True

    def _stand_until_heard(self, until: int | None) -> None:
        if until is None:
            self._changed.wait()
        elif not self._changed.wait(self.STILL_SECONDS):
            self._limit = self._now + self._silence_us

    def _happen(self) -> None:
        event = heapq.heappop(self._due)
        self._now = max(self._now, event.moment)
        event.act()
        event.done = True
        self._changed.notify_all()

    def compute(self, busy_seconds: float, due: int | None) -> None:
        with self._changed:
            if self._due:
                self._happen()
            elif due is not None and busy_seconds > self.ENDLESS_SECONDS:
                self._now = max(self._now, due)

    def at(self, *happenings: Happening) -> None:
        events = [_Event(moment, next(self._numbers), act) for moment, act in happenings]
        with self._changed:
            for event in events:
                heapq.heappush(self._due, event)
            self._heard(max(moment for moment, _ in happenings))
            self._changed.wait_for(lambda: self._stopped or all(event.done for event in events))

    @property
    def awaited(self) -> int:
        """How many things are to happen beside the processor."""
        return len(self._due)

    def hear(self) -> None:
        with self._changed:
            self._heard(self._now)

    def _heard(self, moment: int) -> None:
        self._limit = max(self._limit, moment + self._silence_us)
        self._changed.notify_all()

    def host_waits(self) -> Statement:
        return _Heeded(self._changed, self._waits, self._stand_still)

    def host_gone(self) -> Statement:
        return _Heeded(self._changed, self._gone, self._stand_still)

    def _stand_still(self) -> None:
        self._limit = self._now

    def gives_up(self, unread_since: float) -> bool:
        return bool(self._gone)

    def pass_time(self, microseconds: int, limit: float) -> bool:
        with self._changed:
            self._limit = self._sent = self._now + microseconds
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._now >= self._sent, limit)


class _Event:
    """Something that happens at a moment."""

    def __init__(self, moment: int, number: int, act: Callable[[], None]) -> None:
        self.moment, self._number, self.act = moment, number, act
        self.done = False

    def __lt__(self, other: _Event) -> bool:
        return (self.moment, self._number) < (other.moment, other._number)
