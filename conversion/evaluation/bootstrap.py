"""How much a figure owes to the photos: it is measured on photos drawn again and again from the same set.

The bootstrap (Efron, Tibshirani: An Introduction to the Bootstrap, 1993): as many photos as there are, drawn with
repetition, a thousand times. Two networks are compared on the same draws, so that hard photos are hard for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from conversion.evaluation.oks import Ranking

Key = TypeVar("Key")

DRAWS = 1000
# The middle 95 % of the draws.
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
        found[key] = Difference(ranking.ap() - basis.ap(), *_ends(_drawn(ranking) - before))
    return found


def interval(figure: Callable[[np.ndarray], float | None], photos: int) -> tuple[float, float]:
    """Between what 95 % of the draws have a figure, of how often each photo was drawn [photos]; None is left out."""
    found = [figure(times) for times in _draws(photos)]
    return _ends([each for each in found if each is not None])


def _drawn(ranking: Ranking) -> np.ndarray:
    """AP of each draw."""
    return np.array([ranking.ap(times) for times in _draws(len(ranking.persons))])


def _draws(photos: int) -> Iterator[np.ndarray]:
    """How often each photo is in each draw."""
    random = np.random.default_rng(_SEED)
    for _ in range(DRAWS):
        yield np.bincount(random.integers(0, photos, photos), minlength=photos)


def _ends(figures: Sequence[float] | np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(figures, _ENDS)
    return float(low), float(high)
