"""Which photos nncase needs to see: it takes every range from the least and the greatest value that it meets.

nncase runs the graph that it is fed in floating point. There codes at the ends of their range stand half a step
further out (see `feed`), which by the heads adds up to tens of bytes. So that very graph is run here.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from conversion import input_pixels, network
from conversion.quantisation import nncase_weights
from conversion.quantisation.layers import convolve, in_chunks
from conversion.quantisation.nncase_grid import BYTE_STEP, LARGEST_BYTE, RELU_CEILING
from conversion.quantisation.result import HEAD_SPECS, QuantisedLayer

# Value before clipping of each layer on each picture, (least, greatest) in bytes: [N, 2] by layer name.
Ends = Mapping[str, np.ndarray]

# How far beyond an end a value must be for nncase to reach the end for certain: its sums are rounded in another order.
MARGIN_BYTES = 0.5


class Fed:
    """The graph that nncase gets, up to the heads, run on uint8 pictures [N, H, W, 3]."""

    def __init__(self, body: Mapping[str, QuantisedLayer], pixel_scale: float, pictures: np.ndarray) -> None:
        layers = [(spec, nncase_weights.layer(spec, body[spec.name], pixel_scale)) for spec in network.BODY]

        def work(part: slice) -> tuple[np.ndarray, np.ndarray]:
            maps = (pictures[part].astype(np.float32) - input_pixels.PAD_PIXEL) * np.float32(pixel_scale)
            ends = []
            for spec, weights in layers:
                results = convolve(spec, weights.kernel.reshape(-1, spec.out_channels), maps) + weights.bias
                ends.append(_ends(results) / BYTE_STEP)
                maps = results.clip(0, RELU_CEILING)
            return maps, np.stack(ends, 1)

        features, ends = (np.concatenate(parts) for parts in zip(*in_chunks(work, pictures), strict=True))
        self._features = features
        self._body = {spec.name: ends[:, number] for number, (spec, _) in enumerate(layers)}

    def ends(self, heads: Mapping[str, QuantisedLayer]) -> Ends:
        """What nncase meets in every layer, with these heads."""
        found = {}
        for spec in HEAD_SPECS:
            weights = nncase_weights.layer(spec, heads[spec.name])
            found[spec.name] = _ends(convolve(spec, weights.kernel[0, 0], self._features) + weights.bias)
        return self._body | found


def sufficient(ends: Ends) -> np.ndarray:
    """Numbers of a few pictures that together reach every end which any of them reaches."""
    beyond = [values[:, 1] - LARGEST_BYTE for values in ends.values()]
    beyond += [-ends[name][:, 0] for name in network.HEAD_NAMES if name in ends]
    excess = np.stack(beyond)
    missing = excess >= np.minimum(excess.max(1), MARGIN_BYTES)[:, None]
    chosen: list[int] = []
    while len(missing):
        chosen.append(int(missing.sum(0).argmax()))
        missing = missing[~missing[:, chosen[-1]]]
    return np.array(sorted(chosen))


def _ends(results: np.ndarray) -> np.ndarray:
    return np.stack((results.min((1, 2, 3)), results.max((1, 2, 3))), axis=1)
