"""Signal and noise as sums that photos add to: SQNR over a whole set without keeping its feature maps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from conversion.metrics import HEATMAP_FLOOR
from conversion.simulation import Heads


@dataclass(frozen=True)
class Noise:
    """Sum of squares of a reference, and of what something else differs by."""

    signal: float = 0.0
    noise: float = 0.0

    def __add__(self, other: Noise) -> Noise:
        return Noise(self.signal + other.signal, self.noise + other.noise)

    @property
    def db(self) -> float:
        """10 log10(signal / noise); infinite without noise, minus infinity without a signal."""
        if not self.noise:
            return math.inf
        return 10 * math.log10(self.signal / self.noise) if self.signal else -math.inf


def of_heads(reference: Heads, heads: Heads) -> dict[str, Noise]:
    """Noise of each head in real units, the heatmap clipped as `metrics.sqnr_db` does: pooled, the same figure."""
    return {name: _between(*_clipped(name, reference[name], heads[name])) for name in reference}


def _clipped(name: str, *heads: np.ndarray) -> tuple[np.ndarray, ...]:
    return tuple(np.maximum(head, HEATMAP_FLOOR) for head in heads) if name == "heatmap" else heads


def _between(reference: np.ndarray, other: np.ndarray) -> Noise:
    signal = np.square(reference, dtype=np.float64).sum()
    return Noise(float(signal), float(np.square(np.subtract(reference, other, dtype=np.float64)).sum()))
