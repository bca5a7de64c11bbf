"""A page that is served in a thread, as `monitor --web` does it."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

from host_tools.monitor import web
from host_tools.monitor.frame_processing import FrameProcessor
from host_tools.monitor.session import Limits, Session
from tests.patience import HANG_SECONDS, until


class Served:
    """A running server: its `port` and `address`, what it has `talked`. A context manager."""

    def __init__(self, feed: object, folder: Path) -> None:
        self.talked: list[str] = []
        self.failure: Exception | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(feed, folder), daemon=True)
        self._thread.start()
        until(lambda: self.talked, over=lambda: not self._thread.is_alive())
        assert self.talked, self.failure
        self.address = self.talked[0].split()[4]
        self.port = int(self.address.rpartition(":")[2])

    def _serve(self, feed: object, folder: Path) -> None:
        try:
            with closing(web.Page(0, feed, self.talked.append, folder)) as page:
                Session(feed, [page], Limits(), FrameProcessor()).run(self._over)
        except Exception as error:  # noqa: BLE001 - handed on
            self.failure = error

    def end(self) -> None:
        """Ask it to end."""
        self._over.set()
        self._thread.join(HANG_SECONDS)
        assert not self._thread.is_alive(), "the server did not end"

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        assert self.failure is None
        assert len(self.talked) == 1, self.talked
