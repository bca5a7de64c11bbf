"""SQNR layer by layer: what the kmodel's weights lose, and what the KPU's 8-bit activations lose on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from conversion import network
from conversion.evaluation.channels import Channels
from conversion.evaluation.readback import ReadLayer, strided
from conversion.metrics import Noise
from conversion.posenet_weights import PoseNetWeights

RELU_CEILING = 6.0

Maps = Sequence[np.ndarray]


@dataclass(frozen=True)
class LayerLoss:
    """SQNR of a layer's result against the float network, in dB; what the layers before have lost is in it.

    `weights_db`: the kmodel's weights, no activation rounded. `kpu_db`: what the KPU computes. `channels` of the float
    network are compared.
    """

    name: str
    channels: int
    weights_db: float
    kpu_db: float


def float_maps(weights: PoseNetWeights, body: Sequence[ReadLayer], picture: np.ndarray) -> list[np.ndarray]:
    """The float network's body: uint8 [1, H, W, 3] -> float32 [1, h, w, C] of each layer, in real units.

    Strides are those of the kmodel's `body`: as nncase compiles it, a depthwise layer computes every pixel, and the
    pointwise layer behind it drops what a stride of 2 skips.
    """
    maps = picture.astype(np.float32) * np.float32(weights.normalisation.scale)
    maps += np.float32(weights.normalisation.offset)
    results = []
    for spec, read in zip(network.BODY, body, strict=True):
        layer = weights.body[spec.name]
        kernel = layer.kernel.reshape(-1, spec.out_channels)
        maps = strided(replace(spec, stride=read.spec.stride), kernel, maps)
        maps = np.clip(maps + layer.bias, 0, RELU_CEILING)
        results.append(maps)
    return results


def sums(references: Maps, channels: Sequence[Channels], *others: Maps) -> list[np.ndarray]:
    """Per body layer float64 [others, 3, C], to be added up over photos for `losses`.

    `references` are `float_maps`; `others` are maps of the kmodel's channels, in bytes.
    """
    return [
        np.stack([_sums(reference, matching, maps[number]) for maps in others])
        for number, (reference, matching) in enumerate(zip(references, channels, strict=True))
    ]


def _sums(reference: np.ndarray, channels: Channels, maps: np.ndarray) -> np.ndarray:
    """Per float channel: reference squared, the other one squared, both multiplied."""
    merge = channels.merge(reference.shape[-1])
    merged = (maps @ merge).reshape(-1, reference.shape[-1])
    ours = reference.reshape(merged.shape) * merge.any(0)
    return np.stack([np.einsum("nc,nc->c", *pair) for pair in ((ours, ours), (merged, merged), (ours, merged))])


def losses(totals: Sequence[np.ndarray], channels: Sequence[Channels]) -> list[LayerLoss]:
    """The table of body layers from the photos' added `sums` of two: weights, KPU.

    Each channel is compared at its best scale, since a kmodel does not say its scales and they do not count as loss.
    A float channel without counterpart is left out: dead ones, and constants that a kmodel has in a bias.
    """
    return [
        LayerLoss(spec.name, int(matching.merge(spec.out_channels).any(0).sum()), *(_noise(part).db for part in total))
        for spec, total, matching in zip(network.BODY, totals, channels, strict=True)
    ]


def _noise(total: np.ndarray) -> Noise:
    """Signal and the part of it that no multiple of the other explains, over the channels."""
    signal, power, product = total
    explained = np.divide(product**2, power, out=np.zeros_like(power), where=power > 0)
    return Noise(float(signal.sum()), float(np.maximum(signal - explained, 0).sum()))
