"""Which photos nncase needs to see: it takes every range from the least and the greatest value that it meets."""

from __future__ import annotations

import numpy as np

from conversion.quantisation.units import LARGEST_BYTE

# nncase runs the network in floating point; what it meets differs a little from the emulated bytes.
_MARGIN_BYTES = 0.05 * LARGEST_BYTE


class Reached:
    """How far each photo takes each end of each range."""

    def __init__(self, pictures: np.ndarray) -> None:
        self._pictures = pictures
        self._excess: list[np.ndarray] = []

    def add(self, ends: np.ndarray, lower: bool) -> None:
        """Note a layer's least and greatest value before clipping, [N, 2] in bytes, of each picture."""
        self._excess.append(ends[:, 1] - LARGEST_BYTE)
        if lower:
            self._excess.append(-ends[:, 0])

    def pictures(self) -> np.ndarray:
        """A few pictures that reach every end, with a margin where any picture does."""
        excess = np.stack(self._excess)
        enough = np.minimum(excess.max(1), _MARGIN_BYTES)
        missing = excess >= enough[:, None]
        chosen: list[int] = []
        while missing.any():
            chosen.append(int(missing.sum(0).argmax()))
            missing = missing[~missing[:, chosen[-1]]]
        return self._pictures[sorted(chosen)]
