"""Where instructions go: by block of code while a profile is on, and between marks in the code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from host_tools.k210.engine.clock import Clock
from host_tools.k210.engine.hart import Hart
from host_tools.k210.engine.memory import RAM, SIZE


@dataclass(frozen=True)
class Mark:
    """Hart 0 has come to an address, after so many instructions and at this cycle."""

    address: int
    instructions: int
    cycle: int


class Statistics:
    """Counts of hart 0 since power-on. Profile and marks need the C helper: without it they stay empty."""

    def __init__(self) -> None:
        self._hart: Hart | None = None
        self._profile: np.ndarray | None = None
        self._marked: np.ndarray | None = None
        self.marks: list[Mark] = []

    def attach(self, hart: Hart) -> None:
        """Count this hart from now on."""
        self._hart = hart
        hart.state.profile = None if self._profile is None else self._profile.ctypes.data
        hart.state.marks = None if self._marked is None else self._marked.ctypes.data

    @property
    def instructions(self) -> int:
        """Instructions that hart 0 has executed."""
        return self._hart.state.count if self._hart else 0

    def profile(self, on: bool = True) -> None:
        """Begin to count the instructions of every block of code anew, or stop."""
        self._profile = np.zeros(SIZE // 2, np.uint64) if on else None
        if self._hart is not None:
            self.attach(self._hart)

    def by_function(self, starts: dict[str, int]) -> dict[str, int]:
        """Instructions since profile(), by function: each reaches from its address to the next one's."""
        if self._profile is None:
            return {}
        names = sorted(starts, key=starts.__getitem__)
        edges = [(starts[name] - RAM) // 2 for name in names] + [SIZE // 2]
        return {name: int(self._profile[edges[n] : edges[n + 1]].sum()) for n, name in enumerate(names)}

    def hottest(self, count: int = 20) -> list[tuple[int, int]]:
        """(address, instructions) of the blocks of code that took most, since profile()."""
        if self._profile is None:
            return []
        order = np.argsort(self._profile)[::-1][:count]
        return [(RAM + 2 * int(block), int(self._profile[block])) for block in order if self._profile[block]]

    def mark(self, addresses: Iterable[int]) -> None:
        """Note in `marks` each time that hart 0 jumps to one of these addresses of RAM, from now on only these."""
        bits = np.zeros(SIZE // 2, np.uint8)
        bits[[(address - RAM) // 2 for address in addresses]] = 1
        self._marked = np.packbits(bits, bitorder="little").view(np.uint64) if bits.any() else None
        if self._hart is not None:
            self.attach(self._hart)

    def look(self, clock: Clock) -> None:
        """Take down a mark that hart 0 has stopped at."""
        state = self._hart.state if self._hart else None
        if state is not None and state.marked:
            self.marks.append(Mark(state.marked, state.count, clock.cycles))
            state.resumed, state.marked = state.marked, 0
