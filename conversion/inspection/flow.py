"""Who wrote what a layer reads: the last writers of every piece of memory, in spaces that do not touch each other."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable

Writers = tuple[int, ...]


class Flow:
    """Memory as pieces that do not overlap, each with the numbers of the layers whose result it holds."""

    def __init__(self) -> None:
        self._starts: dict[Hashable, list[int]] = {}
        self._pieces: dict[Hashable, list[tuple[int, Writers]]] = {}

    def write(self, space: Hashable, start: int, end: int, writers: int | Writers) -> None:
        """`writers` now stand behind [start, end) of the space; what was there is forgotten."""
        if end <= start:
            return
        starts, pieces = self._starts.setdefault(space, []), self._pieces.setdefault(space, [])
        first, last = self._overlapping(starts, pieces, start, end)
        kept: list[tuple[int, int, Writers]] = []
        for begin, (stop, old) in zip(starts[first:last], pieces[first:last], strict=True):
            if begin < start:
                kept.append((begin, start, old))
            if stop > end:
                kept.append((end, stop, old))
        kept.append((start, end, (writers,) if isinstance(writers, int) else writers))
        kept.sort()
        starts[first:last] = [begin for begin, _, _ in kept]
        pieces[first:last] = [(stop, who) for _, stop, who in kept]

    def read(self, space: Hashable, start: int, end: int) -> Writers:
        """The layers whose results lie in [start, end), each once, in rising order; () where nobody has written."""
        starts, pieces = self._starts.get(space, []), self._pieces.get(space, [])
        first, last = self._overlapping(starts, pieces, start, end) if start < end else (0, 0)
        return tuple(sorted({writer for _, writers in pieces[first:last] for writer in writers}))

    @staticmethod
    def _overlapping(starts: list[int], pieces: list[tuple[int, Writers]], start: int, end: int) -> tuple[int, int]:
        first = bisect_right(starts, start)
        if first and pieces[first - 1][0] > start:
            first -= 1
        return first, max(first, bisect_left(starts, end))
