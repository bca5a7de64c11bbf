"""The two watchdogs (SDK: wdt.h, DesignWare APB WDT): they reset the chip unless they are fed."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from host_tools.k210.blocks.addresses import Irq
from host_tools.k210.blocks.registers import Chip, Registers
from host_tools.k210.blocks.sysctl import WATCHDOG0_RESET

_CONTROL, _TIMEOUT, _VALUE, _RESTART, _STATUS, _EOI = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
_ENABLE, _INTERRUPT_FIRST = 1, 2
_FEED = 0x76
# A timeout of n is 2^(16 + n) ticks.
_SHORTEST = 16


class Watchdog(Registers):
    """At the end of its time it resets the chip, or, if so set, interrupts first and resets the second time."""

    def __init__(self, chip: Chip, number: int, restart: Callable[[int], None]) -> None:
        super().__init__(chip, f"wdt{number}")
        self._number, self._restart = number, restart
        self._raised, self._generation, self._began = False, 0, 0

    def reset(self) -> None:
        super().reset()
        self._raised = False
        self._generation += 1

    def _ticks(self) -> int:
        return 1 << _SHORTEST + (self.values.get(_TIMEOUT, 0) & 15)

    def _hertz(self) -> int:
        return self.chip.sysctl.watchdog_hertz(self._number)

    def _start(self) -> None:
        self._generation += 1
        self._began = self.chip.clock.cycles
        cycles = self._ticks() * Fraction(self.chip.clock.hertz, self._hertz())
        self.chip.clock.after(int(cycles), self._expire, self._generation)

    def _expire(self, generation: int) -> None:
        if generation != self._generation or not self.values.get(_CONTROL, 0) & _ENABLE:
            return
        if self.values.get(_CONTROL, 0) & _INTERRUPT_FIRST and not self._raised:
            self._raised = True
            self._update()
            self._start()
        else:
            self._restart(WATCHDOG0_RESET << self._number)

    def _update(self) -> None:
        self.chip.interrupt(Irq.WATCHDOG0 + self._number, self._raised)

    def _clear(self) -> None:
        self._raised = False
        self._update()

    def get(self, offset: int) -> int:
        if offset == _VALUE:
            ticks = (self.chip.clock.cycles - self._began) * self._hertz() // self.chip.clock.hertz
            return max(0, self._ticks() - ticks)
        if offset == _STATUS:
            return int(self._raised)
        if offset == _EOI:
            self._clear()
            return 0
        return super().get(offset)

    def set(self, offset: int, value: int) -> None:
        before = self.values.get(_CONTROL, 0)
        super().set(offset, value)
        if offset == _RESTART and value & 0xFF == _FEED:
            self._clear()
            if before & _ENABLE:
                self._start()
        elif offset == _CONTROL:
            if value & _ENABLE and not before & _ENABLE:
                self._start()
            elif not value & _ENABLE:
                self._generation += 1
        elif offset == _EOI:
            self._clear()
