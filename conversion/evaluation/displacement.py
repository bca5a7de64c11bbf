"""How far keypoints move between two networks of one input size, where the first one is sure of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conversion import network
from conversion.decoding.dialects import tfjs
from conversion.evaluation import bootstrap
from conversion.kpu.posenet import Heads

# A keypoint counts if the reference gives it a higher score.
SURE = 0.5
# Where two people, or two knees, answer to a part almost equally, a hair decides which is found: a keypoint that moves
# further than two cells has jumped to another maximum, as no error of an offset moves it.
JUMP_PX = 2.0 * network.OUTPUT_STRIDE


@dataclass(frozen=True)
class Displacement:
    """Input pixels that half and nine tenths of the keypoints stay within, and the share found in another cell.

    `jumps` is how many moved further than JUMP_PX; `steady_median` and `steady_p90` are the figures without those.
    `p90_interval` is what p90 lies between for 95 % of draws of as many photos. None where no keypoint counts.
    """

    keypoints: int
    median: float | None
    p90: float | None
    cell_flips: float | None
    jumps: int
    steady_median: float | None
    steady_p90: float | None
    p90_interval: tuple[float, float] | None


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
    photo = np.repeat(np.arange(len(moves)), [len(each) for each in moves])
    distance, flips = np.concatenate([np.empty((0, 2)), *moves]).T
    if not len(distance):
        return Displacement(0, None, None, None, 0, None, None, None)
    steady = distance[distance <= JUMP_PX]
    return Displacement(
        len(distance),
        *_quantiles(distance),
        float(flips.mean()),
        len(distance) - len(steady),
        *_quantiles(steady),
        bootstrap.interval(lambda times: _quantiles(distance.repeat(times[photo]))[1], len(moves)),
    )


def _quantiles(distance: np.ndarray) -> tuple[float, float] | tuple[None, None]:
    """Median and 90th percentile."""
    if not len(distance):
        return None, None
    median, p90 = np.percentile(distance, (50, 90))
    return float(median), float(p90)
