"""Whether one AP is really higher than another: both measured on photos drawn again and again from the same set.

A paired bootstrap (Efron, Tibshirani: An Introduction to the Bootstrap, 1993): as many photos as there are, drawn with
repetition, a thousand times; both networks see the same draw, so that hard photos are hard for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from conversion.evaluation.oks import Ranking

Key = TypeVar("Key")

DRAWS = 1000
# The middle 95 % of the differences.
_ENDS = (2.5, 97.5)
_SEED = 1


@dataclass(frozen=True)
class Difference:
    """Of two APs: on the set itself, and between what 95 % of the draws lie."""

    mean: float
    low: float
    high: float

    def to_list(self) -> list[float]:
        """For JSON."""
        return [round(self.mean, 4), round(self.low, 4), round(self.high, 4)]


def differences(rankings: Mapping[Key, Ranking], basis: Ranking) -> dict[Key, Difference]:
    """AP of each ranking less that of `basis`, all of the same photos."""
    before = _drawn(basis)
    found = {}
    for key, ranking in rankings.items():
        ends = np.percentile(_drawn(ranking) - before, _ENDS)
        found[key] = Difference(ranking.ap() - basis.ap(), *map(float, ends))
    return found


def _drawn(ranking: Ranking) -> np.ndarray:
    """AP of each draw."""
    random = np.random.default_rng(_SEED)
    photos = len(ranking.persons)
    draws = (random.integers(0, photos, photos) for _ in range(DRAWS))
    return np.array([ranking.ap(np.bincount(draw, minlength=photos)) for draw in draws])
