"""Events that have come and that nobody has asked for yet; the oldest go where they become too many."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from host_tools.serial_link import limits
from host_tools.serial_link.events import Event

T = TypeVar("T")


class KeptEvents:
    """In the order of the line. Positions count from the first event ever kept, and stay what they are."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._gone = 0

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._events)

    @property
    def end(self) -> int:
        """The position behind the last one."""
        return self._gone + len(self._events)

    def add(self, events: Iterable[Event]) -> None:
        """More of them: whoever waits for one event does not keep all others for ever."""
        self._events += events
        if len(self._events) > limits.MOST_KEPT_EVENTS:
            dropped = len(self._events) - limits.MOST_KEPT_EVENTS // 2
            del self._events[:dropped]
            self._gone += dropped

    def take_all(self) -> list[Event]:
        """All, and none are left."""
        taken, self._events = self._events, []
        self._gone += len(taken)
        return taken

    def take_first(self, kind: type[T] | tuple[type, ...], begin: int = 0) -> T | None:
        """The first one of a kind from a position on, taken out; None where there is none."""
        for number in range(max(0, begin - self._gone), len(self._events)):
            if isinstance(self._events[number], kind):
                return self._events.pop(number)
        return None
