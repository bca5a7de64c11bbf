"""Real range of each head's bytes: as narrow as harmless, since its step is an error of every keypoint."""

from __future__ import annotations

import numpy as np

from conversion.metrics import HEATMAP_FLOOR
from conversion.quantisation.result import HeadScale
from conversion.quantisation.units import LARGEST_BYTE

# Offsets were trained within 32 px of a keypoint (Papandreou et al. 2018, "PersonLab"), and confident cells stay below
# 29 px (measured). Beyond is background, which only a measure over all cells sees: this much of it is kept.
OFFSET_REACH_PX = 44.0
# What cutting off a displacement's rare outliers may cost, as a signal to noise ratio.
DISPLACEMENT_CLIPPING_DB = 45.0
# nncase sets the range from what the head reaches, so it must end within what the photos reach.
_WITHIN = 0.98
_BISECTIONS = 40


def head_scale(name: str, values: np.ndarray) -> HeadScale:
    """Scale and integer zero point for a head whose real values over the photos are given (any shape)."""
    low, high = _ends(name, values.ravel())
    low, high = (max(low, _WITHIN * float(values.min())), min(high, _WITHIN * float(values.max())))
    low, high = min(low, 0.0), max(high, 0.0)
    zero_point = round(-low / (high - low) * LARGEST_BYTE)
    # The zero point is whole, so one of the ends moves inwards a little.
    scales = [end / steps for end, steps in ((low, -zero_point), (high, LARGEST_BYTE - zero_point)) if steps]
    return HeadScale(float(np.float32(min(scales))), zero_point)


def _ends(name: str, values: np.ndarray) -> tuple[float, float]:
    if name == "heatmap":
        return HEATMAP_FLOOR, float(values.max())
    if name == "offset":
        return -OFFSET_REACH_PX, OFFSET_REACH_PX
    allowed = np.square(values, dtype=np.float64).sum() * 10 ** (-DISPLACEMENT_CLIPPING_DB / 10) / 2
    return -_end(-values, allowed), _end(values, allowed)


def _end(values: np.ndarray, allowed: float) -> float:
    """The end beyond which lies just the squared error that is allowed."""
    inner, outer = 0.0, float(values.max())
    beyond = values[values > 0].astype(np.float64)
    for _ in range(_BISECTIONS):
        middle = (inner + outer) / 2
        excess = beyond[beyond > middle] - middle
        inner, outer = (inner, middle) if np.square(excess).sum() <= allowed else (middle, outer)
    return outer
