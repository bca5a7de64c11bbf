"""GPIOHS: 32 fast pins, each with an interrupt of its own (SDK: gpiohs.h, SiFive's GPIO)."""

from __future__ import annotations

from host_tools.k210.blocks.addresses import GPIOHS_PINS, Irq
from host_tools.k210.blocks.registers import WORD, Chip, Registers

_INPUT, _OUTPUT_ENABLE, _OUTPUT, _XOR = 0x00, 0x08, 0x0C, 0x40
_RISE_ENABLE, _RISE, _FALL_ENABLE, _FALL = 0x18, 0x1C, 0x20, 0x24
_HIGH_ENABLE, _HIGH, _LOW_ENABLE, _LOW = 0x28, 0x2C, 0x30, 0x34
_PENDING = (_RISE, _FALL, _HIGH, _LOW)


class GpioHs(Registers):
    """Inputs follow what is put on the pins, or pulls them (pins.py)."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "gpiohs")
        self.levels = WORD

    def output(self, pin: int) -> int | None:
        """The level that the chip puts on a pin, None where it is an input."""
        if not self.values.get(_OUTPUT_ENABLE, 0) >> pin & 1:
            return None
        return (self.values.get(_OUTPUT, 0) ^ self.values.get(_XOR, 0)) >> pin & 1

    def drive(self, pin: int, level: int) -> None:
        """Put a level on an input."""
        before = self._input()
        self.levels = self.levels & ~(1 << pin) | level << pin
        self._changed(before)

    def _input(self) -> int:
        output = self.values.get(_OUTPUT_ENABLE, 0)
        return ((self.values.get(_OUTPUT, 0) ^ self.values.get(_XOR, 0)) & output | self.levels & ~output) & WORD

    def _changed(self, before: int) -> None:
        after = self._input()
        self._raise(_RISE, _RISE_ENABLE, ~before & after)
        self._raise(_FALL, _FALL_ENABLE, before & ~after)
        self._update()

    def _raise(self, pending: int, enable: int, pins: int) -> None:
        self.values[pending] = self.values.get(pending, 0) | pins & self.values.get(enable, 0)

    def _update(self) -> None:
        level = self._input()
        self._raise(_HIGH, _HIGH_ENABLE, level)
        self._raise(_LOW, _LOW_ENABLE, ~level & WORD)
        pending = 0
        for register in _PENDING:
            pending |= self.values.get(register, 0) & self.values.get(register - 4, 0)
        for pin in range(GPIOHS_PINS):
            self.chip.interrupt(Irq.GPIOHS0 + pin, bool(pending >> pin & 1))

    def get(self, offset: int) -> int:
        return self._input() if offset == _INPUT else super().get(offset)

    def set(self, offset: int, value: int) -> None:
        if offset in _PENDING:
            # Written ones clear.
            self.values[offset] = self.values.get(offset, 0) & ~value
            self._update()
            return
        before = self._input()
        super().set(offset, value)
        if offset in (_OUTPUT, _OUTPUT_ENABLE, _XOR):
            if self._interrupts_used():
                self._changed(before)
        elif offset > _OUTPUT:
            self._update()

    def _interrupts_used(self) -> bool:
        return any(self.values.get(register) for register in (_RISE_ENABLE, _FALL_ENABLE, _HIGH_ENABLE, _LOW_ENABLE))
