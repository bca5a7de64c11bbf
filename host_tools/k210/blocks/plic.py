"""PLIC: level-triggered interrupt lines with priorities, and one context for each hart (SDK: plic.h)."""

from __future__ import annotations

from host_tools.k210.blocks.addresses import IRQ_LINES
from host_tools.k210.blocks.registers import WORD, Chip, Registers

HARTS = 2
_PENDING, _ENABLE, _TARGET = 0x1000, 0x2000, 0x20_0000
_ENABLE_STEP, _TARGET_STEP = 0x100, 0x2000
# A hart has machine and supervisor contexts; only the first of the two exists for the firmware.
_SUPERVISOR = 0x80
_THRESHOLD, _CLAIM = 0, 4
_MOST_PRIORITY = 7


class Plic(Registers):
    """Lines are set with `line`; a hart claims the most urgent one and completes it."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "plic")
        self.reset()

    def reset(self) -> None:
        super().reset()
        self.level = self.in_service = 0
        self.priority = [0] * IRQ_LINES
        self.enable, self.threshold = [0] * HARTS, [0] * HARTS

    def line(self, number: int, level: bool) -> None:
        """A device's line goes up or down."""
        bit = 1 << number
        if bool(self.level & bit) != bool(level):
            self.level ^= bit
            self.chip.interrupts_changed()

    def asserted(self, hart: int) -> bool:
        """Whether a hart's external interrupt is pending."""
        ready = self.level & ~self.in_service & self.enable[hart]
        return bool(ready) and self._best(hart)[1] > self.threshold[hart]

    def _best(self, hart: int) -> tuple[int, int]:
        """(line, priority) of the most urgent interrupt, the lowest line among equals; (0, 0) if there is none."""
        ready = self.level & ~self.in_service & self.enable[hart]
        found = best = 0
        while ready:
            low = ready & -ready
            number = low.bit_length() - 1
            if self.priority[number] > best:
                best, found = self.priority[number], number
            ready ^= low
        return found, best

    def get(self, offset: int) -> int:
        if offset < _PENDING:
            return self.priority[offset // 4] if offset // 4 < IRQ_LINES else 0
        if offset < _ENABLE:
            return (self.level & ~self.in_service) >> (offset - _PENDING) * 8 & WORD
        if offset < _TARGET:
            hart, word = self._enable_at(offset)
            return self.enable[hart] >> 32 * word & WORD if hart < HARTS else 0
        hart, register = divmod(offset - _TARGET, _TARGET_STEP)
        if hart >= HARTS:
            return 0
        if register == _THRESHOLD:
            return self.threshold[hart]
        return self._claim(hart) if register == _CLAIM else 0

    def _enable_at(self, offset: int) -> tuple[int, int]:
        """(hart, word) of an enable register; a hart that is none for what does not exist."""
        hart, rest = divmod(offset - _ENABLE, _ENABLE_STEP)
        word = rest // 4
        return (HARTS, 0) if rest & _SUPERVISOR or word * 32 >= IRQ_LINES else (hart, word)

    def _claim(self, hart: int) -> int:
        number = self._best(hart)[0]
        if number:
            self.in_service |= 1 << number
            self.chip.interrupts_changed()
        return number

    def set(self, offset: int, value: int) -> None:
        if offset < _PENDING:
            if 0 < offset // 4 < IRQ_LINES:
                self.priority[offset // 4] = value & _MOST_PRIORITY
        elif _ENABLE <= offset < _TARGET:
            hart, word = self._enable_at(offset)
            if hart < HARTS:
                kept = self.enable[hart] & ~(WORD << 32 * word) | value << 32 * word
                self.enable[hart] = kept & (1 << IRQ_LINES) - 2
        elif offset >= _TARGET:
            hart, register = divmod(offset - _TARGET, _TARGET_STEP)
            if hart < HARTS and register == _THRESHOLD:
                self.threshold[hart] = value & _MOST_PRIORITY
            elif hart < HARTS and register == _CLAIM and value < IRQ_LINES:
                self.in_service &= ~(1 << value)
        self.chip.interrupts_changed()
