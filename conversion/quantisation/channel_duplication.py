"""Which channel each slot of a feature map holds: channels that can never be active make room for copies of others.

A copy's bias is moved by a part of a rounding step, so that the mean of a channel's copies has finer steps than one
byte. The channels between a dense layer and the pointwise layer after its depthwise one may be arranged at will.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from conversion import network
from conversion.network import LayerSpec
from conversion.posenet_weights import PoseNetWeights
from conversion.quantisation.nncase_grid import LARGEST_BYTE, RELU_CEILING


@dataclass(frozen=True)
class Slots:
    """For each slot of a map: its channel, what is added to it in bytes, and its share of the channel; arrays [S]."""

    channel: np.ndarray
    offset: np.ndarray
    share: np.ndarray

    def coded(self, step: np.ndarray) -> Coding:
        """With the real value of a byte of each channel, `step` [C]."""
        return Coding(self.channel, self.offset, self.share, step[self.channel])


@dataclass(frozen=True)
class Coding(Slots):
    """How a map's bytes code the float network's channels: byte = real / step + offset; arrays [S]."""

    step: np.ndarray


def in_order(channels: int) -> Slots:
    """Every channel once, in its own place."""
    return Slots(np.arange(channels), np.zeros(channels), np.ones(channels))


def assign(weights: PoseNetWeights) -> dict[str, Slots]:
    """The slots of every body layer's output by layer name."""
    active = active_channels(weights)
    result = {spec.name: in_order(spec.out_channels) for spec in network.BODY}
    for dense, depthwise, pointwise in zip(network.BODY[:-2:2], network.BODY[1::2], network.BODY[2::2], strict=True):
        low, high = active[depthwise.name]
        outgoing = np.square(weights.body[pointwise.name].kernel[0, 0].astype(np.float64)).sum(1)
        result[dense.name] = result[depthwise.name] = _with_copies(high - low, outgoing)
    return result


def active_channels(weights: PoseNetWeights) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """(least, greatest) value that each channel of each body layer can have for any picture, by interval arithmetic."""
    black = weights.normalisation.offset
    white = LARGEST_BYTE * weights.normalisation.scale + black
    low = np.full(network.INPUT_CHANNELS, min(black, 0.0))
    high = np.full(network.INPUT_CHANNELS, max(white, 0.0))
    result = {}
    for spec in network.BODY:
        layer = weights.body[spec.name]
        low, high = _interval(spec, layer.kernel.astype(np.float64), layer.bias, low, high)
        result[spec.name] = low, high
    return result


def _interval(
    spec: LayerSpec, kernel: np.ndarray, bias: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if spec.kernel > 1:
        # Padding puts zeros beside values that may never be zero.
        low, high = np.minimum(low, 0), np.maximum(high, 0)
    at_low, at_high = kernel * low[:, None], kernel * high[:, None]
    axes = (0, 1, 3) if spec.kind == "depthwise" else (0, 1, 2)
    least = np.minimum(at_low, at_high).sum(axes) + bias
    greatest = np.maximum(at_low, at_high).sum(axes) + bias
    return least.clip(0, RELU_CEILING), greatest.clip(0, RELU_CEILING)


def _with_copies(spread: np.ndarray, outgoing: np.ndarray) -> Slots:
    """Copies go where they help most: k copies make a channel's rounding noise, spread^2 * outgoing, k^2 times less."""
    live = np.flatnonzero(spread > 0)
    if not len(live):
        return in_order(len(spread))
    noise = (np.square(spread) * outgoing)[live]
    copies = np.ones(len(live), np.int64)
    for _ in range(len(spread) - len(live)):
        copies[np.argmax(noise / copies**2 - noise / (copies + 1) ** 2)] += 1
    offsets = [(np.arange(count) + 0.5) / count - 0.5 for count in copies]
    return Slots(np.repeat(live, copies), np.concatenate(offsets), np.repeat(1 / copies, copies))
