"""The SHA-256 engine: takes padded blocks, as many as were announced, and holds the digest (SDK: sha256.h)."""

from __future__ import annotations

import hashlib

from host_tools.k210.blocks.registers import Chip, Registers

_DIGEST_END, _DATA, _COUNT, _CONTROL, _DMA = 0x20, 0x20, 0x28, 0x2C, 0x34
_BLOCK = 64
_DONE, _FULL = 1, 0x100
_ENABLED = 1


class Sha256(Registers):
    """Padding is the guest's; the digest is that of what it padded.

    Enabling it begins a message. MaixPy's uhashlib raises the number of blocks while one is under way."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "sha256")
        self.reset()

    def reset(self) -> None:
        super().reset()
        self._data, self._digest = bytearray(), bytes(32)

    def get(self, offset: int) -> int:
        if offset < _DIGEST_END:
            at = _DIGEST_END - 4 - offset  # the last word first
            return int.from_bytes(self._digest[at : at + 4], "little")
        if offset == _DMA:
            return super().get(offset) & ~_FULL
        return super().get(offset) | _DONE if offset == _CONTROL else super().get(offset)

    def set(self, offset: int, value: int) -> None:
        if offset == _DATA:
            self._take(value.to_bytes(4, "little"))
            return
        super().set(offset, value)
        if offset == _CONTROL and value & _ENABLED:
            self._data.clear()

    def _take(self, word: bytes) -> None:
        wanted = _BLOCK * (self.values.get(_COUNT, 0) & 0xFFFF)
        if len(self._data) >= wanted:
            return
        self._data += word
        if len(self._data) == wanted:
            length = int.from_bytes(self._data[-8:], "big") // 8
            self._digest = hashlib.sha256(self._data[: min(length, wanted)]).digest()
