"""The AES engine: ECB, CBC and GCM with keys of 128, 192 and 256 bits (SDK: aes.h)."""

from __future__ import annotations

from collections import deque
from typing import Any

from host_tools.k210.blocks.dmac import Channel
from host_tools.k210.blocks.registers import Chip, Registers

_KEY, _DECRYPT, _MODE, _IV = 0x00, 0x10, 0x14, 0x18
_FINISH, _DMA_SELECT, _AAD_BYTES, _TEXT_BYTES = 0x2C, 0x30, 0x34, 0x3C
_TEXT, _AAD, _TAG_CHECK, _INPUT_READY, _TAG_IN = 0x40, 0x44, 0x48, 0x4C, 0x50
_OUTPUT, _ENABLE, _OUTPUT_READY, _TAG_READY, _TAG_CLEAR, _TAG, _KEY_HIGH = 0x60, 0x64, 0x68, 0x6C, 0x70, 0x74, 0x84
_BLOCK = 16
_ECB, _CBC, _GCM = range(3)
_KEY_BYTES = (16, 24, 32, 32)
_TAG_GOOD, _TAG_BAD = 2, 1
_GCM_IV_BYTES = 12


class Aes(Registers):
    """Text goes in by words and comes out by words; a text begins when the engine is enabled."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "aes")
        self.reset()

    def reset(self) -> None:
        super().reset()
        self._begin()

    def _begin(self) -> None:
        self._aad, self._text, self._taken = bytearray(), bytearray(), 0
        self._out: deque[int] = deque()
        self._tag, self._tag_in, self._check = bytes(_BLOCK), bytearray(), 0
        self._chain = b""

    # --- the keys ------------------------------------------------------------------------------------------------

    def _words(self, offset: int, count: int) -> bytes:
        """Words as the driver stores them: the last four bytes first."""
        return b"".join(self.values.get(offset + 4 * n, 0).to_bytes(4, "little") for n in reversed(range(count)))

    @property
    def _key(self) -> bytes:
        size = _KEY_BYTES[self.values.get(_MODE, 0) >> 3 & 3]
        return self._words(_KEY_HIGH, size // 4 - 4) + self._words(_KEY, 4)

    @property
    def _mode(self) -> int:
        return self.values.get(_MODE, 0) & 7

    @property
    def _decrypts(self) -> bool:
        return bool(self.values.get(_DECRYPT, 0) & 1)

    # --- text ----------------------------------------------------------------------------------------------------

    def _take(self, word: int) -> None:
        self._text += word.to_bytes(4, "little")
        if self._mode == _GCM:
            self._gcm()
        elif len(self._text) == _BLOCK:
            self._emit(self._block(bytes(self._text)))
            self._text.clear()

    def _block(self, block: bytes) -> bytes:
        """One block in ECB or CBC mode."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        mode = modes.CBC(self._chain or self._words(_IV, 4)) if self._mode == _CBC else modes.ECB()
        cipher = Cipher(algorithms.AES(self._key), mode)
        worker = cipher.decryptor() if self._decrypts else cipher.encryptor()
        out = worker.update(block) + worker.finalize()
        self._chain = block if self._decrypts else out
        return out

    def _gcm(self) -> None:
        """All of the text, once it is there: the tag is over it."""
        size = (self.values.get(_TEXT_BYTES, 0) & 0xFFFF_FFFF) + 1
        ready = min(len(self._text), size)
        worker = self._gcm_worker()
        # In both directions the keystream is the same; the tag is over what is encrypted.
        out = worker.update(bytes(self._text[:ready]))
        self._emit(out[self._taken :].ljust(-(-(ready - self._taken) // 4) * 4, b"\0"))
        self._taken = ready
        if ready == size:
            self._tag = self._gcm_tag(out, bytes(self._text[:size]))

    def _gcm_tag(self, out: bytes, text: bytes) -> bytes:
        worker = self._gcm_worker()
        worker.update(out if self._decrypts else text)
        worker.finalize()
        return worker.tag

    def _gcm_worker(self) -> Any:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        mode = modes.GCM(self._words(_IV, _GCM_IV_BYTES // 4))
        worker = Cipher(algorithms.AES(self._key), mode).encryptor()
        worker.authenticate_additional_data(bytes(self._aad[: self._aad_bytes]))
        return worker

    @property
    def _aad_bytes(self) -> int:
        return self.values.get(_AAD_BYTES, 0) + 1 & 0xFFFF_FFFF

    def _emit(self, data: bytes) -> None:
        for at in range(0, len(data), 4):
            self._out.append(int.from_bytes(data[at : at + 4], "little"))

    # --- registers -----------------------------------------------------------------------------------------------

    def dma_ready(self, channel: Channel) -> None:
        """Text by DMA, in or out."""
        if channel.to_memory:
            words = [self._out.popleft() if self._out else 0 for _ in range(channel.items)]
            channel.give(b"".join(word.to_bytes(4, "little") for word in words))
        else:
            data = channel.take()
            for at in range(0, len(data), 4):
                self._take(int.from_bytes(data[at : at + 4], "little"))
        channel.finish_after(channel.items)

    def get(self, offset: int) -> int:
        if offset == _OUTPUT:
            return self._out.popleft() if self._out else 0
        if offset == _OUTPUT_READY:
            return int(bool(self._out))
        if offset in (_INPUT_READY, _FINISH, _TAG_READY):
            return 1
        if offset == _TAG_CHECK:
            return self._check
        if _TAG <= offset < _TAG + _BLOCK:
            at = _BLOCK - 4 - (offset - _TAG)
            return int.from_bytes(self._tag[at : at + 4], "little")
        return super().get(offset)

    def set(self, offset: int, value: int) -> None:
        if offset == _TEXT:
            self._take(value)
        elif offset == _AAD:
            self._aad += value.to_bytes(4, "little")
        elif _TAG_IN <= offset < _TAG_IN + _BLOCK:
            super().set(offset, value)
            self._check = _TAG_GOOD if self._words(_TAG_IN, 4) == self._tag else _TAG_BAD
        else:
            super().set(offset, value)
            if offset == _ENABLE and value & 1:
                self._begin()
            elif offset == _TAG_CLEAR:
                self._check = 0
