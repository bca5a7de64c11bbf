"""Boards, or a recording of them, as one stream of events: a thread for each source, a queue for who reads."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

from host_tools.closing import Closing
from host_tools.errors import HostToolError, LinkError
from host_tools.monitor.items import Item, Queue, Source


def short_names(ports: Sequence[str]) -> list[str]:
    """A name for each port, all different: what follows /dev/ or ://, or the file's name; else the whole."""
    names = []
    for port in ports:
        _, scheme, address = port.partition("://")
        in_dev = port.removeprefix("/dev/")
        names.append(address if scheme else in_dev if in_dev != port else Path(port).name)
    return [name if names.count(name) == 1 else port for name, port in zip(names, ports, strict=True)]


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
    """Opens the ports and reads them until close(). Use it as a context manager.

    `ports` are names as `ports.choose_all` gives them. `baud` is a higher speed for the line, raised again whenever the
    board has fallen back. A port that cannot be opened at the start is a LinkError; with `patient`, one that vanishes
    later is waited for, and Lost and Found events tell of it; else Lost is its last event.
    """

    def __init__(self, ports: Sequence[str], *, baud: int | None = None, patient: bool = True) -> None:
        from host_tools.monitor.port_reader import PortReader

        self._begin([])
        try:
            for number, (port, name) in enumerate(zip(ports, short_names(ports), strict=True)):
                self._producers.append(PortReader(number, port, name, len(ports) > 1, baud, patient))
        except LinkError:
            self.close()
            raise
        self._start()

    @classmethod
    def replay(cls, path: Path, speed: float = 1.0) -> Feed:
        """The events of a recording, `speed` times as fast as they came; 0 is as fast as they are read.

        RecordingError if the file cannot be read or is none.
        """
        from host_tools.monitor.replay import Player

        feed = cls.__new__(cls)
        feed._begin([Player(path, speed)])
        feed._start()
        return feed

    def _begin(self, producers: list[Producer]) -> None:
        self._queue = Queue()
        self._producers = producers

    def _start(self) -> None:
        for producer in self._producers:
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
