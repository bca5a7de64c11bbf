"""CLINT: the timer and software interrupts of both harts (SDK: clint.h)."""

from __future__ import annotations

from host_tools.k210.blocks.registers import WORD, Chip, Registers
from host_tools.k210.engine.hart import MSIP, MTIP

HARTS = 2
# mtime counts the CPU's clock divided by this (clint.c: CLINT_CLOCK_DIV).
DIVIDER = 50
_MSIP_END, _MTIMECMP, _MTIME = 8, 0x4000, 0xBFF8
_NEVER = 2**64 - 1


class Clint(Registers):
    """mtime follows the emulated clock; writing it is not modelled (the firmware never does)."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "clint")
        self.reset()

    def reset(self) -> None:
        super().reset()
        self.msip = [0] * HARTS
        self.mtimecmp = [_NEVER] * HARTS

    def mtime(self) -> int:
        """Ticks since power-on."""
        return self.chip.clock.cycles // DIVIDER

    def pending(self, hart: int) -> int:
        """MSIP and MTIP of a hart's mip."""
        bits = MSIP if self.msip[hart] else 0
        compare = self.mtimecmp[hart]
        return bits | MTIP if compare != _NEVER and self.mtime() >= compare else bits

    def get(self, offset: int) -> int:
        if offset < _MSIP_END:
            return self.msip[offset // 4]
        if _MTIMECMP <= offset < _MTIMECMP + 8 * HARTS:
            return self.mtimecmp[(offset - _MTIMECMP) // 8] >> 8 * (offset & 4) & WORD
        if offset == _MTIME:
            return self.mtime() & WORD
        return self.mtime() >> 32 if offset == _MTIME + 4 else 0

    def set(self, offset: int, value: int) -> None:
        if offset < _MSIP_END:
            self.msip[offset // 4] = value & 1
        elif _MTIMECMP <= offset < _MTIMECMP + 8 * HARTS:
            hart, shift = (offset - _MTIMECMP) // 8, 8 * (offset & 4)
            self.mtimecmp[hart] = self.mtimecmp[hart] & ~(WORD << shift) | value << shift
            if self.mtimecmp[hart] < _NEVER // DIVIDER:
                self.chip.clock.at(self.mtimecmp[hart] * DIVIDER, self._due)
        self._due()

    def _due(self) -> None:
        self.chip.interrupts_changed()
