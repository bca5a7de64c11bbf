"""The K210's download protocol, as its mask ROM, kflash's stub in RAM, and kflash itself speak it: frames and numbers.

Source: kflash 1.1.6. A frame stands between two bytes C0; inside, C0 is written DB DC and DB is written DB DD.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from enum import IntEnum

END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE = b"\xc0", b"\xdb", b"\xdb\xdc", b"\xdb\xdd"
BAUD = 115200
RAM_START = 0x80000000
# A request: operation, nothing, CRC-32 of all that follows, address, length, data.
HEADER = struct.Struct("<HHIII")
_CHECKED_FROM = 8
# The requests without arguments are one byte shorter than a header and carry no CRC.
SHORT_BYTES = 13
MOST_DATA = 65536


class Operation(IntEnum):
    """What is asked for; an answer begins with the same byte. C2 to C6 are the mask ROM's, the others the stub's."""

    GREET = 0xC2
    WRITE_RAM = 0xC3
    START = 0xC5
    ROM_BAUD = 0xC6
    DEBUG = 0xD1
    STUB_GREET = 0xD2
    WRITE_FLASH = 0xD4
    REBOOT = 0xD5
    STUB_BAUD = 0xD6
    INIT_FLASH = 0xD7
    ERASE_FLASH = 0xD8
    FLASH_STATUS = 0xD9


SHORT = frozenset({Operation.GREET, Operation.STUB_GREET, Operation.FLASH_STATUS, Operation.REBOOT})
# Nobody answers these.
SILENT = frozenset({Operation.START, Operation.ROM_BAUD, Operation.STUB_BAUD})


class Status(IntEnum):
    """The second byte of an answer."""

    DEFAULT = 0x00
    OK = 0xE0
    BAD_LENGTH = 0xE1
    BAD_CHECKSUM = 0xE2
    INVALID_COMMAND = 0xE3
    BAD_INIT = 0xE4
    BAD_ERASE = 0xE5
    BAD_WRITE = 0xE6
    BUSY = 0xE7


STATUS_WORDS = {
    Status.BAD_LENGTH: "wrong length of data",
    Status.BAD_CHECKSUM: "wrong checksum of data",
    Status.INVALID_COMMAND: "unknown command",
    Status.BAD_INIT: "the flash chip cannot be initialised",
    Status.BAD_ERASE: "the flash chip cannot be erased",
    Status.BAD_WRITE: "the flash chip cannot be written",
    Status.BUSY: "the flash chip stays busy",
}


def frame(body: bytes) -> bytes:
    """A body as it goes over the line."""
    return END + body.replace(ESCAPE, ESCAPED_ESCAPE).replace(END, ESCAPED_END) + END


def unescaped(inside: bytes) -> bytes:
    """The body of what stands between two C0."""
    return inside.replace(ESCAPED_END, END).replace(ESCAPED_ESCAPE, ESCAPE)


GREETING = frame(bytes([Operation.GREET]) + bytes(SHORT_BYTES - 1))


@dataclass(frozen=True)
class Command:
    """A request as it was sent; `operation` may be a number that nobody knows."""

    operation: int
    address: int = 0
    length: int = 0
    data: bytes = b""
    sound: bool = True

    @classmethod
    def read(cls, body: bytes) -> Command | None:
        """From a frame's body; None for what has no header. `sound` is whether checksum and length are right."""
        if len(body) == SHORT_BYTES and body[0] in SHORT:
            return cls(body[0])
        if len(body) < HEADER.size:
            return None
        operation, _, checksum, address, length = HEADER.unpack_from(body)
        data = body[HEADER.size :]
        sound = zlib.crc32(body[_CHECKED_FROM:]) == checksum and (length == len(data) or not data)
        return cls(operation, address, length, data, sound)


def request(operation: int, address: int, data: bytes) -> bytes:
    """A request as it goes over the line, its checksum included."""
    rest = HEADER.pack(0, 0, 0, address, len(data))[_CHECKED_FROM:] + data
    return frame(struct.pack("<HHI", operation, 0, zlib.crc32(rest)) + rest)


@dataclass
class Deframer:
    """Takes bytes as they come, gives bodies of frames; what stands outside of frames is dropped, and empty ones."""

    limit: int = 2 * (MOST_DATA + HEADER.size)
    _inside: bool = False
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The bodies that `data` completes."""
        bodies = []
        for number, piece in enumerate(data.split(END)):
            if number:
                inside = b"".join(self._parts)
                # A second C0 in a row begins a frame rather than ending an empty one.
                if self._inside and inside:
                    bodies.append(unescaped(inside))
                self._inside = not (self._inside and inside)
                self._parts, self._size = [], 0
            if piece and self._inside and self._size < self.limit:
                self._parts.append(piece)
                self._size += len(piece)
        return bodies
