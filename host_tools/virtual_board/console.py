"""Everything that the board says: what programs print and what the UART is given, in its order."""

from __future__ import annotations

import fcntl
import os
import re
import threading
from collections.abc import Callable

# What programs print waits in a pipe until the board's processor looks: a UART's buffer is small too.
_PIPE_BYTES = 4096
# Linux: fcntl.F_SETPIPE_SZ, which Python 3.10 names.
fcntl.F_SETPIPE_SZ = 1031
# So much is kept to look things up in.
KEPT_BYTES = 4 * 1024 * 1024


class Search:
    """Somebody who waits for the board to say something; `found` is called at once, in the processor's thread."""

    def __init__(self, pattern: re.Pattern[str], start: int, found: Callable[[], None]) -> None:
        self.pattern, self.start = pattern, start
        self.match: re.Match[str] | None = None
        self._found = found

    def look(self, said: str) -> None:
        """Look for it in what was said from `start` on."""
        self.match = self.pattern.search(said)
        if self.match:
            self._found()


class Console:
    """Collects output and passes it on to the line; all but the looking back is the processor's thread's."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        """`send` puts bytes on the line."""
        self._send = send
        self.printed, self.output = os.pipe()
        fcntl.fcntl(self.output, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        os.set_blocking(self.printed, False)
        self._changed = threading.Condition()
        self._said = bytearray()
        self._dropped = 0
        self._search: Search | None = None

    def write(self, data: bytes) -> None:
        """Put bytes on the line as they are, after everything that programs have printed before."""
        self.drain()
        self._emit(data)

    def drain(self) -> None:
        """Pass on what programs have printed, with the line ends of a UART."""
        while True:
            try:
                data = os.read(self.printed, _PIPE_BYTES)
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
            self._look()
            self._changed.notify_all()

    def _look(self) -> None:
        search = self._search
        if search is not None and not search.match:
            search.look(self._since(search.start).decode("latin-1"))

    def search(self, search: Search) -> None:
        """Look for something in what was said and in what will be; the search before this one ends."""
        with self._changed:
            self._search = search
            self._look()

    @property
    def position(self) -> int:
        """Bytes said so far."""
        with self._changed:
            return self._dropped + len(self._said)

    def since(self, position: int) -> bytes:
        """What was said from a position on."""
        with self._changed:
            return self._since(position)

    def _since(self, position: int) -> bytes:
        return bytes(self._said[max(position - self._dropped, 0) :])

    def wait(self, timeout: float) -> None:
        """Return when something was said, or after `timeout` seconds."""
        with self._changed:
            self._changed.wait(timeout)

    def close(self) -> None:
        """Stop listening."""
        os.close(self.printed)
        os.close(self.output)
