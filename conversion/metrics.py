"""How far a quantised network is from the float one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

# Below this logit a keypoint is certainly absent; how far below does not matter, and quantised ranges end here.
HEATMAP_FLOOR = -10.0


def sqnr_db(reference: Mapping[str, np.ndarray], quantised: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Signal to quantisation noise per head, 10 log10(sum ref^2 / sum (ref - q)^2), over all photos, cells, channels.

    Both sides are real values of any equal shapes; the heatmap is clipped at HEATMAP_FLOOR on both.
    """
    return {name: _ratio_db(*_clipped(name, reference[name], quantised[name])) for name in reference}


def _clipped(name: str, reference: np.ndarray, quantised: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if name == "heatmap":
        return np.maximum(reference, HEATMAP_FLOOR), np.maximum(quantised, HEATMAP_FLOOR)
    return reference, quantised


def _ratio_db(reference: np.ndarray, quantised: np.ndarray) -> float:
    signal = np.square(reference, dtype=np.float64).sum()
    noise = np.square(np.subtract(reference, quantised, dtype=np.float64)).sum()
    return float(10 * np.log10(signal / noise)) if noise else float("inf")
