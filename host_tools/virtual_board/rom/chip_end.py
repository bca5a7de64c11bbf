"""The chip's end of the serial line: the UART of its program, or the ROM in download mode."""

from __future__ import annotations

from collections.abc import Callable

from host_tools.flashing import isp
from host_tools.virtual_board.rom.boot_rom import BootRom
from host_tools.virtual_board.uart import Uart


class ChipEnd:
    """What the line asks and tells; all of it in the line's thread."""

    def __init__(self, uart: Uart, rom: BootRom, has_own_time: Callable[[], bool]) -> None:
        """Either of them listens; `has_own_time()` says that the program's UART counts its bits itself."""
        self._uart, self._rom, self._has_own_time = uart, rom, has_own_time
        self._tail = b""

    @property
    def baud(self) -> int:
        """The chip's rate."""
        return self._rom.baud if self._rom.active else self._uart.baud

    @property
    def timed(self) -> bool:
        """Whether its processor waits for bytes as they come; the ROM takes them at once."""
        return not (self._rom.active or self._has_own_time())

    @property
    def deaf(self) -> bool:
        """Whether the chip takes no more bytes."""
        return self._rom.active and self._rom.stalled

    def notice(self, data: bytes, rate: int) -> None:
        """What a client puts on the line, at its rate, before the line has done anything to it.

        A pseudo-terminal has no DTR and RTS. What they do before kflash greets the ROM, at 115200, happens here at the
        greeting itself. No program of ours is ever sent these bytes: they are no text.
        """
        seen = self._tail + data
        self._tail = seen[1 - len(isp.GREETING) :]
        if isp.GREETING in seen and rate == isp.BAUD:
            self._tail = b""
            self._rom.lines_toggled()

    def receive(self, data: bytes) -> None:
        """Bytes that arrived."""
        if self._rom.active:
            self._rom.feed(data)
        else:
            self._uart.receive(data)
