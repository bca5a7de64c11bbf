"""The board's 16 MiB of SPI flash, as a file; /flash lies beside it as a folder."""

from __future__ import annotations

import mmap
from pathlib import Path

from host_tools.errors import BoardError

FLASH_BYTES = 16 * 1024 * 1024
# SPIFFS begins here: no model may reach it.
FILE_SYSTEM = 0xD00000
_ERASED = b"\xff"


class FlashChip:
    """The chip whose content is the file at `path`; a new one, erased, where there is none.

    BoardError for a file that is no chip of this size, or that cannot be made.
    """

    size = FLASH_BYTES

    def __init__(self, path: Path) -> None:
        self._files_gone = False
        try:
            is_new = not path.exists()
            if not is_new and path.stat().st_size != FLASH_BYTES:
                raise BoardError(
                    f"{path}: {path.stat().st_size} bytes are no flash chip's content, which has {FLASH_BYTES}; name "
                    "another file, or none to begin with an erased chip"
                )
            with path.open("w+b" if is_new else "r+b") as file:
                file.truncate(FLASH_BYTES)
                self._memory = mmap.mmap(file.fileno(), FLASH_BYTES)
        except OSError as error:
            raise BoardError(f"{path}: cannot be the flash chip's file ({error.strerror})") from error
        if is_new:
            self._memory[:] = _ERASED * FLASH_BYTES

    def write(self, address: int, data: bytes) -> None:
        """Put bytes at an address; BoardError if they would reach the file system."""
        if not 0 <= address <= address + len(data) <= FILE_SYSTEM:
            raise BoardError(
                f"{len(data)} bytes at flash {address:#x} do not fit below the file system at {FILE_SYSTEM:#x}"
            )
        self._memory[address : address + len(data)] = data

    def program(self, address: int, data: bytes) -> bool:
        """Put bytes anywhere, as a programmer does; whether they fit the chip."""
        fits = 0 <= address <= FLASH_BYTES - len(data)
        if fits:
            self._memory[address : address + len(data)] = data
            self._files_gone |= address + len(data) > FILE_SYSTEM
        return fits

    def files_gone(self) -> bool:
        """Whether a programmer has overwritten the file system since this was asked last."""
        gone, self._files_gone = self._files_gone, False
        return gone

    def erase(self, address: int, size: int) -> bool:
        """Set bytes to FF; whether they are on the chip."""
        return self.program(address, _ERASED * size) if size <= FLASH_BYTES else False

    def read(self, address: int, size: int) -> bytes:
        """Bytes from an address on; fewer at the chip's end."""
        return self._memory[address : address + size]

    def close(self) -> None:
        """Let the file go."""
        self._memory.close()
