"""The board's system heap: what firmware and MicroPython's heap leave of the 6 MiB, for models, camera and LCD."""

from __future__ import annotations

from conversion import memory_budget


class OutOfMemoryError(Exception):
    """A malloc that the board would have refused."""


class SystemHeap:
    """First fit, in address order. As on the board, only what lies above all blocks counts as free."""

    def __init__(self, image_bytes: int, gc_heap_bytes: int = memory_budget.MICROPYTHON_HEAP_BYTES) -> None:
        """`image_bytes`: RAM that the firmware's code and data take."""
        self.size = memory_budget.GENERAL_RAM_BYTES - image_bytes - gc_heap_bytes
        self._blocks: dict[int, int] = {}

    @property
    def free(self) -> int:
        """Bytes from the end of the highest block on (Maix.utils.heap_free)."""
        return self.size - max((start + size for start, size in self._blocks.items()), default=0)

    def take(self, size: int) -> int:
        """Memory of `size` bytes; gives its address, OutOfMemoryError if no gap is large enough."""
        start, size = 0, max(size, 1)
        for block in sorted(self._blocks):
            if block - start >= size:
                break
            start = block + self._blocks[block]
        if start + size > self.size:
            raise OutOfMemoryError(size)
        self._blocks[start] = size
        return start

    def give(self, address: int) -> None:
        """Free what take() gave."""
        del self._blocks[address]
