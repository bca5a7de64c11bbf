"""sysctl: PLLs and clock dividers, the reset of the chip and why it happened, and what DMA channels wait for.

Source: sysctl.h and sysctl.c of the Kendryte standalone SDK. PLLs lock at once.
"""

from __future__ import annotations

from collections.abc import Callable

from host_tools.k210.blocks.registers import Chip, Registers
from host_tools.k210.engine.clock import CRYSTAL_HERTZ

_PLL0, _PLL1, _PLL2, _LOCK = 0x08, 0x0C, 0x10, 0x18
_SELECT0, _SOFT_RESET, _PERIPHERAL_RESET = 0x20, 0x30, 0x34
_THRESHOLD0, _THRESHOLD1, _THRESHOLD2, _THRESHOLD6 = 0x38, 0x3C, 0x40, 0x50
_RESET_STATUS = 0x60
_ALL_LOCKED = 0x0003_0303
_BYPASS = 1 << 23
# Bits of reset_status.
PIN_RESET, WATCHDOG0_RESET, WATCHDOG1_RESET, SOFT_RESET = 2, 4, 8, 16
_CLEAR_STATUS = 1
# What the registers hold when the ROM starts the firmware: PLL words that the SDK's clock code can live with.
_INITIAL = {0x00: 0xDF0C_7DE1, 0x04: CRYSTAL_HERTZ}


class Sysctl(Registers):
    """Frequencies are asked of it by the blocks whose time depends on them."""

    # A read changes nothing: MaixPy's delay loops ask for the CPU's frequency at each turn.
    reads_harmlessly = True

    def __init__(self, chip: Chip, restart: Callable[[int], None]) -> None:
        """`restart` resets the chip; its argument is the bit of reset_status that says why."""
        super().__init__(chip, "sysctl", _INITIAL)
        self._restart = restart
        self.reset_status = PIN_RESET

    def get(self, offset: int) -> int:
        if offset == _LOCK:
            return _ALL_LOCKED
        return self.reset_status if offset == _RESET_STATUS else super().get(offset)

    def set(self, offset: int, value: int) -> None:
        super().set(offset, value)
        if offset in (_PLL0, _SELECT0, _THRESHOLD1):
            self.chip.clock.set_hertz(self.cpu_hertz)
            self.chip.clocks_changed()
        elif offset == _RESET_STATUS and value & _CLEAR_STATUS:
            self.reset_status = 0
        elif offset == _SOFT_RESET and value & 1:
            self._restart(SOFT_RESET)
        elif offset == _PERIPHERAL_RESET:
            self.chip.reset_blocks(value)

    def _pll_hertz(self, offset: int) -> int:
        """F_out = F_in / (R + 1) * (F + 1) / (OD + 1)."""
        value = self.values.get(offset, 0)
        if value & _BYPASS:
            return CRYSTAL_HERTZ
        divider = ((value & 15) + 1) * ((value >> 10 & 15) + 1)
        return CRYSTAL_HERTZ * ((value >> 4 & 63) + 1) // divider

    @property
    def cpu_hertz(self) -> int:
        """The CPU's clock, which is also that of DMAC and buses."""
        select = self.values.get(_SELECT0, 0)
        return self._pll_hertz(_PLL0) // (2 << (select >> 1 & 3)) if select & 1 else CRYSTAL_HERTZ

    @property
    def kpu_hertz(self) -> int:
        """The KPU's clock."""
        return self._pll_hertz(_PLL1) // ((self.values.get(_THRESHOLD0, 0) >> 8 & 15) + 1)

    def apb_hertz(self, number: int) -> int:
        """The clock of a peripheral bus, 0 to 2."""
        return self.cpu_hertz // ((self.values.get(_SELECT0, 0) >> 3 + 3 * number & 7) + 1)

    def spi_hertz(self, number: int) -> int:
        """The input clock of an SPI controller, before its own divider."""
        threshold = self.values.get(_THRESHOLD1, 0) >> 8 * number & 0xFF
        crystal = number == 3 and not self.values.get(_SELECT0, 0) >> 12 & 1
        return (CRYSTAL_HERTZ if crystal else self._pll_hertz(_PLL0)) // (2 * (threshold + 1))

    def timer_hertz(self, number: int) -> int:
        """The clock that a timer counts."""
        threshold = self.values.get(_THRESHOLD2, 0) >> 8 * number & 0xFF
        fast = self.values.get(_SELECT0, 0) >> 13 + number & 1
        return (self._pll_hertz(_PLL0) if fast else CRYSTAL_HERTZ) // (2 * (threshold + 1))

    def watchdog_hertz(self, number: int) -> int:
        """The clock that a watchdog counts."""
        return CRYSTAL_HERTZ // (2 * ((self.values.get(_THRESHOLD6, 0) >> 8 * number & 0xFF) + 1))
