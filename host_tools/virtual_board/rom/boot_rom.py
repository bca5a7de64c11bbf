"""A K210 in download mode: the mask ROM loads kflash's stub into RAM, the stub writes flash, and the chip starts anew.

Source: kflash 1.1.6, the only description of both. The stub itself is not run: what kflash knows of it is here.
"""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable, Iterable
from typing import ClassVar

from host_tools.flashing import images, isp
from host_tools.virtual_board.flash_chip import FlashChip
from host_tools.virtual_board.rom.faults import DownloadFault, Flip

_ENCRYPTED = 0x01
# The general RAM: a stub cannot be longer.
_RAM_BYTES = 6 * 1024 * 1024
_GARBAGE_BYTES = 24
_HARMLESS = bytes(byte for byte in range(256) if byte not in isp.END + isp.ESCAPE)
Fault = DownloadFault | Flip
_Handlers = dict[isp.Operation, Callable[["BootRom", isp.Command], isp.Status | None]]


def starts(flash: FlashChip) -> bool:
    """Whether the ROM finds a whole firmware at address 0; one that is encrypted needs keys that no board here has."""
    flags, length = images.FIRMWARE_HEADER.unpack(flash.read(0, images.FIRMWARE_HEADER.size))
    if flags & _ENCRYPTED or not 0 < length <= _RAM_BYTES:
        return False
    image = flash.read(0, images.FIRMWARE_HEADER.size + length + images.DIGEST_BYTES)
    return hashlib.sha256(image[: -images.DIGEST_BYTES]).digest() == image[-images.DIGEST_BYTES :]


class BootRom:
    """Off while a program runs. The chip's thread enters and leaves, the line's thread does the rest."""

    def __init__(
        self,
        flash: FlashChip,
        faults: Iterable[Fault],
        send: Callable[[bytes], None],
        unplug: Callable[[], None],
    ) -> None:
        """`send` puts bytes on the line, `unplug` pulls the cable."""
        self._flash, self._send, self._unplug = flash, send, unplug
        self._faults = [fault for fault in faults if isinstance(fault, DownloadFault)]
        self._flips = [fault for fault in faults if isinstance(fault, Flip)]
        self._noise = random.Random(0)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._reset()
        self.active = False

    def _reset(self) -> None:
        self.baud = isp.BAUD
        # Neither answers nor reads.
        self.stalled = False
        self._stub = False
        self._ram: dict[int, bytes] = {}
        self._deframer = isp.Deframer()

    def enter(self) -> None:
        """A reset with the boot pin low, or without a firmware in flash."""
        with self._lock:
            self._reset()
            self._over.clear()
            self.active = True

    @property
    def over(self) -> bool:
        """Whether a reset has come that finds a firmware."""
        return self._over.is_set()

    def leave(self) -> None:
        """Let the chip go on to its program if it may."""
        with self._lock:
            if self._over.is_set():
                self.active = False

    def restart(self) -> None:
        """A reset with the boot pin high: the program, or download mode where there is none."""
        if starts(self._flash):
            self._over.set()
        else:
            self.enter()

    def lines_toggled(self) -> None:
        """A reset into download mode, unless the chip waits for a greeting anyway."""
        if not self.active or self._stub or self.stalled or self.baud != isp.BAUD:
            self.enter()

    def feed(self, data: bytes) -> None:
        """Bytes for the chip in download mode."""
        for body in self._deframer.feed(data):
            command = isp.Command.read(body)
            if command is not None and not self.stalled:
                self._take(command)

    def _take(self, command: isp.Command) -> None:
        kinds = [fault.kind for fault in self._faults if fault.strikes(command.operation)]
        if kinds:
            self._fail(kinds[0], command)
        else:
            self._answer(command.operation, self._do(command))

    def _fail(self, kind: str, command: isp.Command) -> None:
        """One of KINDS."""
        if kind in ("bad_checksum", "bad_write", "busy"):
            self._answer(command.operation, isp.Status[kind.upper()])
        elif kind == "stall":
            self.stalled = True
        elif kind == "unplug":
            self._unplug()
        elif kind == "reset":
            self.restart()
        elif kind != "silent":
            status = self._do(command)
            if kind != "wrong_echo":
                self._send(bytes(self._noise.choices(_HARMLESS, k=_GARBAGE_BYTES)))
            if kind != "garbage":
                self._answer(isp.Operation.DEBUG - 1 if kind == "wrong_echo" else command.operation, status)

    def _answer(self, operation: int, status: isp.Status | None) -> None:
        if status is not None:
            # A damaged request may have a number of two bytes.
            self._send(isp.frame(bytes([operation & 0xFF, status])))

    def _do(self, command: isp.Command) -> isp.Status | None:
        """Carry a request out; the status of the answer, None where there is none."""
        if not command.sound:
            return isp.Status.BAD_CHECKSUM
        handlers = self._stub_requests if self._stub else self._rom_requests
        handler = handlers.get(command.operation)
        return isp.Status.INVALID_COMMAND if handler is None else handler(self, command)

    def _greet(self, command: isp.Command) -> isp.Status:
        return isp.Status.OK

    def _write_ram(self, command: isp.Command) -> isp.Status:
        if not isp.RAM_START <= command.address <= isp.RAM_START + _RAM_BYTES - len(command.data):
            return isp.Status.BAD_LENGTH
        self._ram[command.address] = command.data
        return isp.Status.OK

    def _start(self, command: isp.Command) -> None:
        """Jump into RAM. A stub with a gap in it would crash, and the chip be silent."""
        end = isp.RAM_START
        for address in sorted(self._ram):
            if address == end:
                end += len(self._ram[address])
        whole = end == isp.RAM_START + sum(map(len, self._ram.values())) > isp.RAM_START
        self._stub = command.address == isp.RAM_START and whole
        self.stalled = not self._stub
        self.baud = isp.BAUD

    def _set_baud(self, command: isp.Command) -> None:
        if len(command.data) == 4:
            self.baud = int.from_bytes(command.data, "little")

    def _write_flash(self, command: isp.Command) -> isp.Status:
        if not command.data or len(command.data) > isp.MOST_DATA:
            return isp.Status.BAD_LENGTH
        data = command.data
        for flip in self._flips:
            data = flip.spoil(command.address, data)
        return isp.Status.OK if self._flash.program(command.address, data) else isp.Status.BAD_WRITE

    def _erase_flash(self, command: isp.Command) -> isp.Status:
        size = command.length or self._flash.size
        return isp.Status.OK if self._flash.erase(command.address, size) else isp.Status.BAD_ERASE

    def _reboot(self, command: isp.Command) -> None:
        self._answer(command.operation, isp.Status.OK)
        self.restart()

    _rom_requests: ClassVar[_Handlers] = {
        isp.Operation.GREET: _greet,
        isp.Operation.WRITE_RAM: _write_ram,
        isp.Operation.START: _start,
        isp.Operation.ROM_BAUD: _set_baud,
    }
    _stub_requests: ClassVar[_Handlers] = {
        isp.Operation.STUB_GREET: _greet,
        isp.Operation.STUB_BAUD: _set_baud,
        isp.Operation.INIT_FLASH: _greet,
        isp.Operation.WRITE_FLASH: _write_flash,
        isp.Operation.ERASE_FLASH: _erase_flash,
        isp.Operation.FLASH_STATUS: _greet,
        isp.Operation.REBOOT: _reboot,
    }
