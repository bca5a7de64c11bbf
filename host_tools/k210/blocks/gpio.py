"""GPIO: eight plain pins (SDK: gpio.h, a DesignWare APB GPIO)."""

from __future__ import annotations

from host_tools.k210.blocks.addresses import GPIO_PINS, Irq
from host_tools.k210.blocks.registers import Chip, Registers

_OUTPUT, _DIRECTION = 0x00, 0x04
_INTERRUPT_ENABLE, _INTERRUPT_MASK, _EDGE, _POLARITY, _STATUS, _RAW = 0x30, 0x34, 0x38, 0x3C, 0x40, 0x44
_CLEAR, _INPUT, _BOTH_EDGES = 0x4C, 0x50, 0x68
_ALL = (1 << GPIO_PINS) - 1


class Gpio(Registers):
    """Inputs follow what is put on the pins, or pulls them (pins.py)."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "gpio")
        self.levels, self.raised = _ALL, 0

    def reset(self) -> None:
        super().reset()
        self.raised = 0

    def output(self, pin: int) -> int | None:
        """The level that the chip puts on a pin, None where it is an input."""
        if not self.values.get(_DIRECTION, 0) >> pin & 1:
            return None
        return self.values.get(_OUTPUT, 0) >> pin & 1

    def drive(self, pin: int, level: int) -> None:
        """Put a level on an input."""
        before = self.levels
        self.levels = self.levels & ~(1 << pin) | level << pin
        changed, rising = self.levels ^ before, self.values.get(_POLARITY, 0)
        edges = changed & (self.values.get(_BOTH_EDGES, 0) | ~(self.levels ^ rising))
        self.raised |= edges & self.values.get(_EDGE, 0) & self.values.get(_INTERRUPT_ENABLE, 0)
        self._update()

    def _raw(self) -> int:
        by_level = ~(self.levels ^ self.values.get(_POLARITY, 0)) & ~self.values.get(_EDGE, 0)
        return (self.raised | by_level & self.values.get(_INTERRUPT_ENABLE, 0)) & _ALL

    def _update(self) -> None:
        self.chip.interrupt(Irq.GPIO, bool(self._raw() & ~self.values.get(_INTERRUPT_MASK, 0)))

    def get(self, offset: int) -> int:
        if offset == _INPUT:
            direction = self.values.get(_DIRECTION, 0)
            return (self.values.get(_OUTPUT, 0) & direction | self.levels & ~direction) & _ALL
        if offset == _RAW:
            return self._raw()
        if offset == _STATUS:
            return self._raw() & ~self.values.get(_INTERRUPT_MASK, 0)
        return super().get(offset)

    def set(self, offset: int, value: int) -> None:
        super().set(offset, value)
        if offset == _CLEAR:
            self.raised &= ~value
        if offset >= _INTERRUPT_ENABLE:
            self._update()
