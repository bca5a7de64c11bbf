"""The REPL's UART on a pseudo-terminal, for tools that talk to a board: the virtual board's line, without the rest."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from host_tools.k210.machine import Machine
from host_tools.virtual_board.clock import RealClock
from host_tools.virtual_board.faults import Faults
from host_tools.virtual_board.serial_line import SerialLine


class Terminal:
    """`path` is what a host tool opens; `link` becomes a symbolic link to it and is removed at the end.

    Bytes arrive at the chip's own rate, as garbage where the tool has set another one. With nobody there, what the
    board sends is lost, as on a line.
    """

    timed = deaf = False

    def __init__(self, machine: Machine, link: Path | None = None) -> None:
        self._machine = machine
        self._out, self._in = bytearray(), deque()
        self._line = SerialLine(Faults(), self, RealClock())
        self.path = self._line.port
        if link is not None:
            self._line.link(link)
        machine.serial.on_sent = self._out.extend
        machine.pollers.append(self._poll)

    @property
    def baud(self) -> int:
        """The board's rate."""
        return self._machine.serial.baud

    def notice(self, data: bytes, rate: int) -> None:
        """What the tool sends and at which rate: nothing of it matters here."""

    def receive(self, data: bytes) -> None:
        """Bytes from the line, in its thread: the machine gets them between two slices."""
        self._in.append(data)

    def _poll(self) -> None:
        if self._out:
            data, self._out[:] = bytes(self._out), b""
            self._line.answer(data)
        while self._in:
            self._machine.serial.feed(self._in.popleft())

    def close(self) -> None:
        """Take the terminal away."""
        self._machine.serial.on_sent = None
        if self._poll in self._machine.pollers:
            self._machine.pollers.remove(self._poll)
        self._line.close()
