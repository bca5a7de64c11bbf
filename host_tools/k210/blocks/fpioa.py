"""FPIOA: the matrix that connects the chip's 48 pins with functions of its blocks (SDK: fpioa.h)."""

from __future__ import annotations

from collections.abc import Callable

from host_tools.k210.blocks.addresses import PINS
from host_tools.k210.blocks.registers import Chip, Registers

_FUNCTION = 0xFF


class Fpioa(Registers):
    """A word a pin; the function is in the lowest byte."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "fpioa")
        # Called with a pin whose function has changed.
        self.on_change: Callable[[int], None] | None = None

    def function(self, pin: int) -> int:
        """What a pin is connected to, a Function."""
        return self.values.get(4 * pin, 0) & _FUNCTION

    def set(self, offset: int, value: int) -> None:
        pin, before = offset // 4, self.function(offset // 4)
        super().set(offset, value)
        if pin < PINS and value & _FUNCTION != before and self.on_change:
            self.on_change(pin)
