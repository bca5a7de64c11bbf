"""The K210's memory: 6 MiB of general SRAM and the KPU's 2 MiB behind it, at two addresses."""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

import numpy as np

from host_tools.k210.errors import EmulatorError

# Cached and uncached, K210 datasheet, "memory map": the KPU's RAM begins 6 MiB behind each.
RAM, RAM_ALIAS = 0x8000_0000, 0x4000_0000
GENERAL_BYTES = 6 * 1024 * 1024
SIZE = 8 * 1024 * 1024


class Memory:
    """Bytes that both harts and every DMA master see; `data` is a writable view of all of them."""

    def __init__(self) -> None:
        self._map(bytes(SIZE))

    def _map(self, content: bytes) -> None:
        # NumPy finds and keeps the address; the harts map it as their memory.
        self._mapping = mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.data = memoryview(self._mapping)
        self.data[:] = content
        self.array = np.frombuffer(self._mapping, np.uint8)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self._mapping))

    def __getstate__(self) -> bytes:
        return bytes(self.data)

    def __setstate__(self, content: bytes) -> None:
        self._map(content)

    @property
    def kpu_ram(self) -> np.ndarray:
        """uint8 [2 MiB], in place."""
        return self.array[GENERAL_BYTES:]

    def clear(self) -> None:
        """What a loss of power does."""
        self.array[:] = 0

    def offset(self, address: int, size: int = 1) -> int:
        """Offset into `data` of a bus address, or -1 where `size` bytes are not all memory."""
        for base in (RAM, RAM_ALIAS):
            if base <= address and address + size <= base + SIZE:
                return address - base
        return -1

    def load(self, address: int, size: int) -> bytes:
        """Bytes at a bus address; EmulatorError where there is no memory."""
        return bytes(self.data[self._at(address, size) :][:size])

    def store(self, address: int, data: Any) -> None:
        """Write bytes at a bus address; EmulatorError where there is no memory."""
        at = self._at(address, len(data))
        self.data[at : at + len(data)] = data

    def _at(self, address: int, size: int) -> int:
        at = self.offset(address, size)
        if at < 0:
            raise EmulatorError(f"{size} bytes at {address:#x} are not in the K210's memory")
        return at
