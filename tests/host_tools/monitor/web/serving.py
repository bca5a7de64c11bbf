"""A page that is served in a thread, as `monitor --web` does it."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from pathlib import Path

from host_tools.monitor import web
from host_tools.monitor.frame_processing import FrameProcessor
from host_tools.monitor.session import Limits, Session

_START_SECONDS = 20.0
# The server promises two for its sockets and two for what it still asks boards.
END_SECONDS = 8.0


class Served:
    """A running server: its `port` and `address`, what it has `talked`. A context manager."""

    def __init__(self, feed: object, folder: Path) -> None:
        self.talked: list[str] = []
        self.failure: Exception | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(feed, folder), daemon=True)
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self.talked and self._thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.talked, self.failure
        self.address = self.talked[0].split()[4]
        self.port = int(self.address.rpartition(":")[2])

    def _serve(self, feed: object, folder: Path) -> None:
        try:
            with closing(web.Page(0, feed, self.talked.append, folder)) as page:
                Session(feed, [page], Limits(), FrameProcessor()).run(self._over)
        except Exception as error:  # noqa: BLE001 - handed on
            self.failure = error

    def end(self) -> float:
        """Ask it to end; the seconds that this took."""
        begin = time.monotonic()
        self._over.set()
        self._thread.join(END_SECONDS)
        assert not self._thread.is_alive(), "the server did not end"
        return time.monotonic() - begin

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        assert self.failure is None
        assert len(self.talked) == 1, self.talked
