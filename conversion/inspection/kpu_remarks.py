"""What is wrong with the KPU layers of a file, a few lines of it; and which layers are none of the KPU's."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from conversion.feature_map import RAM_LINES
from conversion.inspection.model import Layer

_SHOWN = 5


class Problems:
    """Collects lines; shows the first ones and counts the rest."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._more = 0

    def add(self, line: str | None) -> None:
        """Add a line; None is nothing."""
        if line is None:
            return
        if len(self._lines) < _SHOWN:
            self._lines.append(line)
        else:
            self._more += 1

    def lines(self) -> Iterator[str]:
        """The first lines, and how many more there are."""
        yield from self._lines
        if self._more:
            yield f"{self._more} more problems of this kind"


def ram_remarks(layers: Sequence[Layer]) -> list[str]:
    """Layers that reach beyond the end of KPU RAM."""
    problems = Problems()
    for layer in layers:
        if layer.regions and max(region.end for region in layer.regions) > RAM_LINES:
            problems.add(f"{layer.label} reaches beyond the end of KPU RAM")
    return list(problems.lines())


def float_remarks(layers: Sequence[Layer], floats: Collection[str]) -> list[str]:
    """Layers of these types compute in floats, which the KPU cannot: those of a network that was not quantised."""
    found = [layer for layer in layers if layer.type in floats]
    if not found:
        return []
    types = ", ".join(sorted({layer.type for layer in found}))
    where = f"{len(found)} of its {len(layers)} layers compute in floats, on the CPU ({types})"
    if any(layer.regions for layer in layers):
        return [f"{where}: the KPU takes bytes only, and these it leaves alone"]
    return [f"{where} and none runs on the KPU: it was compiled without quantisation, for which nncase needs pictures"]
