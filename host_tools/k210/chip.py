"""The chip as its blocks see it: time and memory, interrupt lines, the bus, and where remarks go."""

from __future__ import annotations

from typing import Any

from host_tools.k210.bus import Bus
from host_tools.k210.engine.clock import Clock
from host_tools.k210.engine.hart import MEIP, Hart
from host_tools.k210.engine.memory import Memory
from host_tools.k210.errors import EmulatorError, UnmodelledError
from host_tools.k210.notes import Notes


class Chip:
    """What Machine is for blocks and parts; it makes all of this."""

    clock: Clock
    memory: Memory
    notes: Notes
    bus: Bus
    harts: list[Hart]
    _current: Hart | None = None
    _stop_at_unmodelled: bool
    # What ends the run after the slice under way.
    _pending_error: EmulatorError | None = None

    @property
    def sysctl(self) -> Any:
        """The clock tree."""
        return self.bus.sysctl

    @property
    def pins(self) -> Any:
        """IO0 to IO47."""
        return self.bus.pins

    @property
    def pc(self) -> int:
        """Where the guest is: the start of the block of instructions under way."""
        return self._current.state.last_pc if self._current else 0

    def note(self, text: str) -> None:
        """Say something that the user should know, once."""
        self.notes.add(text, self.pc, self.clock.seconds)

    def unmodelled(self, name: str, what: str) -> None:
        """The guest uses something that the emulator lacks: said once, or the end of the run."""
        if self._stop_at_unmodelled:
            self._pending_error = UnmodelledError(
                f"the firmware uses {name} ({what}) at program counter {self.pc:#x}; the emulated chip lacks it"
            )
            self._end_slice()
        self.notes.add_block(name, what, self.pc, self.clock.seconds)

    def interrupt(self, line: int, level: bool) -> None:
        """A block's interrupt line."""
        self.bus.plic.line(line, level)

    def interrupts_changed(self) -> None:
        """mip of a hart may have changed."""
        for hart in self.harts:
            hart.set_pending(self._pending(hart))

    def clocks_changed(self) -> None:
        """The CPU's clock, or that of the SPI controllers, is another one."""
        for spi in self.bus.spi.values():
            spi.clock_changed()

    def find(self, address: int) -> tuple[Any, int]:
        """The device at a bus address, and the offset in it; (None, 0) where there is none."""
        return self.bus.find(address)

    def reset_blocks(self, bits: int) -> None:
        """sysctl's peripheral resets, by bit."""
        self.bus.reset_blocks(bits)

    def _running(self, hart: Hart) -> None:
        self._current = hart

    def _end_slice(self) -> None:
        for hart in self.harts:
            hart.end_slice()

    def _pending(self, hart: Hart) -> int:
        return self.bus.clint.pending(hart.number) | (MEIP if self.bus.plic.asserted(hart.number) else 0)
