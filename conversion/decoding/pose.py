"""One pose as the host handles it, whichever decoder found it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pose:
    """`score` 0..1; `keypoints` float64 [17, 3]: x and y in input pixels, score 0..1, in the order of the parts."""

    score: float
    keypoints: np.ndarray
