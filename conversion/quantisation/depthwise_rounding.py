"""Codes for depthwise layers: every channel is a small problem of its own, so many scales and pair moves are tried."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from conversion.quantisation.layers import TAPS
from conversion.quantisation.nncase_grid import HIGHEST_CODE, LOWEST_CODE

# Scales tried for each channel, as shares of the one that just holds its largest weight.
_SHARES = np.linspace(1.0, 0.5, 48)
_SWEEPS = 6


def best_codes(weights: np.ndarray, metric: np.ndarray, least_scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Codes float64 [C, 9] and scales [C] that minimise (q - w)' M (q - w) in every channel; M [C, 9, 9], w [C, 9].

    As in `rounding`, one code of each channel stands at an end of the range unless the scale is `least_scale`.
    """
    problems = _Problems(weights, metric, least_scale)
    codes = problems.error_feedback()
    for _ in range(_SWEEPS):
        problems.move_single(codes)
        problems.move_pairs(codes)
    channels = np.arange(len(weights))
    best = problems.loss(codes).argmin(1)
    return codes[channels, :, best], problems.scale[channels, best]


class _Problems:
    """The lattice problems of all channels (first axis) and scales (last axis), side by side; codes are [C, 9, S]."""

    def __init__(self, weights: np.ndarray, metric: np.ndarray, least_scale: float) -> None:
        reach = np.where(weights > 0, weights / HIGHEST_CODE, weights / LOWEST_CODE)
        channels = np.arange(len(weights))
        largest = reach.argmax(1)
        self.scale = np.maximum(reach[channels, largest, None] * _SHARES, least_scale)
        self._end = np.where(weights[channels, largest] > 0, HIGHEST_CODE, LOWEST_CODE)[:, None]
        self._pinned = np.zeros((*weights.shape, 1), bool)
        self._pinned[channels, largest, 0] = reach[channels, largest] * _SHARES[-1] > least_scale
        self._wanted = weights[:, :, None] / self.scale[:, None, :]
        self._metric = metric
        self._diagonal = np.einsum("cii->ci", metric)[:, :, None]

    def loss(self, codes: np.ndarray) -> np.ndarray:
        """[C, S], what is to be minimised."""
        return ((codes - self._wanted) * self._gradient(codes)).sum(1) * self.scale**2

    def error_feedback(self) -> np.ndarray:
        """As for dense layers."""
        inverse = np.linalg.inv(self._metric)
        feedback = np.linalg.cholesky((inverse + inverse.transpose(0, 2, 1)) / 2).transpose(0, 2, 1)
        rest = self._wanted.copy()
        codes = np.empty_like(rest)
        for tap in range(TAPS):
            codes[:, tap] = self._rounded(rest[:, tap], tap)
            error = (rest[:, tap] - codes[:, tap]) / feedback[:, tap, tap, None]
            rest[:, tap + 1 :] -= feedback[:, tap, tap + 1 :, None] * error[:, None]
        return codes

    def move_single(self, codes: np.ndarray) -> None:
        """Move each tap's code in turn to where it is best given all others."""
        gradient = self._gradient(codes)
        for tap in range(TAPS):
            best = self._rounded(codes[:, tap] - gradient[:, tap] / self._diagonal[:, tap], tap)
            step = best - codes[:, tap]
            codes[:, tap] = best
            gradient += self._metric[:, :, tap, None] * step[:, None]

    def move_pairs(self, codes: np.ndarray) -> None:
        """Raise one tap's code and lower another's where that pays."""
        gradient = self._gradient(codes)
        for up, down in permutations(range(TAPS), 2):
            bend = self._diagonal[:, up] + self._diagonal[:, down] - 2 * self._metric[:, up, down, None]
            pays = gradient[:, up] - gradient[:, down] + bend / 2 < 0
            allowed = (codes[:, up] < HIGHEST_CODE) & (codes[:, down] > LOWEST_CODE)
            step = pays & allowed & ~self._pinned[:, up] & ~self._pinned[:, down]
            codes[:, up] += step
            codes[:, down] -= step
            gradient += (self._metric[:, :, up] - self._metric[:, :, down])[:, :, None] * step[:, None]

    def _gradient(self, codes: np.ndarray) -> np.ndarray:
        return self._metric @ (codes - self._wanted)

    def _rounded(self, values: np.ndarray, tap: int) -> np.ndarray:
        codes = np.clip(np.rint(values), LOWEST_CODE, HIGHEST_CODE)
        return np.where(self._pinned[:, tap], self._end, codes)
