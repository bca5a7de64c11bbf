"""OTP: the one-time memory; blank but for the chip's unique number (SDK: otp.h)."""

from __future__ import annotations

from host_tools.k210.blocks.registers import Chip, Registers

_DATA, _ADDRESS, _READY, _DATA_READY = 0x24, 0x30, 0x3C, 0xAC
# Where the unique number lies, in bytes; addresses are in bits.
_UNIQUE_AT, UNIQUE_BYTES = 0x3D90, 32
# No chip's number, the same for every machine, so that runs repeat.
UNIQUE = bytes((7 * n + 11) & 0xFF for n in range(UNIQUE_BYTES))


class Otp(Registers):
    """Ready at once; writing burns nothing."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "otp")

    def get(self, offset: int) -> int:
        if offset in (_READY, _DATA_READY):
            return 1
        if offset == _DATA:
            at = (self.values.get(_ADDRESS, 0) >> 3) - _UNIQUE_AT
            return UNIQUE[at] if 0 <= at < UNIQUE_BYTES else 0
        return super().get(offset)
