"""FPIOA: the matrix that connects the chip's 48 pins with functions of its blocks (SDK: fpioa.h)."""

from __future__ import annotations

from collections.abc import Callable

from host_tools.k210.blocks.addresses import PINS
from host_tools.k210.blocks.registers import Chip, Registers

_FUNCTION, _PULL_UP, _PULL_DOWN = 0xFF, 1 << 16, 1 << 17


class Fpioa(Registers):
    """A word a pin; the function is in the lowest byte, the pulls are above."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "fpioa")
        # Called with a pin whose function or pull has changed.
        self.on_change: Callable[[int], None] | None = None

    def function(self, pin: int) -> int:
        """What a pin is connected to, a Function."""
        return self.values.get(4 * pin, 0) & _FUNCTION

    def pulled(self, pin: int) -> int:
        """The level of a pin that nobody drives. One that the chip does not pull is taken to be high, as on boards."""
        return int(self.values.get(4 * pin, 0) & (_PULL_UP | _PULL_DOWN) != _PULL_DOWN)

    def set(self, offset: int, value: int) -> None:
        pin, before = offset // 4, self.values.get(offset, 0)
        super().set(offset, value)
        if pin < PINS and (value ^ before) & (_FUNCTION | _PULL_UP | _PULL_DOWN) and self.on_change:
            self.on_change(pin)
