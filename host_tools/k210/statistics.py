"""Where instructions go: by block of code while a profile is on, and between marks that a test sets."""

from __future__ import annotations

import numpy as np

from host_tools.k210.engine.hart import Hart
from host_tools.k210.engine.memory import RAM, SIZE


class Statistics:
    """Counts of hart 0, since power-on of the board."""

    def __init__(self) -> None:
        self._hart: Hart | None = None
        self._profile: np.ndarray | None = None

    def attach(self, hart: Hart) -> None:
        """Count this hart from now on."""
        self._hart = hart
        if self._profile is not None:
            self._set_profile()

    @property
    def instructions(self) -> int:
        """Instructions that hart 0 has executed."""
        return self._hart.state.count if self._hart else 0

    def profile(self, on: bool = True) -> None:
        """Begin to count the instructions of every block of code anew, or stop. Needs the C helper."""
        self._profile = np.zeros(SIZE // 2, np.uint64) if on else None
        self._set_profile()

    def _set_profile(self) -> None:
        if self._hart is not None:
            self._hart.state.profile = None if self._profile is None else self._profile.ctypes.data

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
