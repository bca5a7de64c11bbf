"""A convolution layer in NumPy: exact for integers in float32, and in double precision for the float network."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from conversion.network import LayerSpec

TAPS = 9
# Elements of a feature map worked on at a time: they stay in the processor's cache.
_CHUNK_ELEMENTS = 1 << 18

Result = TypeVar("Result")


def in_chunks(work: Callable[[slice], Result], maps: np.ndarray) -> Iterator[Result]:
    """`work` on slices over the pictures of [N, H, W, C], on all cores; results in order.

    The slices are the same on every machine, so that sums over them are too.
    """
    step = max(1, _CHUNK_ELEMENTS // max(1, maps[0].size))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(work, (slice(first, first + step) for first in range(0, len(maps), step)))


def rows(spec: LayerSpec, maps: np.ndarray) -> np.ndarray:
    """What a dense layer multiplies: [N, H, W, C] -> [N * h * w, K * K * C], maps padded with zeros as on the KPU."""
    if spec.kernel == 1:
        return maps.reshape(-1, spec.in_channels)
    taps = np.stack(list(_taps(spec, maps)), axis=3)
    return taps.reshape(-1, TAPS * spec.in_channels)


def taps_at(spec: LayerSpec, maps: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """What a depthwise layer multiplies at chosen positions (of all N * h * w, row by row): [n, 9, C]."""
    _, height, width, _ = maps.shape
    picture, position = np.divmod(chosen, (height // spec.stride) * (width // spec.stride))
    row, column = np.divmod(position, width // spec.stride)
    padded = _padded(maps)
    return np.stack(
        [padded[picture, row * spec.stride + tap // 3, column * spec.stride + tap % 3] for tap in range(TAPS)], axis=1
    )


def convolve(spec: LayerSpec, kernel: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Sums without bias, [N, H, W, C_in] -> [N, h, w, C_out]; kernel [K * K * C_in, C_out], or [9, C] if depthwise.

    Computed in the arrays' own type; integers in float32 are exact below 2^24, which 8-bit layers never reach.
    """
    count, height, width, _ = maps.shape
    shape = (count, height // spec.stride, width // spec.stride, spec.out_channels)
    if spec.kind != "depthwise":
        return (rows(spec, maps) @ kernel).reshape(shape)
    sums = np.zeros(shape, maps.dtype)
    product = np.empty(shape, maps.dtype)
    for tap, weights in zip(_taps(spec, maps), kernel, strict=True):
        np.multiply(tap, weights, out=product)
        sums += product
    return sums


def _taps(spec: LayerSpec, maps: np.ndarray) -> Iterator[np.ndarray]:
    """The map under each tap of a 3x3 kernel, row by row, sampled with the layer's stride."""
    _, height, width, _ = maps.shape
    padded = _padded(maps)
    for row in range(3):
        for column in range(3):
            yield padded[:, row : row + height : spec.stride, column : column + width : spec.stride]


def _padded(maps: np.ndarray) -> np.ndarray:
    return np.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)))
