"""Boards, or a recording of them, as one stream of items: a thread for each source, a queue for who reads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from host_tools.closing import Closing
from host_tools.errors import HostToolError, LinkError

if TYPE_CHECKING:
    from host_tools.serial_link import Event, Frame, Hello, Statistics

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
    name. `statistics` and `baud`, the line's speed now, are None for a recording. `alive` is False after the last event
    that will ever come.
    """

    number: int
    label: str
    port: str
    hello: Hello | None = None
    statistics: Statistics | None = None
    alive: bool = True
    baud: int | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the model's picture as people stand in it; the default model's while not known."""
        if self.hello is None or not self.hello.width or not self.hello.height:
            return DEFAULT_SIZE
        return self.hello.picture

    def upright(self, frame: Frame) -> Frame:
        """A frame of this source in that picture: the board's own coordinates are those of its memory."""
        return frame.transposed() if self.hello is not None and self.hello.turned else frame


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


class Producer(Protocol):
    """What puts items into a feed's queue, in a thread of its own. `failure`: why it ended early."""

    failure: HostToolError | None

    def sources(self) -> list[Source]:
        """How its sources stand."""

    def start(self, queue: Queue) -> None:
        """Begin."""

    def ask(self, label: str, kind: str, fields: tuple[int | str | None, ...]) -> Future[int] | None:
        """Have a request carried out; None if the label is none of its sources'."""

    def close(self) -> None:
        """End the thread and wait for that."""


class Feed(Closing):
    """What producers put in, for one reader, until close(). Use it as a context manager; `sources.py` opens feeds."""

    def __init__(self, producers: Sequence[Producer]) -> None:
        """Starts the producers, and closes them at its end."""
        self._queue = Queue()
        self._producers = producers
        for producer in producers:
            producer.start(self._queue)

    @property
    def sources(self) -> list[Source]:
        """All sources, in the order of the ports."""
        return [source for producer in self._producers for source in producer.sources()]

    def source(self, label: str) -> Source | None:
        """The source that has this label now."""
        return next((source for source in self.sources if source.label == label), None)

    @property
    def lost(self) -> int:
        """Items that were thrown away because nobody read them in time."""
        return self._queue.lost

    @property
    def ended(self) -> bool:
        """Whether nothing will come any more: no source is alive, all items were read, and every failure was raised."""
        return self._silent() and self._queue.empty and not any(producer.failure for producer in self._producers)

    def next(self, seconds: float) -> Item | None:
        """The next item of any source; None if none comes within `seconds`, or at once when the feed has ended.

        RecordingError in place of the rest of a recording that is damaged.
        """
        item = self._queue.get(seconds, self._silent)
        if item is None:
            for producer in self._producers:
                failure, producer.failure = producer.failure, None
                if failure is not None:
                    raise failure
        return item

    def ask(self, label: str, kind: str, *fields: int | str | None) -> Future[int]:
        """Send a sentence of the host to a board, from any thread; the future gives the reply's value, or LinkError.

        The source's own thread carries it out, one after another; at most some seconds each (see Link.ask).
        """
        for producer in self._producers:
            future = producer.ask(label, kind, fields)
            if future is not None:
                return future
        failed: Future[int] = Future()
        known = ", ".join(source.label for source in self.sources)
        failed.set_exception(LinkError(f"{label}: there is no board of this name here; there are {known or 'none'}"))
        return failed

    def _silent(self) -> bool:
        return not any(source.alive for source in self.sources)

    def close(self) -> None:
        """End all threads and close all ports. Requests that have not begun are cancelled."""
        self._queue.close()
        for producer in self._producers:
            producer.close()
