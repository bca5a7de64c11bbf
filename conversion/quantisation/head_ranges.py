"""Real range of each head's bytes: as narrow as harmless, since its step is an error of every keypoint."""

from __future__ import annotations

import math

import numpy as np

from conversion.errors import PhotoError
from conversion.metrics import HEATMAP_FLOOR
from conversion.quantisation.nncase_grid import LARGEST_BYTE
from conversion.quantisation.range_coverage import MARGIN_BYTES
from conversion.quantisation.result import HeadScale

# How far the offsets' range goes below and above 0. Offsets were trained within 32 px of a keypoint (Papandreou et al.
# 2018, "PersonLab"); in cells that are sure of one they stay below 30 px, with Coral's weights below 38. Beyond is
# background, which a measure over all cells sees. This costs such a measure 0.5 dB at most, and keypoints hardly a
# thing: see `python -m tests.conversion.quantisation.offset_reach`.
OFFSET_REACH_PX = (56.0, 56.0)
# What cutting off a displacement's rare outliers may cost, as a signal to noise ratio.
DISPLACEMENT_CLIPPING_DB = 45.0
# nncase sets the range from what the head reaches on the photos, so it must end within that: by a share of what the
# float network reaches, and by a few bytes of what the quantised one does.
_WITHIN = 0.98
_INSET_BYTES = MARGIN_BYTES + 1
_BISECTIONS = 40


def head_scale(name: str, values: np.ndarray, offset_reach: tuple[float, float] = OFFSET_REACH_PX) -> HeadScale:
    """Scale and integer zero point for a head whose real values over the photos are given (any shape)."""
    low, high = _ends(name, values.ravel(), offset_reach)
    return _scale(max(low, _WITHIN * float(values.min())), min(high, _WITHIN * float(values.max())))


def reached(scale: HeadScale, ends: np.ndarray) -> HeadScale:
    """The same scale if values [N, 2] (least, greatest, in its bytes) go beyond its ends, else a narrower one.

    A range that ends at real 0 below needs nothing beyond: nncase's ranges always hold 0. The new ends are whole bytes
    of the old range, whatever the last bits of the values are.
    """
    least, greatest = float(ends[:, 0].min()), float(ends[:, 1].max())
    low, high = 0, LARGEST_BYTE
    if scale.zero_point and least > -MARGIN_BYTES:
        low = math.ceil(max(least, 0) + _INSET_BYTES)
    if greatest < LARGEST_BYTE + MARGIN_BYTES:
        high = math.floor(min(greatest, LARGEST_BYTE) - _INSET_BYTES)
    if (low, high) == (0, LARGEST_BYTE):
        return scale
    return _scale((low - scale.zero_point) * scale.scale, (high - scale.zero_point) * scale.scale)


def _scale(low: float, high: float) -> HeadScale:
    low = min(low, 0.0)
    if high <= 0:
        raise PhotoError("calibration: on these photos a head of the network is never above 0; give photos of people")
    zero_point = round(-low / (high - low) * LARGEST_BYTE)
    # The zero point is whole, so one of the ends moves inwards a little.
    scales = [end / steps for end, steps in ((low, -zero_point), (high, LARGEST_BYTE - zero_point)) if steps]
    return HeadScale(float(np.float32(min(scales))), zero_point)


def _ends(name: str, values: np.ndarray, offset_reach: tuple[float, float]) -> tuple[float, float]:
    if name == "heatmap":
        return HEATMAP_FLOOR, float(values.max())
    if name == "offset":
        below, above = offset_reach
        return -below, above
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
