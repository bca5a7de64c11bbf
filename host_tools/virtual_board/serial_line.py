"""The line between the board's UART and a pseudo-terminal, where a host tool finds the board's serial port."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios
import threading
import time
import tty
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Protocol

from host_tools.errors import BoardError
from host_tools.virtual_board import timing
from host_tools.virtual_board.clock import MICROSECONDS, Clock, Happening
from host_tools.virtual_board.faults import Faults, Noise
from host_tools.virtual_board.uart import BAUD

# Linux: struct termios2, whose last word is the output speed as a number; pyserial sets odd rates this way.
_TCGETS2 = 0x802C542A
_TERMIOS2 = struct.Struct("<4IB19s2I")
# A real UART still reads what comes a little too fast or too slow.
_BAUD_TOLERANCE = 0.03
_STALL_EVERY_US = 5_000_000
_PIECE = 4096
_POLL_MS = 50
# Bytes that come together: a few milliseconds' worth at the usual rate.
_SLICE = 64
# So little does a board take that has stopped reading: a slice each.
_DEAF_SECONDS = 0.25


class Receiver(Protocol):
    """The board's end of the line; all of it is asked in the line's thread."""

    @property
    def baud(self) -> int:
        """The board's rate."""

    @property
    def timed(self) -> bool:
        """Whether bytes come to it as fast as the line carries them, or at once: then it has no time of its own."""

    @property
    def deaf(self) -> bool:
        """Whether the board takes no more bytes: the client's pile up."""

    def notice(self, data: bytes, rate: int) -> None:
        """What a client sends and at which rate, before rates and faults change it."""

    def receive(self, data: bytes) -> None:
        """What arrives of it."""


class SerialLine:
    """A pseudo-terminal in raw mode. What nobody has open, nobody hears: such bytes are lost, as on a real line."""

    def __init__(self, faults: Faults, receiver: Receiver, clock: Clock) -> None:
        self._master, slave = os.openpty()
        self.port = os.ttyname(slave)
        _prepare(slave)
        os.close(slave)
        os.set_blocking(self._master, False)
        self._receiver = receiver
        self._faults = faults
        self._to_board, self._from_board = Noise(faults, "to board"), Noise(faults, "from board")
        self._clock = clock
        self._stalled = clock.now()
        # Of a microsecond, of what was sent last.
        self._rest = Fraction(0)
        self._closing = threading.Event()
        # Held while bytes are sent, so that the pseudo-terminal is not closed meanwhile.
        self._sending = threading.Lock()
        self._deaf = False
        self._link: Path | None = None
        self._thread = threading.Thread(target=self._listen, name="serial line", daemon=True)
        self._thread.start()

    def link(self, path: Path) -> None:
        """Make `path` a symlink to the port, until close(); BoardError if something else is there."""
        if path.is_symlink() and not path.exists():
            path.unlink()
        try:
            path.symlink_to(self.port)
        except OSError as error:
            raise BoardError(
                f"{path}: cannot be made a link to the board ({error.strerror}); end the board that has it, "
                "or name another link"
            ) from error
        self._link = path

    def send(self, data: bytes) -> None:
        """Bytes from the board's processor; returns when they are on the line, as a UART without a buffer does."""
        for start in range(0, len(data), _SLICE):
            piece = data[start : start + _SLICE]
            # However a program's output is cut into pieces, it takes as long.
            exact = self._takes(len(piece)) + self._rest
            self._rest = exact % 1
            self._clock.spend(int(exact), self._closing.is_set)
            self.answer(piece)

    def answer(self, data: bytes) -> None:
        """Bytes from a board that has no time of its own."""
        with self._sending:
            if not self._closing.is_set() and self._connected():
                self._write(self._from_board(_garbled(data) if self._wrong_rate() else data))

    def _write(self, data: bytes) -> None:
        """Bytes to the client. One that left its bytes unread for too long gets only what it has room for."""
        begin = time.monotonic()
        while data and not self._closing.is_set():
            try:
                data = data[os.write(self._master, data) :]
                self._deaf = False
            except BlockingIOError:
                if self._deaf or self._clock.gives_up(begin) or not self._connected():
                    self._deaf = True
                    return
                select.select([], [self._master], [], _POLL_MS / 1000)

    def _listen(self) -> None:
        """Take what the client sends until close(), then hang up."""
        try:
            self._listen_until_closed()
        finally:
            self._release()

    def _listen_until_closed(self) -> None:
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        while not self._closing.is_set():
            events = poll.poll(_POLL_MS)
            if not events:
                continue
            if not events[0][1] & select.POLLIN:
                # Nobody has the port open: poll returns at once.
                self._closing.wait(_POLL_MS / 1000)
                continue
            deaf = self._receiver.deaf and not events[0][1] & select.POLLHUP
            if deaf:
                self._closing.wait(_DEAF_SECONDS)
            try:
                data = os.read(self._master, _SLICE if deaf else _PIECE)
            except OSError:
                continue
            self._take(data)

    def _take(self, data: bytes) -> None:
        """Bytes from the client, on their way to the board."""
        self._receiver.notice(data, self._client_rate())
        if self._receiver.timed:
            self._clock.at(*self._arrivals(data))
        else:
            self._arrive(data)
            self._clock.hear()

    def _arrivals(self, data: bytes) -> Iterator[Happening]:
        """Bytes that come to the board as fast as the line carries them."""
        moment = self._clock.now()
        for start in range(0, len(data), _SLICE):
            piece = data[start : start + _SLICE]
            moment += round(self._takes(len(piece)))
            yield moment, partial(self._arrive, piece)

    def _arrive(self, piece: bytes) -> None:
        self._receiver.receive(self._to_board(_garbled(piece) if self._wrong_rate() else piece))

    def _connected(self) -> bool:
        poll = select.poll()
        poll.register(self._master, 0)
        return not any(events & select.POLLHUP for _, events in poll.poll(0))

    def _client_rate(self) -> int:
        """The baud rate that the client has set."""
        settings = bytearray(_TERMIOS2.size)
        fcntl.ioctl(self._master, _TCGETS2, settings)
        return _TERMIOS2.unpack(settings)[-1]

    def _wrong_rate(self) -> bool:
        """Whether that is another one than the board's."""
        rate = self._client_rate()
        return abs(rate - self._receiver.baud) > _BAUD_TOLERANCE * rate

    def _takes(self, count: int) -> Fraction:
        """How long the line takes for so many bytes, in microseconds, with what stalls it."""
        rate = Fraction(self._receiver.baud, timing.BITS_PER_BYTE)
        took = count * MICROSECONDS / (min(rate, Fraction(self._faults.slow)) if self._faults.slow else rate)
        now = self._clock.now()
        if self._faults.stall and now - self._stalled > _STALL_EVERY_US:
            took += round(self._faults.stall * MICROSECONDS)
            self._stalled = now + round(took)
        return took

    def unplug(self) -> None:
        """Hang up from within the line's own thread, as when the cable is pulled: the port is gone for good."""
        self._closing.set()

    def close(self) -> None:
        """Hang up and remove the symlink."""
        self._closing.set()
        self._clock.stop()
        self._thread.join()

    def _release(self) -> None:
        if self._link is not None and self._link.is_symlink() and os.readlink(self._link) == self.port:
            self._link.unlink()
        with self._sending:
            os.close(self._master)


def _prepare(slave: int) -> None:
    """Raw, 115200 baud: clients that do not care get the board's bytes and rate."""
    tty.setraw(slave)
    settings = termios.tcgetattr(slave)
    settings[4] = settings[5] = getattr(termios, f"B{BAUD}")
    termios.tcsetattr(slave, termios.TCSANOW, settings)


def _garbled(data: bytes) -> bytes:
    """What a receiver at another rate makes of bytes."""
    return bytes((byte * 5 + 0x91) & 0xFF | 0x80 for byte in data)
