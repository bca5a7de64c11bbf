"""The quantised network in NumPy, byte for byte as its layers define it; the KPU differs by its own rounding alone."""

from __future__ import annotations

import numpy as np

from conversion import network
from conversion.network import LayerSpec
from conversion.quantisation.layers import convolve, in_chunks
from conversion.quantisation.nncase_grid import LARGEST_BYTE, zero_point
from conversion.quantisation.result import HEAD_SPECS, QuantisedLayer, QuantisedNetwork


def run_layer(spec: LayerSpec, layer: QuantisedLayer, maps: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W, C_in] -> [N, h, w, C_out].

    Sums are integers below 2^24, exact in float32 in any order: every machine computes the same bytes.
    """
    count, height, width, _ = maps.shape
    result = np.empty((count, height // spec.stride, width // spec.stride, spec.out_channels), np.uint8)
    matrix = layer.matrix

    def work(part: slice) -> None:
        values = convolve(spec, matrix, maps[part].astype(np.float32) - zero_point(spec))
        values *= layer.scale
        values += layer.bias
        np.rint(values, out=values)
        np.clip(values, 0, LARGEST_BYTE, out=values)
        result[part] = values

    for _ in in_chunks(work, result):
        pass
    return result


def run(quantised: QuantisedNetwork, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """uint8 [N, H, W, 3] -> float32 [N, C, h, w] per head, in real units."""
    maps = pictures
    for spec in network.BODY:
        maps = run_layer(spec, quantised.layers[spec.name], maps)
    heads = {}
    for spec in HEAD_SPECS:
        values = run_layer(spec, quantised.layers[spec.name], maps)
        head = quantised.head_scales[spec.name]
        real = (values.astype(np.float32) - head.zero_point) * np.float32(head.scale)
        heads[spec.name] = np.ascontiguousarray(real.transpose(0, 3, 1, 2))
    return heads
