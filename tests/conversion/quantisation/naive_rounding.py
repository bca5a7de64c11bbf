"""What `rounding` and `depthwise_rounding` compute, once more in the plainest way: one channel, one scale, one code.

Error feedback without factors or blocks: after each rounded weight, the best of all others is solved for anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np

LOWEST, HIGHEST = -128, 127
DENSE_SHARES = (1.0, 0.94, 0.88, 0.82, 0.76)
DEPTHWISE_SHARES = tuple(np.linspace(1.0, 0.5, 48))
DEPTHWISE_SWEEPS = 6


def dense(weights: np.ndarray, metric: np.ndarray, least_scale: float) -> tuple[np.ndarray, np.ndarray]:
    """As `rounding.best_codes`: weights [K, C], metric [K, K] -> codes [K, C], scales [C]."""
    order = sorted(range(len(weights)), key=lambda number: -metric[number, number])
    found = []
    for channel in weights.T:
        tried = []
        for share in DENSE_SHARES:
            scale = _reach(channel).max() * share
            problem = Problem(channel, metric, max(scale, least_scale), scale >= least_scale)
            problem.feed_errors_back(order)
            problem.descend()
            tried.append(problem)
        found.append(min(tried, key=Problem.loss))
    return np.stack([problem.codes for problem in found], axis=1), np.array([problem.scale for problem in found])


def depthwise(weights: np.ndarray, metrics: np.ndarray, least_scale: float) -> tuple[np.ndarray, np.ndarray]:
    """As `depthwise_rounding.best_codes`: weights [C, 9], metrics [C, 9, 9] -> codes [C, 9], scales [C]."""
    found = []
    for channel, metric in zip(weights, metrics, strict=True):
        tried = []
        reach = _reach(channel).max()
        for share in DEPTHWISE_SHARES:
            problem = Problem(channel, metric, max(reach * share, least_scale), reach * 0.5 > least_scale)
            problem.feed_errors_back(range(9))
            for _ in range(DEPTHWISE_SWEEPS):
                problem.descend()
                problem.move_pairs()
            tried.append(problem)
        found.append(min(tried, key=Problem.loss))
    return np.stack([problem.codes for problem in found]), np.array([problem.scale for problem in found])


def _reach(weights: np.ndarray) -> np.ndarray:
    """The scale at which each weight stands at an end of the codes."""
    return np.array([weight / (HIGHEST if weight > 0 else LOWEST) for weight in weights])


class Problem:
    """One channel at one scale; the largest weight's code stands at an end of the range if it is `pinned`."""

    def __init__(self, weights: np.ndarray, metric: np.ndarray, scale: float, pinned: bool) -> None:
        self.scale = scale
        self.codes = np.zeros(len(weights))
        self._wanted, self._metric = weights / scale, metric
        largest = int(_reach(weights).argmax())
        self._pinned = largest if pinned else None
        self._end = HIGHEST if weights[largest] > 0 else LOWEST

    def loss(self) -> float:
        """What the error costs."""
        error = (self.codes - self._wanted) * self.scale
        return float(error @ self._metric @ error)

    def feed_errors_back(self, order: Sequence[int]) -> None:
        """Round one weight after the other; those to come stand where the errors made so far cost least."""
        target, to_come = self._wanted.copy(), list(order)
        while to_come:
            number, *to_come = to_come
            self.codes[number] = self._rounded(target[number], number)
            done = [other for other in order if other not in to_come]
            error = self.codes[done] - self._wanted[done]
            if to_come:
                pull = self._metric[np.ix_(to_come, done)] @ error
                target[to_come] = self._wanted[to_come] - np.linalg.solve(self._metric[np.ix_(to_come, to_come)], pull)

    def descend(self) -> None:
        """Move each code in turn to where it is best given all others."""
        for number in range(len(self.codes)):
            slope = self._metric[number] @ (self.codes - self._wanted)
            self.codes[number] = self._rounded(self.codes[number] - slope / self._metric[number, number], number)

    def move_pairs(self) -> None:
        """Raise one code and lower another where that costs less."""
        for up, down in permutations(range(len(self.codes)), 2):
            before, loss = self.codes.copy(), self.loss()
            self.codes[up] += 1
            self.codes[down] -= 1
            allowed = self.codes[up] <= HIGHEST and self.codes[down] >= LOWEST and self._pinned not in (up, down)
            if not (allowed and self.loss() < loss):
                self.codes = before

    def _rounded(self, value: float, number: int) -> float:
        return self._end if number == self._pinned else min(max(np.rint(value), LOWEST), HIGHEST)
