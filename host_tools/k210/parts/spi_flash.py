"""The board's flash chip, a Winbond W25Q128JV with a file or bytes behind it (data sheet, revision F).

Programming only clears bits, erasing sets them; both keep the chip busy. Power can be cut in the middle of either.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from host_tools.k210.blocks.registers import Chip
from host_tools.k210.errors import EmulatorError

SIZE = 16 * 1024 * 1024
PAGE, SECTOR = 256, 4096
# Typical times of the data sheet: a page's program, an erase of 4, 32 and 64 KiB and of the chip; status register.
PROGRAM_SECONDS = Fraction(4, 10_000)
ERASE_SECONDS = {0x20: Fraction(45, 1000), 0x52: Fraction(120, 1000), 0xD8: Fraction(150, 1000)}
ERASE_BYTES = {0x20: SECTOR, 0x52: 32 * 1024, 0xD8: 64 * 1024}
CHIP_ERASE_SECONDS, STATUS_SECONDS = Fraction(40), Fraction(10, 1000)
_READS = (0x03, 0x0B, 0x3B, 0x6B, 0xBB, 0xEB)
_PROGRAMS, _CHIP_ERASES, _STATUS_READS, _STATUS_WRITES = (
    (0x02, 0x32),
    (0xC7, 0x60),
    (0x05, 0x35, 0x15),
    (0x01, 0x31, 0x11),
)
_WRITE_ENABLE, _WRITE_DISABLE = (0x06, 0x50), 0x04
_BUSY, _LATCH = 1, 2
# Quad enable, as MaixPy leaves it.
_STATUS = (0, 2, 0)
_IDENTITIES = {0x90: b"\xef\x17", 0x9F: b"\xef\x40\x18", 0xAB: b"\x17", 0x4B: bytes.fromhex("00d164801234567890abcdef")}
_SILENT = (0xFF, 0x66, 0x99, 0xB9)
_ERASED = b"\xff"


@dataclass
class Cut:
    """Power goes away at a program or erase: which from now on (1 is the next), what share of it is done by then."""

    operation: int
    done: float


class SpiFlash:
    """Selected whenever SPI3 has a slave selected. `data` is its content."""

    def __init__(self, chip: Chip, content: Path | bytes | None) -> None:
        """`content`: a file of 16 MiB that is written to (made, erased, if there is none), bytes, or None: erased."""
        self._chip = chip
        self.data = _open(content)
        self._in_file = isinstance(content, Path)
        self.on_cut: Callable[[], None] | None = None
        self.cut: Cut | None = None
        self.programs = self.erases = self.read_bytes = 0
        self.power_on()

    def power_on(self) -> None:
        """What its own supply does: its state, not its content."""
        self._status, self._writable, self._busy_until = list(_STATUS), False, 0
        self._polled = False

    def __getstate__(self) -> dict:
        return {**self.__dict__, "data": bytes(self.data), "_in_file": False, "on_cut": None}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self.data = bytearray(state["data"])

    def keep_in(self, path: Path) -> None:
        """Go on with a file, whose content becomes the chip's."""
        content, self.data, self._in_file = bytes(self.data), _open(path), True
        self.data[:] = content

    def read(self, address: int, size: int) -> bytes:
        """Bytes at an address, for whoever looks at the chip from outside."""
        return bytes(self.data[address : address + size])

    def put(self, address: int, data: bytes) -> None:
        """Put bytes on the chip as a programmer does; EmulatorError where they do not fit."""
        if not 0 <= address <= address + len(data) <= SIZE:
            raise EmulatorError(f"{len(data)} bytes at flash {address:#x} do not fit on a chip of {SIZE:#x} bytes")
        self.data[address : address + len(data)] = data

    # --- the SPI side --------------------------------------------------------------------------------------------

    def selected(self, _controller: object) -> bool:
        """SPI3 leads nowhere else."""
        return True

    def transfer(self, data: bytes, wanted: int) -> bytes:
        """One command with its answer."""
        if not data:
            return _ERASED * wanted
        command, busy = data[0], self._chip.clock.cycles < self._busy_until
        if command in _STATUS_READS:
            return bytes([self._read_status(_STATUS_READS.index(command))]) * wanted
        if busy:
            return _ERASED * wanted  # a busy chip takes nothing else
        self._polled = False
        address = int.from_bytes(data[1:4], "big") & SIZE - 1
        if command in _READS:
            return self._read(address, wanted)
        if command in _IDENTITIES:
            identity = _IDENTITIES[command]
            return (identity * (wanted // len(identity) + 1))[:wanted]
        self._command(command, address, data)
        return _ERASED * wanted

    def _read(self, address: int, wanted: int) -> bytes:
        self.read_bytes += wanted
        out = bytes(self.data[address : address + wanted])
        return out + bytes(self.data[: wanted - len(out)])

    def _read_status(self, number: int) -> int:
        if number:
            return self._status[number]
        clock = self._chip.clock
        if clock.cycles < self._busy_until:
            # The guest polls: from its second look on, time passes to where there is something new.
            if self._polled:
                clock.wait(self._busy_until)
            self._polled = True
        busy = _BUSY if clock.cycles < self._busy_until else 0
        return self._status[0] & ~(_BUSY | _LATCH) | busy | (_LATCH if self._writable else 0)

    def _command(self, command: int, address: int, data: bytes) -> None:
        if command in _WRITE_ENABLE or command == _WRITE_DISABLE:
            self._writable = command != _WRITE_DISABLE
        elif command in _STATUS_WRITES:
            for number, byte in enumerate(data[1:], start=_STATUS_WRITES.index(command)):
                if number < len(self._status):
                    self._status[number] = byte
            self._take_time(STATUS_SECONDS)
        elif command in _PROGRAMS and len(data) > 4:
            self._program(address, data[4:])
        elif command in ERASE_BYTES:
            self._erase(address & -ERASE_BYTES[command], ERASE_BYTES[command], ERASE_SECONDS[command])
        elif command in _CHIP_ERASES:
            self._erase(0, SIZE, CHIP_ERASE_SECONDS)
        elif command not in _SILENT:
            self._chip.note(f"the flash chip was sent command {command:#04x}, which it does not have here")

    def _take_time(self, seconds: Fraction) -> None:
        self._busy_until = self._chip.clock.cycles + self._chip.clock.cycles_of(seconds)
        self._writable = False

    def _share(self) -> float:
        """How much of an operation happens: all of it, unless power goes away."""
        if self.cut is None:
            return 1.0
        self.cut.operation -= 1
        return 1.0 if self.cut.operation else self.cut.done

    def _program(self, address: int, data: bytes) -> None:
        if not self._writable:
            self._chip.note(f"a page of flash at {address:#x} was programmed without a write enable: nothing happens")
            return
        self.programs += 1
        share = self._share()
        page, at = address & -PAGE, address & PAGE - 1
        for byte in data[: int(len(data) * share)]:
            self.data[page + at] &= byte
            at = (at + 1) % PAGE
        self._take_time(PROGRAM_SECONDS)
        self._lose_power()

    def _erase(self, address: int, size: int, seconds: Fraction) -> None:
        if not self._writable:
            self._chip.note(f"flash at {address:#x} was erased without a write enable: nothing happens")
            return
        self.erases += 1
        done = int(size * self._share())
        self.data[address : address + done] = _ERASED * done
        self._take_time(seconds)
        self._lose_power()

    def _lose_power(self) -> None:
        if self.cut is not None and self.cut.operation <= 0:
            self.cut = None
            if self.on_cut:
                self.on_cut()


def _open(content: Path | bytes | None) -> bytearray | mmap.mmap:
    if content is None:
        return bytearray(_ERASED * SIZE)
    if not isinstance(content, Path):
        _check_size("the flash content", len(content))
        return bytearray(content)
    try:
        if not content.exists():
            made = content.with_name(content.name + ".new")
            made.write_bytes(_ERASED * SIZE)
            made.replace(content)
        _check_size(str(content), content.stat().st_size)
        with content.open("r+b") as file:
            return mmap.mmap(file.fileno(), SIZE)
    except OSError as error:
        raise EmulatorError(f"{content}: the flash file cannot be used ({error.strerror})") from error


def _check_size(where: str, size: int) -> None:
    if size != SIZE:
        raise EmulatorError(
            f"{where}: {size} bytes, but a board's flash chip has {SIZE}; name a file that is no flash yet"
        )
