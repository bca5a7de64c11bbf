"""The recording that pages start and stop: one at a time, of all boards, in one folder on the server's side."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from host_tools.monitor.feed import Item
from host_tools.monitor.record import Recorder, RecordingError

_SUFFIX = ".jsonl"


class Recording:
    """Nothing is written, and no folder made, before start()."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._recorder: Recorder | None = None
        self._name = self._text = ""

    @property
    def on(self) -> bool:
        """Whether items are written."""
        return self._recorder is not None

    def state(self) -> dict:
        """What a page shows: on, the file, lines so far, and how the last one ended."""
        return {
            "on": self.on,
            "name": self._name,
            "folder": str(self._folder),
            "lines": self._recorder.lines if self._recorder else 0,
            "text": self._text,
        }

    def start(self, name: str | None, first: Iterable[Item] = ()) -> None:
        """Begin a file; `name` as `messages.FileName` has checked it, None for one of date and time.

        `first` are items that go before what comes: who is there. RecordingError where that cannot be.
        """
        if self._recorder:
            raise RecordingError(f"{self._name} is being recorded already; stop it first")
        name = name or time.strftime("poses-%Y%m%d-%H%M%S")
        name = name if name.endswith(_SUFFIX) else name + _SUFFIX
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordingError(f"{self._folder}: cannot be made ({error.strerror}); choose another place") from error
        self._recorder = Recorder(self._folder / name, time.monotonic())
        self._name, self._text = name, ""
        for item in first:
            self.take(item)

    def take(self, item: Item) -> None:
        """Write an item; where that fails, the recording ends and state() says why."""
        if self._recorder is None:
            return
        try:
            self._recorder.take(item)
        except RecordingError as error:
            self.stop(str(error))

    def stop(self, why: str = "") -> None:
        """End the file, if there is one."""
        if self._recorder is None:
            return
        recorder, self._recorder = self._recorder, None
        self._text = why or f"{recorder.lines} lines in {self._folder / self._name}"
        try:
            recorder.close()
        except RecordingError as error:
            self._text = str(error)
