"""A feed of boards that only exist in a test: it says what it is told to, and remembers what it was asked."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from host_tools.errors import LinkError
from host_tools.monitor.feed import Item, Source
from host_tools.serial_link import events
from host_tools.serial_link.refusal import Refused
from host_tools.serial_link.statistics import Statistics

# Of two boards.
LABELS = ("maix_bit@ttyUSB0", "maixduino@ttyUSB1")
SETTINGS = events.Settings(0, 5, 16384, 20, 0, 0, 10000, 0, 50)


def hello(board: str = "maix_bit", boot: int = 7, width: int = 320, height: int = 240) -> events.Hello:
    """The Hello of a board of that name."""
    names = ("0.1.0", boot, "MaixPy", "v0.6.3", board)
    return events.Hello(1, *names, 0, width, height, 320, 240, 1375888, "ab" * 32, 720, 115200)


def stats(state: int = 1) -> events.Stats:
    """Counts of a board in that state."""
    return events.Stats(61000, state, 100, 90, 10, 70000, 12, 0, 0, 300000, 200000, 2000000, 115200)


def refusing(kind: str, status: int, text: str) -> Callable[[str, str, tuple], int]:
    """An `answer` that refuses requests of one kind, in the board's words."""

    def answer(label: str, asked: str, fields: tuple) -> int:
        if asked == kind:
            raise Refused("/dev/fake0", asked, events.Reply(1, status, 0, text))
        return 0

    return answer


@dataclass
class FakeFeed:
    """Boards by their labels; `asked` are (label, kind, fields), `answer` gives a request's value or raises."""

    labels: tuple[str, ...] = ("maix_bit",)
    answer: Callable[[str, str, tuple], int | None] = lambda label, kind, fields: 0
    asked: list[tuple[str, str, tuple]] = field(default_factory=list)
    ended: bool = False
    lost: int = 0

    def __post_init__(self) -> None:
        self._items: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self.sources = [
            Source(number, label, f"/dev/fake{number}", hello(label.split("@")[0]), Statistics())
            for number, label in enumerate(self.labels)
        ]
        self.boards = dict.fromkeys(self.labels, SETTINGS)

    def change(self, number: int, **values: object) -> None:
        """Change how a source stands."""
        self.sources[number] = replace(self.sources[number], **values)

    def say(self, *said: events.Event, label: str | None = None, ago: float = 0.0) -> None:
        """Have a board (the first one) say something, so many seconds ago."""
        number = self.labels.index(label or self.labels[0])
        for event in said:
            if isinstance(event, events.Restarted):
                self.change(number, hello=event.hello)
            self._items.put(Item(label or self.labels[0], event, time.monotonic() - ago))

    def source(self, label: str) -> Source | None:
        """As Feed.source."""
        return next((source for source in self.sources if source.label == label), None)

    def next(self, seconds: float) -> Item | None:
        """As Feed.next."""
        try:
            return self._items.get(timeout=seconds) if seconds else self._items.get_nowait()
        except queue.Empty:
            return None

    def ask(self, label: str, kind: str, *fields: int | None) -> Future[int]:
        """As Feed.ask: `answer` decides; a value of None leaves the request without an answer."""
        self.asked.append((label, kind, fields))
        future: Future[int] = Future()
        try:
            value = self.answer(label, kind, fields)
        except LinkError as error:
            future.set_exception(error)
            return future
        if value is not None:
            self._follow(label, kind, fields)
            future.set_result(value)
        return future

    def _follow(self, label: str, kind: str, fields: tuple) -> None:
        """What a board sends of its own accord after a request."""
        if kind in ("SETTINGS", "POSES", "MODE"):
            poses = ("max_poses", "root_score", "nms_radius", "pose_score", "vote")
            names = {"POSES": poses, "MODE": ("mode",)}.get(kind, ())
            given = {name: value for name, value in zip(names, fields, strict=False) if value is not None}
            self.boards[label] = replace(self.boards[label], **given)
            self.say(self.boards[label], label=label)

    def asked_for(self, kind: str) -> list[tuple]:
        """The fields of all requests of a kind."""
        return [fields for _, asked, fields in self.asked if asked == kind]
