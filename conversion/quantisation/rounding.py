"""Which 8-bit codes reproduce a dense layer best: least squares on the lattice, by error feedback and descent.

Error feedback is GPTQ (Frantar et al. 2022, "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained
Transformers"): weights are rounded one input at a time and the later ones take up the error of the earlier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LOWEST_CODE, HIGHEST_CODE = -128, 127
# Scales tried for each output channel, as shares of the one that just holds its largest weight.
SHARES = (1.0, 0.94, 0.88, 0.82, 0.76)
_BLOCK = 32


@dataclass(frozen=True)
class Lattice:
    """Weights that 8-bit codes may take: code * scale, with one code per output channel given beforehand.

    nncase takes the scale from the largest weight, so each channel needs a code at an end of the range: `pinned` is
    its input (-1 for none), `pinned_code` its code. Arrays are [C_out].
    """

    scale: np.ndarray
    pinned: np.ndarray
    pinned_code: np.ndarray


def lattice(weights: np.ndarray, share: float, least_scale: float) -> Lattice:
    """The lattice whose end is `share` of each channel's largest weight; weights [C_in, C_out].

    `least_scale` is nncase's: there no code needs to be at an end.
    """
    reach = np.where(weights > 0, weights / HIGHEST_CODE, weights / LOWEST_CODE)
    pinned = reach.argmax(0)
    channels = np.arange(weights.shape[1])
    scale = reach[pinned, channels] * share
    code = np.where(weights[pinned, channels] > 0, HIGHEST_CODE, LOWEST_CODE)
    return Lattice(np.maximum(scale, least_scale), np.where(scale < least_scale, -1, pinned), code)


def joined(lattices: list[Lattice]) -> Lattice:
    """Several lattices side by side, as if for one layer of more channels."""
    return Lattice(*(np.concatenate(parts) for parts in zip(*((x.scale, x.pinned, x.pinned_code) for x in lattices), strict=True)))


def best_codes(weights: np.ndarray, moments: np.ndarray, least_scale: float, shares: tuple[float, ...] = SHARES) -> tuple[np.ndarray, np.ndarray]:
    """Codes float64 [C_in, C_out] and scales [C_out] that minimise (q - w)' M (q - w) per channel, M [C_in, C_in].

    All scales are tried at once, side by side; each channel keeps its best.
    """
    count = weights.shape[1]
    grid = joined([lattice(weights, share, least_scale) for share in shares])
    wanted = np.tile(weights, len(shares)) / grid.scale
    codes = _error_feedback(wanted, moments, grid)
    codes = _descend(codes, wanted, moments, grid)
    error = codes - wanted
    loss = (error * (moments @ error)).sum(0) * grid.scale**2
    best = loss.reshape(len(shares), count).argmin(0) * count + np.arange(count)
    return codes[:, best], grid.scale[best]


def _error_feedback(wanted: np.ndarray, moments: np.ndarray, grid: Lattice) -> np.ndarray:
    order = np.argsort(-np.diag(moments), kind="stable")
    inverse = np.linalg.inv(moments[np.ix_(order, order)])
    feedback = np.linalg.cholesky((inverse + inverse.T) / 2).T
    rest = wanted[order]
    codes = np.empty_like(rest)
    for first in range(0, len(order), _BLOCK):
        block = range(first, min(first + _BLOCK, len(order)))
        errors = np.empty((len(block), rest.shape[1]))
        for row in block:
            codes[row] = _rounded(rest[row], order[row], grid)
            errors[row - first] = (rest[row] - codes[row]) / feedback[row, row]
            later = slice(row + 1, block.stop)
            rest[later] -= feedback[row, later, None] * errors[row - first]
        rest[block.stop :] -= feedback[first : block.stop, block.stop :].T @ errors
    result = np.empty_like(codes)
    result[order] = codes
    return result


def _rounded(values: np.ndarray, number: int, grid: Lattice) -> np.ndarray:
    codes = np.clip(np.rint(values), LOWEST_CODE, HIGHEST_CODE)
    return np.where(grid.pinned == number, grid.pinned_code, codes)


def _descend(codes: np.ndarray, wanted: np.ndarray, moments: np.ndarray, grid: Lattice) -> np.ndarray:
    """One sweep of coordinate descent: each code in turn moves to where it is best given all others."""
    error = codes - wanted
    for first in range(0, len(codes), _BLOCK):
        block = slice(first, min(first + _BLOCK, len(codes)))
        gradient = moments[block] @ error
        for row in range(block.start, block.stop):
            best = _rounded(codes[row] - gradient[row - first] / moments[row, row], row, grid)
            step = best - codes[row]
            codes[row] = best
            error[row] += step
            gradient += moments[block, row, None] * step
    return codes
