"""Commands as their user runs them in a terminal of some size."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.patience import HANG_SECONDS

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class Running:
    """A command in a terminal."""

    process: subprocess.Popen[bytes]
    master: int
    raw: bytes = b""

    @property
    def text(self) -> str:
        """What it has shown so far, without what moves the cursor and colours."""
        return _ESCAPES.sub("", self.raw.decode(errors="replace"))

    def until(self, pattern: str) -> re.Match[str]:
        """Wait until it has shown something."""
        deadline = time.monotonic() + HANG_SECONDS
        while (match := re.search(pattern, self.text)) is None:
            assert time.monotonic() < deadline, self.text[-2000:]
            if not self._read():
                assert re.search(pattern, self.text), self.text[-2000:]
        return match

    def end(self, how: signal.Signals | None = signal.SIGINT) -> int:
        """Stop it, or wait; its exit code."""
        if how is not None:
            self.process.send_signal(how)
        deadline = time.monotonic() + HANG_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.text[-2000:]
            self._read()
        while self._read():
            pass
        return self.process.returncode

    def _read(self) -> bool:
        if not select.select([self.master], [], [], 0.2)[0]:
            return self.process.poll() is None
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.raw += data
        return bool(data)


@contextlib.contextmanager
def in_terminal(command: Sequence[str], columns: int, rows: int = 30, **environment: str) -> Iterator[Running]:
    """A command whose stdin, stdout and stderr are a terminal of that size; it is gone at the end."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    kept = {name: text for name, text in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**kept, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **environment},
    )
    os.close(slave)
    try:
        yield Running(process, master)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(master)
