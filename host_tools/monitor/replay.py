"""Plays a recording into a feed, at its own speed or another."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import BinaryIO

from conversion.outside import json_text, reading
from conversion.outside.text import shown
from host_tools.errors import LinkError
from host_tools.monitor.feed import Item, Note, Queue, Source
from host_tools.monitor.record import FORMAT, MOST_LINE_BYTES, RecordingError, from_dict
from host_tools.serial_link import Event, Hello, Restarted

MOST_BOARDS = 64


def read(path: Path) -> Iterator[tuple[int, str, Event | Note]]:
    """(at_ms, label, event) of each line, the first one when asked for it.

    RecordingError, with the line's number, where the file is no recording or is damaged. A last line that was torn when
    its writer died is told of in a Note in its place.
    """
    try:
        with reading.open_regular(path) as file:
            _check_head(path, _line(path, 1, file))
            at_ms, number, boards = 0, 1, set()
            while line := _line(path, number := number + 1, file):
                try:
                    entry = from_dict(json_text.parse(line, MOST_LINE_BYTES))
                except ValueError as error:
                    if not line.endswith(b"\n"):
                        yield at_ms, path.name, Note(f"{path}: the last line, {number}, is torn and was left out")
                        return
                    raise RecordingError(f"{path}:{number}: is damaged ({shown(error)}); delete this line") from error
                if entry is None:
                    continue
                at_ms = entry[0]
                boards.add(entry[1])
                if len(boards) > MOST_BOARDS:
                    raise RecordingError(f"{path}:{number}: names more than {MOST_BOARDS} boards; no recording does")
                yield entry
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror}); check the name") from error


def _line(path: Path, number: int, file: BinaryIO) -> bytes:
    """The next line with its end, b"" behind the last one; RecordingError for one longer than any recording has."""
    line = file.readline(MOST_LINE_BYTES + 1)
    if len(line) > MOST_LINE_BYTES:
        raise RecordingError(f"{path}:{number}: is longer than {MOST_LINE_BYTES} bytes, so this is no recording")
    return line


def _check_head(path: Path, line: bytes) -> None:
    try:
        head = json_text.parse(line, MOST_LINE_BYTES)
    except ValueError:
        head = None
    found = head.get("format") if isinstance(head, dict) else None
    if found != FORMAT:
        raise RecordingError(
            f"{path}: is no recording: its first line must have the format {FORMAT!r}; make one with monitor --record"
        )


class Player:
    """A producer of a feed's items. `speed` is how many times as fast as recorded; 0: as fast as they are taken."""

    def __init__(self, path: Path, speed: float) -> None:
        """Checks the beginning of the file; RecordingError if it is no recording."""
        self._path, self._speed = path, speed
        self._entries = read(path)
        self._first = next(self._entries, None)
        self._labels: dict[str, Hello | None] = {}
        self._alive = True
        self.failure: RecordingError | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"replay {path.name}", daemon=True)

    def sources(self) -> list[Source]:
        """Those that have said something so far; the file itself before."""
        labels = dict(self._labels) or {self._path.name: None}
        return [
            Source(number, label, str(self._path), hello, None, self._alive)
            for number, (label, hello) in enumerate(labels.items())
        ]

    def start(self, queue: Queue) -> None:
        """Begin to play."""
        self._queue = queue
        self._thread.start()

    def ask(self, label: str, kind: str, fields: tuple[int | str | None, ...]) -> Future[int] | None:
        """A recording answers nothing."""
        if label not in self._labels:
            return None
        failed: Future[int] = Future()
        failed.set_exception(LinkError(f"{label}: this is a recording, which takes no {kind}"))
        return failed

    def close(self) -> None:
        """Stop."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._entries.close()

    def _run(self) -> None:
        started = time.monotonic()
        try:
            entry = self._first
            while entry is not None:
                at_ms, label, event = entry
                # At full speed an item still has the time that it had: rates are those of the recording.
                due = started + at_ms / 1000 / (self._speed or 1.0)
                if self._speed:
                    self._closing.wait(max(0.0, due - time.monotonic()))
                if self._closing.is_set():
                    return
                self._play(label, event, due)
                entry = next(self._entries, None)
        except RecordingError as error:
            self.failure = error
        finally:
            self._alive = False
            self._queue.wake()

    def _play(self, label: str, event: Event | Note, at: float) -> None:
        if not isinstance(event, Note):
            known = self._labels.get(label)
            hello = event.hello if isinstance(event, Restarted) else event
            # A new dictionary: other threads read the old one meanwhile.
            self._labels = {**self._labels, label: hello if isinstance(hello, Hello) else known}
        self._queue.put_patiently(Item(label, event, at))
