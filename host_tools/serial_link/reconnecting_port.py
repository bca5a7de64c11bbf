"""A serial port that may vanish: bytes in and out, and, where wanted, the patience to find it again."""

from __future__ import annotations

import time

import serial

from host_tools.errors import LinkError
from host_tools.serial_link import opening, ports
from host_tools.serial_link.events import Found, Lost
from host_tools.serial_link.opening import MissingPortError, open_port
from host_tools.serial_link.ports import Port

# pyserial waits this long for a byte; a wait ends at most this much too late.
_SLICE = 0.02
_MOST_BYTES = 1 << 16
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


class ReconnectingPort:
    """An open port, or for a patient one perhaps none for a while. `changes` are Lost and Found, to be taken away.

    LinkError from every method where the port cannot be used, unless `patient`.
    """

    def __init__(self, name: str, baud: int, patient: bool) -> None:
        self.name = name
        self.baud = baud
        self.changes: list[Lost | Found] = []
        self.reason = ""
        self._wanted, self._usual_baud, self._patient = name, baud, patient
        self._identity: Port | None = None
        self._port: serial.SerialBase | None = None
        self._pause = _FIRST_PAUSE
        self._next_try = 0.0
        try:
            self._open(name)
        except MissingPortError as error:
            if not patient:
                raise
            self._lose(error)

    @property
    def is_open(self) -> bool:
        """Whether there is a port now."""
        return self._port is not None

    @property
    def has_speed(self) -> bool:
        """Whether the speed of the board's line can be set from here; raw TCP carries bytes alone."""
        return not self.name.lower().startswith("socket://")

    def read(self, seconds: float) -> bytes:
        """What comes, as soon as something comes; b"" after `seconds`, or when the port came or went."""
        deadline = time.monotonic() + seconds
        while True:
            if self._port is None:
                self._demand_patience()
                self._try_again(deadline)
                return b""
            try:
                data = self._read(seconds > 0)
            except opening.FAILURES as error:
                self._fail(error)
                return b""
            if data or time.monotonic() >= deadline:
                return data

    def write(self, data: bytes) -> None:
        """Send; what is written while there is no port is lost."""
        if self._port is None:
            self._demand_patience()
            return
        try:
            self._port.write(data)
        except opening.FAILURES as error:
            self._fail(error)

    def set_baud(self, rate: int) -> None:
        """Change the port's rate. What came before at the other one and was not read is no more."""
        before, self.baud = self.baud, rate
        if self._port is None:
            return
        try:
            self._port.baudrate = rate
            self._port.reset_input_buffer()
        except ValueError as error:
            self.baud = before
            raise LinkError(f"{self.name}: this port does not do {rate} baud ({error}); take another rate") from error
        except opening.FAILURES as error:
            self._fail(error)

    def close(self) -> None:
        """Let the port go for good."""
        self._release()
        self._patient, self.reason = False, f"{self.name}: this link is closed"

    def _release(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            opening.close(port)

    def _demand_patience(self) -> None:
        if not self._patient:
            raise MissingPortError(self.reason)

    def _read(self, may_wait: bool) -> bytes:
        port = self._port
        if not may_wait and not port.in_waiting:
            return b""
        if self.name.startswith("socket://"):
            # It knows only whether something waits, not how much.
            data = port.read(1)
            if data:
                port.timeout = 0
                data += port.read(_MOST_BYTES)
                port.timeout = _SLICE
            return data
        data = port.read(max(1, min(port.in_waiting, _MOST_BYTES)))
        return data + port.read(min(port.in_waiting, _MOST_BYTES)) if data else data

    def _open(self, name: str) -> None:
        self._port = open_port(name, self._usual_baud, _SLICE)
        self.name, self.baud, self.reason = name, self._usual_baud, ""
        self._identity = ports.identity(name) or self._identity

    def _fail(self, error: Exception) -> None:
        """The open port does not work any more."""
        self._release()
        lost = MissingPortError(opening.gone(self.name, error))
        if not self._patient:
            self.reason = str(lost)
            raise lost from error
        self._pause = _FIRST_PAUSE
        self._lose(lost)

    def _lose(self, error: LinkError) -> None:
        """Say so once, and again if something else than its absence stands in the way."""
        self._next_try = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        known, self.reason = self.reason, str(error)
        if not known or not (isinstance(error, MissingPortError) or known == self.reason):
            self.changes.append(Lost(self.reason))

    def _try_again(self, deadline: float) -> None:
        """Wait for the next moment to look for the port, or for the deadline."""
        time.sleep(max(0.0, min(self._next_try, deadline) - time.monotonic()))
        if time.monotonic() < self._next_try:
            return
        try:
            self._open(self._where())
        except LinkError as error:
            self._lose(error)
        else:
            self._pause = _FIRST_PAUSE
            self.changes.append(Found(self.name))

    def _where(self) -> str:
        """The port's name now: it may have another one after it was plugged in again."""
        if self._identity is None:
            return self._wanted
        found = ports.find_again(self._identity)
        if found is None:
            raise MissingPortError(
                f"{self._wanted}: the board is not plugged in; plug it in again, into the same USB socket"
            )
        return found
