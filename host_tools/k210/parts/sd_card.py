"""An SDHC card in SPI mode with an image file behind it (SD physical layer specification 6.00, chapter 7).

Checksums of commands and of what is written are not looked at, as long as nobody switches that on (command 59); blocks
that are read have theirs. A card is never busy: what was written is there at once.
"""

from __future__ import annotations

import binascii
import mmap
from dataclasses import dataclass
from pathlib import Path

from host_tools.k210.blocks.registers import Chip
from host_tools.k210.errors import EmulatorError

SECTOR = 512
_UNIT = 512 * 1024  # a card's size is a multiple: the CSD counts it so
_IDLE, _ILLEGAL, _BAD_ARGUMENT = 0x01, 0x04, 0x40
_TOKEN, _TOKEN_MANY, _STOP_TOKEN, _ACCEPTED = 0xFE, 0xFC, 0xFD, 0x05
# In place of a block that there is not: the read's error token, the answer to what was written.
_OUT_OF_RANGE, _NOT_WRITTEN = 0x08, 0x0D
_CHECKSUM_BYTES = 2
# Commands without another answer than the status.
_PLAIN = (12, 13, 16, 23, 55, 59)
# Those whose argument is a sector.
_ADDRESSED = _READ, _READ_MANY, _WRITE, _WRITE_MANY = 17, 18, 24, 25
_IDENTITY = b"\x03EMk210\x10\x00\x00\x00\x01\x01\x6a\x01"


@dataclass(frozen=True)
class Wiring:
    """The slot's pins, as MaixPy's sdcard.c or the board's config.json has them."""

    clock: int = 27
    select: int = 29


class SdCard:
    """Selected while its pin is low. `writes` counts sectors."""

    def __init__(self, chip: Chip, wiring: Wiring, path: Path) -> None:
        self._chip, self._wiring = chip, wiring
        self.path = path
        self._open()
        self.reads = self.writes = 0
        self._idle, self._application = True, False
        self._release()

    def _open(self) -> None:
        try:
            size = self.path.stat().st_size
            if size < 2 * _UNIT or size % _UNIT:
                raise EmulatorError(
                    f"{self.path}: {size} bytes are no SD card's image; its size is a multiple of {_UNIT}"
                )
            with self.path.open("r+b") as file:
                self.data = mmap.mmap(file.fileno(), 0)
        except OSError as error:
            raise EmulatorError(f"{self.path}: the SD card's image cannot be used ({error.strerror})") from error

    def __getstate__(self) -> dict:
        return {name: value for name, value in self.__dict__.items() if name != "data"}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._open()

    def _release(self) -> None:
        self._command, self._answer = bytearray(), bytearray()
        self._writing: tuple[int, bool] | None = None
        self._block: bytearray | None = None
        self._stream: int | None = None

    def selected(self, controller) -> bool:
        """Whether a controller's clock goes to the slot and the card's select line is low."""
        function = controller.clock_function
        if function is None or not self._chip.pins.is_function(self._wiring.clock, function):
            return False
        if self._chip.pins.level(self._wiring.select):
            self._release()
            return False
        return True

    def transfer(self, data: bytes, wanted: int) -> bytes:
        """Bytes of commands or blocks, and of answers."""
        for byte in data:
            self._take(byte)
        if not wanted:
            return b""
        while len(self._answer) < wanted and self._stream is not None:
            if not self._has(self._stream):
                self._answer.append(_OUT_OF_RANGE)
                self._stream = None
                break
            self._answer += _block(self._sector(self._stream))
            self._stream += 1
        out = bytes(self._answer[:wanted])
        del self._answer[:wanted]
        return out.ljust(wanted, b"\xff")

    def _has(self, sector: int) -> bool:
        return SECTOR * sector < len(self.data)

    def _sector(self, number: int) -> bytes:
        self.reads += 1
        return self.data[SECTOR * number : SECTOR * (number + 1)]

    def _take(self, byte: int) -> None:
        if self._block is not None:
            self._take_block(byte)
        elif self._writing and byte in (_TOKEN, _TOKEN_MANY):
            self._block = bytearray()
        elif self._writing and byte == _STOP_TOKEN:
            self._writing = None
        elif self._command or byte & 0xC0 == 0x40:
            self._command.append(byte)
            if len(self._command) == 6:
                number, argument = self._command[0] & 63, int.from_bytes(self._command[1:5], "big")
                self._command = bytearray()
                self._run(number, argument)

    def _take_block(self, byte: int) -> None:
        self._block.append(byte)
        if len(self._block) < SECTOR + _CHECKSUM_BYTES:
            return
        sector, several = self._writing
        is_there = self._has(sector)
        if is_there:
            self.data[SECTOR * sector : SECTOR * (sector + 1)] = bytes(self._block[:SECTOR])
            self.writes += 1
        self._block = None
        self._writing = (sector + 1, True) if several else None
        self._answer = bytearray((_ACCEPTED if is_there else _NOT_WRITTEN, 0, 0xFF))

    def _run(self, number: int, argument: int) -> None:
        application, self._application = self._application, number == 55
        self._stream = None
        body, error = b"", 0
        if number in _ADDRESSED:
            error, body = self._access(number, argument)
        elif number == 0:
            self._idle = True
        elif number == 41 and application:
            self._idle = False
        elif number == 8:
            body = bytes((0, 0, 1, argument & 0xFF))
        elif number == 58:
            body = b"\xc0\xff\x80\x00"  # powered up, addresses are sectors
        elif number in (9, 10):
            body = _block(self._csd() if number == 9 else _IDENTITY)
        elif number not in _PLAIN:
            error = _ILLEGAL
            self._chip.note(f"the SD card was sent command {number}, which it does not have here")
        self._answer = bytearray((0xFF, error | (_IDLE if self._idle else 0))) + body

    def _access(self, number: int, sector: int) -> tuple[int, bytes]:
        """Begin to read or write at a sector: the error, and what is read at once."""
        if not self._has(sector):
            return _BAD_ARGUMENT, b""
        if number == _READ:
            return 0, _block(self._sector(sector))
        if number == _READ_MANY:
            self._stream = sector
        else:
            self._writing = sector, number == _WRITE_MANY
        return 0, b""

    def _csd(self) -> bytes:
        """Card-specific data, version 2: what counts in it is the size."""
        units = len(self.data) // _UNIT - 1
        size = bytes((units >> 16 & 63, units >> 8 & 255, units & 255))
        return bytes((0x40, 0x0E, 0, 0x32, 0x5B, 0x59, 0)) + size + bytes((0x7F, 0x80, 0x0A, 0x40, 0, 1))


def _block(data: bytes) -> bytes:
    """Data as they are read: a token before them, CRC-16 (XModem's) behind."""
    return bytes([_TOKEN]) + data + binascii.crc_hqx(data, 0).to_bytes(_CHECKSUM_BYTES, "big")
