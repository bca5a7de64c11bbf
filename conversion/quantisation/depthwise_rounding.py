"""Codes for depthwise layers: every channel is a small problem of its own, so many scales and pair moves are tried."""

from __future__ import annotations

import numpy as np

from conversion.quantisation.rounding import HIGHEST_CODE, LOWEST_CODE

TAPS = 9
# Scales tried for each channel, as shares of the one that just holds its largest weight.
SHARES = np.linspace(1.0, 0.5, 48)
_SWEEPS = 6


def best_codes(weights: np.ndarray, moments: np.ndarray, least_scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Codes float64 [C, 9] and scales [C] that minimise (q - w)' M (q - w); weights [C, 9], moments [C, 9, 9]."""
    reach = np.where(weights > 0, weights / HIGHEST_CODE, weights / LOWEST_CODE)
    channels = np.arange(len(weights))
    pinned = reach.argmax(1)
    largest = reach[channels, pinned]
    code = np.where(weights[channels, pinned] > 0, HIGHEST_CODE, LOWEST_CODE)
    free = largest * SHARES[-1] <= least_scale
    scale = np.maximum(largest[:, None] * SHARES, least_scale)
    fixed = np.zeros((*weights.shape, 1), bool)
    fixed[channels, pinned] = ~free[:, None]
    wanted = weights[:, :, None] / scale[:, None, :]
    problem = _Problem(wanted, moments, fixed, code[:, None])
    codes = problem.error_feedback()
    for _ in range(_SWEEPS):
        problem.move_single(codes)
        problem.move_pairs(codes)
    error = codes - wanted
    loss = np.einsum("cif,cij,cjf->cf", error, moments, error) * scale**2
    best = loss.argmin(1)
    return codes[channels, :, best], scale[channels, best]


class _Problem:
    """Lattice problems of all channels (first axis) and scales (last axis) side by side."""

    def __init__(self, wanted: np.ndarray, moments: np.ndarray, fixed: np.ndarray, code: np.ndarray) -> None:
        self.wanted, self.moments, self.fixed, self.code = wanted, moments, fixed, code
        self.diagonal = np.einsum("cii->ci", moments)[:, :, None]

    def rounded(self, values: np.ndarray, tap: int) -> np.ndarray:
        codes = np.clip(np.rint(values), LOWEST_CODE, HIGHEST_CODE)
        return np.where(self.fixed[:, tap], self.code, codes)

    def error_feedback(self) -> np.ndarray:
        inverse = np.linalg.inv(self.moments)
        feedback = np.linalg.cholesky((inverse + inverse.transpose(0, 2, 1)) / 2).transpose(0, 2, 1)
        rest = self.wanted.copy()
        codes = np.empty_like(rest)
        for tap in range(TAPS):
            codes[:, tap] = self.rounded(rest[:, tap], tap)
            error = (rest[:, tap] - codes[:, tap]) / feedback[:, tap, tap, None]
            rest[:, tap + 1 :] -= feedback[:, tap, tap + 1 :, None] * error[:, None]
        return codes

    def gradient(self, codes: np.ndarray) -> np.ndarray:
        return self.moments @ (codes - self.wanted)

    def move_single(self, codes: np.ndarray) -> None:
        gradient = self.gradient(codes)
        for tap in range(TAPS):
            best = self.rounded(codes[:, tap] - gradient[:, tap] / self.diagonal[:, tap], tap)
            step = best - codes[:, tap]
            codes[:, tap] = best
            gradient += self.moments[:, :, tap, None] * step[:, None]

    def move_pairs(self, codes: np.ndarray) -> None:
        """Raise one tap and lower another where that pays."""
        gradient = self.gradient(codes)
        for up in range(TAPS):
            for down in range(TAPS):
                if up == down:
                    continue
                bend = self.diagonal[:, up] + self.diagonal[:, down] - 2 * self.moments[:, up, down, None]
                change = gradient[:, up] - gradient[:, down] + bend / 2
                allowed = (codes[:, up] < HIGHEST_CODE) & (codes[:, down] > LOWEST_CODE)
                step = np.where((change < 0) & allowed & ~self.fixed[:, up] & ~self.fixed[:, down], 1.0, 0.0)
                codes[:, up] += step
                codes[:, down] -= step
                gradient += (self.moments[:, :, up] - self.moments[:, :, down])[:, :, None] * step[:, None]
