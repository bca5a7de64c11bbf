"""What the blocks share: 32-bit registers that remember what is written, whatever the width of the access."""

from __future__ import annotations

from typing import Any, Protocol

from host_tools.k210.engine.clock import Clock
from host_tools.k210.engine.memory import Memory

WORD = 0xFFFF_FFFF


class Chip(Protocol):
    """What a block sees of the chip around it."""

    clock: Clock
    memory: Memory
    sysctl: Any
    pins: Any

    def interrupt(self, line: int, level: bool) -> None:
        """Set the level of an interrupt line of the PLIC."""

    def note(self, text: str) -> None:
        """Say something that the user should know, once."""

    def unmodelled(self, name: str, what: str) -> None:
        """The guest uses something that the emulator lacks."""

    def interrupts_changed(self) -> None:
        """mip of a hart may have changed."""

    def clocks_changed(self) -> None:
        """The CPU's clock, or that of the SPI controllers, is another one."""

    def find(self, address: int) -> tuple[Any, int]:
        """The device at a bus address, and the offset in it; (None, 0) where there is none."""

    def reset_blocks(self, bits: int) -> None:
        """Reset blocks by the bits of sysctl's register."""

    @property
    def pc(self) -> int:
        """About where the guest is."""


class Registers:
    """A block of registers. Blocks override get and set, which see whole words at multiples of 4."""

    # A hart may call get and set without read and write where it accesses a whole word.
    whole_words = True

    def __init__(self, chip: Chip, name: str, initial: dict[int, int] | None = None) -> None:
        self.chip, self.name = chip, name
        self.initial = initial or {}
        self.values = dict(self.initial)

    def reset(self) -> None:
        """The state after power-on or a reset of the chip."""
        self.values = dict(self.initial)

    def read(self, offset: int, width: int) -> int:
        """Value of `width` bytes at `offset`."""
        if width == 4 and not offset & 3:
            return self.get(offset)
        value = self.get(offset & ~3) >> 8 * (offset & 3)
        if width == 8:
            value |= self.get((offset & ~3) + 4) << 32
        return value & (1 << 8 * width) - 1

    def write(self, offset: int, width: int, value: int) -> None:
        """Take `width` bytes at `offset`."""
        if width == 4 and not offset & 3:
            self.set(offset, value & WORD)
        elif width == 8:
            self.set(offset & ~3, value & WORD)
            self.set((offset & ~3) + 4, value >> 32 & WORD)
        else:
            shift = 8 * (offset & 3)
            mask = ((1 << 8 * width) - 1) << shift
            self.set(offset & ~3, (self.values.get(offset & ~3, 0) & ~mask | value << shift & mask) & WORD)

    def get(self, offset: int) -> int:
        """A word."""
        return self.values.get(offset, 0)

    def set(self, offset: int, value: int) -> None:
        """Take a word."""
        self.values[offset] = value


class Unmodelled(Registers):
    """A block that the emulator does not have: it remembers what is written, and is named at its first access."""

    whole_words = False

    def __init__(self, chip: Chip, name: str, base: int) -> None:
        super().__init__(chip, name)
        self._base = base

    def read(self, offset: int, width: int) -> int:
        self._say("read", offset)
        return super().read(offset, width)

    def write(self, offset: int, width: int, value: int) -> None:
        self._say("written", offset)
        super().write(offset, width, value)

    def _say(self, what: str, offset: int) -> None:
        self.chip.unmodelled(self.name, f"{what} at {self._base + offset:#x}")
