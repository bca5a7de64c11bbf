"""The REPL's UART on a pseudo-terminal, for tools that talk to a board."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import tty
from pathlib import Path

from host_tools.k210.errors import EmulatorError
from host_tools.k210.machine import Machine

_PIECE = 4096
# The terminal is looked at once in so many slices, and no further ahead than this many bytes: the line is slow.
_LOOK_SLICES, _AHEAD = 8, 256


class Terminal:
    """`path` is what a host tool opens; `link` becomes a symbolic link to it and is removed at the end.

    Bytes arrive at the chip's own rate: a terminal does not know which rate its other side has set. With nobody there,
    what the board sends is lost, as on a line.
    """

    def __init__(self, machine: Machine, link: Path | None = None) -> None:
        self._machine, self._link = machine, link
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._out, self._slices = bytearray(), 0
        if link is not None:
            self._make_link(link)
        machine.serial.on_sent = self._out.extend
        machine.pollers.append(self._poll)

    def _make_link(self, link: Path) -> None:
        if link.is_symlink():
            link.unlink()
        try:
            link.symlink_to(self.path)
        except OSError as error:
            raise EmulatorError(f"{link}: the link to the terminal cannot be made ({error.strerror})") from error

    def _poll(self) -> None:
        if self._out:
            data, self._out[:] = bytes(self._out), b""
            self._write(data)
        self._slices += 1
        if not self._slices % _LOOK_SLICES and self._machine.serial.waiting < _AHEAD:
            with contextlib.suppress(BlockingIOError, OSError):
                self._machine.serial.feed(os.read(self._master, _PIECE))

    def _write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:
                if not select.select([], [self._master], [], 0)[1]:
                    return
            except OSError:
                return

    def close(self) -> None:
        """Take the terminal away."""
        self._machine.serial.on_sent = None
        if self._poll in self._machine.pollers:
            self._machine.pollers.remove(self._poll)
        if self._link is not None and self._link.is_symlink():
            self._link.unlink()
        os.close(self._master)
        os.close(self._slave)
