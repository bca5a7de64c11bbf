"""Everything that the board says: what programs print and what the UART is given, in its order."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable

_POLL_MS = 50
_PIECE = 65536
# So much is kept to look things up in.
KEPT_BYTES = 4 * 1024 * 1024


class Console:
    """Collects output and passes it on to the line."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        """`send` puts bytes on the line."""
        self._send = send
        self._reader, self.output = os.pipe()
        os.set_blocking(self._reader, False)
        self._order = threading.Lock()
        self._changed = threading.Condition()
        self._said = bytearray()
        self._dropped = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="console", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Put bytes on the line as they are, after everything that programs have printed before."""
        with self._order:
            self._drain()
            self._emit(data)

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        while not self._closing.is_set():
            if poll.poll(_POLL_MS):
                with self._order:
                    self._drain()

    def _drain(self) -> None:
        """Pass on what programs have printed, with the line ends of a UART."""
        while True:
            try:
                data = os.read(self._reader, _PIECE)
            except BlockingIOError:
                return
            self._emit(data.replace(b"\n", b"\r\n"))

    def _emit(self, data: bytes) -> None:
        self._send(data)
        with self._changed:
            self._said += data
            if len(self._said) > 2 * KEPT_BYTES:
                self._dropped += len(self._said) - KEPT_BYTES
                del self._said[:-KEPT_BYTES]
            self._changed.notify_all()

    @property
    def position(self) -> int:
        """Bytes said so far."""
        with self._changed:
            return self._dropped + len(self._said)

    def since(self, position: int) -> bytes:
        """What was said from a position on."""
        with self._changed:
            return bytes(self._said[max(position - self._dropped, 0) :])

    def wait(self, timeout: float) -> None:
        """Return when something was said, or after `timeout` seconds."""
        with self._changed:
            self._changed.wait(timeout)

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        self._thread.join()
        os.close(self._reader)
        os.close(self.output)
