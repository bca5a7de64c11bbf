"""The channel between the host and the MicroPython process: calls and replies, as modules/_host.py describes them."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from enum import IntEnum

_REQUEST = struct.Struct("<II16s12i")
_REPLY = struct.Struct("<IIBBH8i")
_VALUES = 8
INTERRUPTED = 1
# A message is never shorter than a reply, or MicroPython would wait for the rest of it.
_LEAST = _REPLY.size
# A picture for a 480x320 LCD in one message, and as much again for the kernel's own account of it. Data that are more,
# as those of a VGA frame, come in pieces.
_SOCKET_BYTES = 1024 * 1024
PIECE_BYTES = 327_680
MOST_BYTES = 400_000


class Error(IntEnum):
    """The exceptions that a stand-in raises at the host's word."""

    VALUE = 1
    OS = 2
    RUNTIME = 3
    TYPE = 4
    MEMORY = 5
    NOT_IMPLEMENTED = 6


class RaisedError(Exception):
    """What the board's Python is to raise: an exception with a text, or an OSError with a number."""

    def __init__(self, error: Error, what: str | int) -> None:
        super().__init__(what)
        self.error = error
        self.what = what


class ChannelClosedError(Exception):
    """The MicroPython process has ended."""


@dataclass(frozen=True)
class Call:
    """A stand-in's request: its number, what it wants, integers, and data."""

    number: int
    name: str
    numbers: tuple[int, ...]
    data: bytes


@dataclass(frozen=True)
class Reply:
    """What a stand-in gets: up to eight integers, and data."""

    values: tuple[int, ...] = ()
    data: bytes = b""


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """The two ends of a line: the host's, and that which the MicroPython process inherits."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BYTES)
    return ends


class HostChannel:
    """The host's end."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._waiting: bytes | None = None
        # A request whose data has not come yet.
        self._head: bytes | None = None
        self._pieces = bytearray()

    @property
    def ahead(self) -> bool:
        """Whether a request is here already, which Ctrl-C put in the place of another's data."""
        return self._waiting is not None

    def fileno(self) -> int:
        """As select wants it."""
        return self._end.fileno()

    def receive(self, timeout: float) -> Call | None:
        """The next call, None after `timeout` seconds without one; ChannelClosedError when the process has ended.

        A request whose data is late, since the computer does something else meanwhile, waits for it in the next call.
        """
        if self._end.gettimeout() != timeout:
            self._end.settimeout(timeout)
        try:
            self._head = self._head or self._waiting or self._message(_REQUEST.size)
            self._waiting = None
            number, size, name, *numbers = _REQUEST.unpack(self._head)
            data = self._data(size) if size else b""
        except TimeoutError:
            return None
        except struct.error:
            # A torn message is one that Ctrl-C or the end of the process cut.
            self._head = None
            return None
        self._head = None
        if data is None:
            return None
        return Call(number, name.rstrip(b"\0").decode(), tuple(numbers), data)

    def _data(self, size: int) -> bytes | None:
        """Data of a request; None if Ctrl-C kept MicroPython from sending it and what came is the next request."""
        wanted = min(size - len(self._pieces), PIECE_BYTES)
        while wanted:
            piece = self._message(max(wanted, _REQUEST.size))
            if len(piece) != wanted:
                self._pieces.clear()
                self._waiting = piece if len(piece) == _REQUEST.size else None
                return None
            self._pieces += piece
            wanted = min(size - len(self._pieces), PIECE_BYTES)
        data = bytes(self._pieces)
        self._pieces.clear()
        return data

    def _message(self, size: int) -> bytes:
        try:
            message = self._end.recv(size + 1)
        except ConnectionError as error:
            raise ChannelClosedError from error
        if not message:
            raise ChannelClosedError
        return message

    def reply(self, call: Call, reply: Reply, error: Error | None = None, interrupt: bool = False) -> None:
        """Answer a call; ChannelClosedError when the process has ended."""
        values = (*reply.values, *[0] * (_VALUES - len(reply.values)))
        flags = INTERRUPTED if interrupt else 0
        try:
            self._end.send(_REPLY.pack(call.number, len(reply.data), error or 0, flags, 0, *values))
            for start in range(0, len(reply.data), PIECE_BYTES):
                self._end.send(reply.data[start : start + PIECE_BYTES].ljust(_LEAST, b"\0"))
        except OSError as problem:
            raise ChannelClosedError from problem

    def close(self) -> None:
        """Hang up."""
        self._end.close()
