"""How far keypoints move between two networks of one input size, where the first one is sure of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conversion.decoding.dialects import tfjs
from conversion.kpu.posenet import Heads

# A keypoint counts if the reference gives it a higher score.
SURE = 0.5


@dataclass(frozen=True)
class Displacement:
    """Input pixels that half and nine tenths of the keypoints stay within, and the share found in another cell.

    None where no keypoint counts.
    """

    keypoints: int
    median: float | None
    p90: float | None
    cell_flips: float | None


def moved(reference: Heads, heads: Heads) -> np.ndarray:
    """float64 [n, 2]: distance in input pixels, and 1 for another cell, of each sure keypoint; heads in real units.

    Both sides are decoded as one person: each part where its heatmap is highest.
    """
    ours, theirs = tfjs.decode_single(reference).keypoints, tfjs.decode_single(heads).keypoints
    sure = ours[:, 2] > SURE
    distance = np.hypot(*(ours - theirs)[:, :2].T)
    flipped = _cells(reference) != _cells(heads)
    return np.stack([distance, flipped], axis=1)[sure]


def _cells(heads: Heads) -> np.ndarray:
    heatmap = heads["heatmap"]
    return heatmap.reshape(len(heatmap), -1).argmax(1)


def pooled(moves: Sequence[np.ndarray]) -> Displacement:
    """The figures over all photos' `moved`."""
    moves = np.concatenate([np.empty((0, 2)), *moves])
    if not len(moves):
        return Displacement(0, None, None, None)
    median, p90 = np.percentile(moves[:, 0], (50, 90))
    return Displacement(len(moves), float(median), float(p90), float(moves[:, 1].mean()))
