"""One serial port of a feed: the thread that owns its Link, names its source, and carries out requests."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

from host_tools import time_limits
from host_tools.errors import HostToolError, LinkError
from host_tools.monitor.feed import Item, Note, Queue, Source
from host_tools.serial_link import (
    FASTEST,
    OLDER_PROGRAM,
    RATES,
    Event,
    Found,
    Hello,
    Link,
    Lost,
    Restarted,
    Settings,
    limits,
    raise_speed,
)

_NO_NAME = "-"
# How soon a request or close() is noticed on a silent line.
_POLL_SECONDS = 0.1


@dataclass
class _Request:
    kind: str
    fields: tuple[int | str | None, ...]
    reply: Future[int]


class PortReader:
    """Reads one port from start() to close(). `name` is the port's own, `several` adds it to the board's."""

    def __init__(self, number: int, port: str, name: str, several: bool, baud: int | None, patient: bool) -> None:
        """Opens the port; LinkError where that fails, for a patient one too: a name that is not there is a mistake."""
        self._number, self._port, self._name, self._several, self._baud = number, port, name, several, baud
        self._link = Link(port, patient=patient)
        if not self._link.connected:
            reason = self._link.diagnosis()
            self._link.close()
            raise LinkError(reason)
        self._label = name
        self._names: set[str] = set()
        self._hello: Hello | None = None
        self._alive = True
        self.failure: HostToolError | None = None
        self._speed_is_due = self._told_of_age = False
        self._requests: SimpleQueue[_Request] = SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"port {name}", daemon=True)

    def sources(self) -> list[Source]:
        """The one source."""
        statistics = replace(self._link.statistics)
        return [Source(self._number, self._label, self._port, self._hello, statistics, self._alive, self._link.baud)]

    def start(self, queue: Queue) -> None:
        """Begin to read."""
        self._queue = queue
        self._thread.start()

    def ask(self, label: str, kind: str, fields: tuple[int | str | None, ...]) -> Future[int] | None:
        """Have the thread send a request; None if the label is another source's."""
        if label not in (self._label, self._name):
            return None
        request = _Request(kind, fields, Future())
        self._requests.put(request)
        if not self._alive:
            self._cancel_requests()
        return request.reply

    def close(self) -> None:
        """End the thread and close the port."""
        self._closing.set()
        if self._thread.ident is None:
            self._link.close()
        else:
            self._thread.join(time_limits.READER_END.seconds)

    def _run(self) -> None:
        try:
            self._greet()
            while not self._closing.is_set():
                self._carry_out_requests()
                for event in self._link.poll(_POLL_SECONDS):
                    self._take(event)
                self._raise_speed()
        except LinkError as error:
            self._put(Lost(str(error)))
        finally:
            self._link.close()
            self._alive = False
            self._cancel_requests()
            self._queue.wake()

    def _greet(self) -> None:
        try:
            self._take(self._link.greet(time_limits.MONITOR_GREETING.seconds))
        except LinkError as error:
            # The item names its source already.
            self._put(Note(str(error).removeprefix(f"{self._link.port}: ")))

    def _take(self, event: Event) -> None:
        match event:
            case Hello():
                self._know(event)
            case Restarted(hello=hello):
                self._know(hello)
                self._speed_is_due = True
            case Found():
                self._speed_is_due = True
            case Settings(share=None) if not self._told_of_age:
                self._told_of_age = True
                self._put(Note(OLDER_PROGRAM))
        self._put(event)

    def _know(self, hello: Hello) -> None:
        if self._hello is None:
            self._speed_is_due = True
        self._hello = hello
        # At its start the program has not read its settings, and says "-".
        if hello.board != _NO_NAME and len({*self._names, hello.board}) <= limits.MOST_NAMES:
            self._names.add(hello.board)
            self._label = f"{hello.board}@{self._name}" if self._several else hello.board

    def _raise_speed(self) -> None:
        """Once after each start of the board or the line: a board that refuses is not asked for ever. A wanted speed is
        the only one that is tried, and said."""
        if self._baud is None or not self._speed_is_due or self._hello is None:
            return
        self._speed_is_due = False
        try:
            failed = raise_speed(self._link, RATES if self._baud == FASTEST else (self._baud,))
        except LinkError as error:
            self._put(Note(f"the line stays at its speed: {error}"))
            return
        if failed:
            rates = " and ".join(map(str, failed))
            self._put(Note(f"nothing comes through at {rates} baud, the line stays at {self._link.baud}"))
        elif self._link.baud == self._baud:
            self._put(Note(f"the line runs at {self._baud} baud"))
        with contextlib.suppress(LinkError):
            # They show a program that is older.
            self._link.ask("SETTINGS")

    def _carry_out_requests(self) -> None:
        while not self._closing.is_set():
            try:
                request = self._requests.get_nowait()
            except Empty:
                return
            if not request.reply.set_running_or_notify_cancel():
                continue
            try:
                request.reply.set_result(self._link.ask(request.kind, *request.fields))
            except LinkError as error:
                request.reply.set_exception(error)

    def _cancel_requests(self) -> None:
        while True:
            try:
                self._requests.get_nowait().reply.cancel()
            except Empty:
                return

    def _put(self, event: Event | Note) -> None:
        self._queue.put(Item(self._label, event, time.monotonic()))
