"""What goes from boards to their readers: items, how their sources stand, and the queue between the threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host_tools.serial_link.events import Event, Hello
    from host_tools.serial_link.statistics import Statistics

# What waits for a reader that is late: at 20 frames a second more than three minutes of one board; some 31 MB where
# each frame has three people (7.8 kB, tracemalloc).
MOST_WAITING = 4000
# The model's default, for a board that has not said its own.
DEFAULT_SIZE = (320, 240)


@dataclass(frozen=True)
class Note:
    """What the host has to say of a source: why a board is silent, what speed its line has. One line."""

    text: str


@dataclass(frozen=True)
class Item:
    """One event: of which source (its label then), what, and when it came (seconds, time.monotonic).

    Of a recording that is played at full speed, when it would have come at its own.
    """

    source: str
    event: Event | Note
    at: float


@dataclass(frozen=True)
class Source:
    """How a source stands now. `port` is its serial port, or the recording's file.

    `number` stays the same while the feed is open. `label` names the source in JSON, topics and titles: the board's
    name; where there are several sources followed by `@` and the port; the port alone until the board has said its
    name. `statistics` is None for a recording. `alive` is False after the last event that will ever come.
    """

    number: int
    label: str
    port: str
    hello: Hello | None = None
    statistics: Statistics | None = None
    alive: bool = True

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the model's picture; the default model's while they are not known."""
        if self.hello is None or not self.hello.width or not self.hello.height:
            return DEFAULT_SIZE
        return self.hello.width, self.hello.height


class Queue:
    """Between the sources' threads and the reader. A full one loses its oldest items, or has its writer wait."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self.lost = 0
        self._items: deque[Item] = deque()
        self._most = most
        self._changed = threading.Condition()
        self._closed = False

    def put(self, item: Item) -> None:
        """Add an item; the oldest is lost, and counted, where the reader is too far behind."""
        with self._changed:
            if len(self._items) >= self._most:
                self._items.popleft()
                self.lost += 1
            self._items.append(item)
            self._changed.notify_all()

    def put_patiently(self, item: Item) -> None:
        """Add an item when there is room for it; nothing is added after close()."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._items) < self._most)
            if not self._closed:
                self._items.append(item)
                self._changed.notify_all()

    def get(self, seconds: float, over: Callable[[], bool]) -> Item | None:
        """The oldest item; None if none comes within `seconds`, or before `over` says that there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed or over(), seconds)
            if not self._items:
                return None
            self._changed.notify_all()
            return self._items.popleft()

    def wake(self) -> None:
        """Let a reader that waits look again: there may be nothing to wait for any more."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Let everybody go who waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._items
