"""Statistics of a layer: how its inputs, in bytes, and what it should give vary together over the photos.

All of them are sums of integers, exact in double precision and therefore the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from conversion.network import LayerSpec
from conversion.quantisation.float_layer import STEP
from conversion.quantisation.layers import rows, taps_at

# Positions looked at: more of them change the result by no more than chance does.
_DENSE_SAMPLES = 40_000
_DEPTHWISE_SAMPLES = 8_000
_CHANNELS_AT_ONCE = 64

Part = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Moments:
    """Means and centred second moments, float64; inputs in bytes, outputs in real units.

    Dense: mean_in [K], mean_out [C], within [K, K], across [K, C]. Depthwise, every channel apart: mean_in [C, 9],
    mean_out [C], within [C, 9, 9], across [C, 9, 1].
    """

    mean_in: np.ndarray
    mean_out: np.ndarray
    within: np.ndarray
    across: np.ndarray

    def of_outputs(self, chosen: np.ndarray) -> Moments:
        """The same for some of a dense layer's outputs, in the order of `chosen`."""
        return replace(self, mean_out=self.mean_out[chosen], across=self.across[:, chosen])


def sample(random: np.random.Generator, spec: LayerSpec, positions: int) -> np.ndarray:
    """Which of a layer's positions to look at, ascending, none twice."""
    wanted = _DEPTHWISE_SAMPLES if spec.kind == "depthwise" else _DENSE_SAMPLES
    if positions <= wanted:
        return np.arange(positions)
    return np.sort(random.choice(positions, wanted, replace=False))


def part(spec: LayerSpec, inputs: np.ndarray, outputs: np.ndarray, chosen: np.ndarray) -> Part:
    """What some pictures contribute, for `combined`.

    Inputs [n, H, W, C_in] in bytes above the zero point, outputs [n, h, w, C_out] in steps of STEP, and the chosen
    positions among the outputs'.
    """
    y = outputs.reshape(-1, spec.out_channels)[chosen]
    if spec.kind == "depthwise":
        return taps_at(spec, inputs, chosen), y
    x = rows(spec, inputs)[chosen].astype(np.float64)
    return np.array(len(x)), x.sum(0), y.sum(0), x.T @ x, x.T @ y


def combined(spec: LayerSpec, parts: Iterable[Part]) -> Moments:
    """The moments over all parts."""
    return _depthwise(list(parts)) if spec.kind == "depthwise" else _dense(parts)


def _dense(parts: Iterable[Part]) -> Moments:
    totals: list[np.ndarray] = []
    for arrays in parts:
        totals = [total + array for total, array in zip(totals, arrays, strict=True)] if totals else list(arrays)
    return _centred(*totals)


def _depthwise(parts: list[Part]) -> Moments:
    inputs, outputs = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    blocks = []
    for first in range(0, outputs.shape[1], _CHANNELS_AT_ONCE):
        block = slice(first, first + _CHANNELS_AT_ONCE)
        x = inputs[..., block].transpose(2, 1, 0).astype(np.float64, order="C")
        y = np.ascontiguousarray(outputs[:, block].T)[..., None]
        blocks.append((x.sum(2), y.sum((1, 2)), x @ x.transpose(0, 2, 1), x @ y))
    sum_in, sum_out, within, across = (np.concatenate(arrays) for arrays in zip(*blocks, strict=True))
    moments = _centred(np.array(len(outputs)), sum_in, sum_out[:, None], within, across)
    return replace(moments, mean_out=moments.mean_out[:, 0])


def _centred(
    count: np.ndarray, sum_in: np.ndarray, sum_out: np.ndarray, within: np.ndarray, across: np.ndarray
) -> Moments:
    mean_in, mean_out = sum_in / count, sum_out / count * STEP
    return Moments(
        mean_in,
        mean_out,
        within / count - mean_in[..., :, None] * mean_in[..., None, :],
        across / count * STEP - mean_in[..., :, None] * mean_out[..., None, :],
    )
