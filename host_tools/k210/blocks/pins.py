"""The chip's pins: what the firmware puts on them, and what the board puts there, by way of the pin matrix."""

from __future__ import annotations

from host_tools.k210.blocks.addresses import GPIO_PINS, GPIOHS_PINS, PINS, Function
from host_tools.k210.blocks.fpioa import Fpioa
from host_tools.k210.blocks.gpio import Gpio
from host_tools.k210.blocks.gpiohs import GpioHs


class Pins:
    """IO0 to IO47."""

    def __init__(self, fpioa: Fpioa, gpio: Gpio, gpiohs: GpioHs) -> None:
        self._fpioa, self._gpio, self._gpiohs = fpioa, gpio, gpiohs
        # What the board puts on pins, kept while the firmware moves functions about; everything else is pulled.
        self.driven: dict[int, int] = {}
        fpioa.on_change = self.reconnect

    def level(self, pin: int) -> int:
        """0 or 1 on a pin: what a GPIO of the chip drives, else the board, else the pull."""
        bank = self._bank(pin)
        driven = bank[0].output(bank[1]) if bank else None
        return self._outside(pin) if driven is None else driven

    def is_function(self, pin: int, function: int) -> bool:
        """Whether a pin is connected to that function."""
        return self._fpioa.function(pin) == function

    def drive(self, pin: int, level: int) -> None:
        """Put a level on a pin, as a key or a sensor on the board does."""
        self.driven[pin] = level
        bank = self._bank(pin)
        if bank:
            bank[0].drive(bank[1], level)

    def reconnect(self, pin: int) -> None:
        """The firmware has given a pin another function or pull: its bank sees the level."""
        bank = self._bank(pin)
        if bank and 0 <= pin < PINS:
            bank[0].drive(bank[1], self._outside(pin))

    def _outside(self, pin: int) -> int:
        return self.driven.get(pin, self._fpioa.pulled(pin))

    def _bank(self, pin: int) -> tuple[Gpio | GpioHs, int] | None:
        function = self._fpioa.function(pin)
        if Function.GPIOHS0 <= function < Function.GPIOHS0 + GPIOHS_PINS:
            return self._gpiohs, function - Function.GPIOHS0
        if Function.GPIO0 <= function < Function.GPIO0 + GPIO_PINS:
            return self._gpio, function - Function.GPIO0
        return None
