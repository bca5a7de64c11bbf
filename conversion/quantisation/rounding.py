"""Which 8-bit codes reproduce a dense layer best: least squares on the lattice, by error feedback and descent.

Error feedback is GPTQ (Frantar et al. 2022, "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained
Transformers"): weights are rounded one input at a time and the later ones take up the error of the earlier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from conversion.quantisation.nncase_grid import HIGHEST_CODE, LOWEST_CODE

# Scales tried for each output channel, as shares of the one that just holds its largest weight.
_SHARES = np.array([1.0, 0.94, 0.88, 0.82, 0.76])
_BLOCK = 32


@dataclass(frozen=True)
class Lattice:
    """The weights that codes may stand for: code * scale, with one code per column given beforehand.

    nncase takes the scale from the largest weight, so each channel needs a code at an end of the range: `pinned` is
    its input (-1: none needed), `pinned_code` its code. Arrays are [columns].
    """

    scale: np.ndarray
    pinned: np.ndarray
    pinned_code: np.ndarray

    def rounded(self, values: np.ndarray, number: int) -> np.ndarray:
        """The codes nearest to `values` [columns], in steps of the scale, that input `number` may have."""
        codes = np.clip(np.rint(values), LOWEST_CODE, HIGHEST_CODE)
        return np.where(self.pinned == number, self.pinned_code, codes)


def best_codes(weights: np.ndarray, metric: np.ndarray, least_scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Codes float64 [K, C] and scales [C] that minimise (q - w)' M (q - w) in every channel; M [K, K], w [K, C].

    `least_scale` is the smallest that nncase can give. All scales are tried at once, side by side; each channel keeps
    its best.
    """
    channels = weights.shape[1]
    lattice = _lattices(weights, least_scale)
    wanted = np.tile(weights, len(_SHARES)) / lattice.scale
    codes = _error_feedback(wanted, metric, lattice)
    _descend(codes, wanted, metric, lattice)
    error = codes - wanted
    loss = (error * (metric @ error)).sum(0) * lattice.scale**2
    best = loss.reshape(-1, channels).argmin(0) * channels + np.arange(channels)
    return codes[:, best], lattice.scale[best]


def _lattices(weights: np.ndarray, least_scale: float) -> Lattice:
    """A column for each share and channel, shares outermost. At the least scale no code needs to be at an end."""
    reach = np.where(weights > 0, weights / HIGHEST_CODE, weights / LOWEST_CODE)
    largest = reach.argmax(0)
    channels = np.arange(weights.shape[1])
    scale = (reach[largest, channels] * _SHARES[:, None]).ravel()
    end = np.where(weights[largest, channels] > 0, HIGHEST_CODE, LOWEST_CODE)
    pinned = np.where(scale < least_scale, -1, np.tile(largest, len(_SHARES)))
    return Lattice(np.maximum(scale, least_scale), pinned, np.tile(end, len(_SHARES)))


def _error_feedback(wanted: np.ndarray, metric: np.ndarray, lattice: Lattice) -> np.ndarray:
    """Codes [K, columns], one input after the other; what is left of an error spreads over the inputs to come."""
    order = np.argsort(-np.diag(metric), kind="stable")
    inverse = np.linalg.inv(metric[np.ix_(order, order)])
    feedback = np.linalg.cholesky((inverse + inverse.T) / 2).T
    rest = wanted[order]
    codes = np.empty_like(rest)
    for first in range(0, len(order), _BLOCK):
        block = range(first, min(first + _BLOCK, len(order)))
        errors = np.empty((len(block), rest.shape[1]))
        for row in block:
            codes[row] = lattice.rounded(rest[row], order[row])
            errors[row - first] = (rest[row] - codes[row]) / feedback[row, row]
            later = slice(row + 1, block.stop)
            rest[later] -= feedback[row, later, None] * errors[row - first]
        rest[block.stop :] -= feedback[first : block.stop, block.stop :].T @ errors
    result = np.empty_like(codes)
    result[order] = codes
    return result


def _descend(codes: np.ndarray, wanted: np.ndarray, metric: np.ndarray, lattice: Lattice) -> None:
    """One sweep of coordinate descent, in place: each code in turn moves to where it is best given all others."""
    error = codes - wanted
    for first in range(0, len(codes), _BLOCK):
        block = slice(first, min(first + _BLOCK, len(codes)))
        gradient = metric[block] @ error
        for row in range(block.start, block.stop):
            best = lattice.rounded(codes[row] - gradient[row - first] / metric[row, row], row)
            step = best - codes[row]
            codes[row] = best
            error[row] += step
            gradient += metric[block, row, None] * step
