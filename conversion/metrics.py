"""How far a quantised network is from the float one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

# Below this logit a keypoint is certainly absent; how far below does not matter, and quantised ranges end here.
HEATMAP_FLOOR = -10.0


@dataclass(frozen=True)
class Noise:
    """Sum of squares of a reference, and of what something else differs by: sums that photos add to."""

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


def noise_of_heads(reference: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> dict[str, Noise]:
    """Noise of each head in real units, over all photos, cells, channels: any equal shapes.

    The heatmap is clipped at HEATMAP_FLOOR on both sides.
    """
    return {name: _between(*_clipped(name, reference[name], other[name])) for name in reference}


def sqnr_db(reference: Mapping[str, np.ndarray], quantised: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Signal to quantisation noise per head, 10 log10(sum ref^2 / sum (ref - q)^2); see `noise_of_heads`."""
    return {name: noise.db for name, noise in noise_of_heads(reference, quantised).items()}


def _clipped(name: str, *heads: np.ndarray) -> tuple[np.ndarray, ...]:
    return tuple(np.maximum(head, HEATMAP_FLOOR) for head in heads) if name == "heatmap" else heads


def _between(reference: np.ndarray, other: np.ndarray) -> Noise:
    signal = np.square(reference, dtype=np.float64).sum()
    return Noise(float(signal), float(np.square(np.subtract(reference, other, dtype=np.float64)).sum()))
