"""What the tests of shipped roundings share: a rounding of a random network, and the two files that ship it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from conversion import network, ship_rounding
from conversion.posenet_weights import ConvWeights, PoseNetWeights
from conversion.quantisation import channel_duplication
from conversion.quantisation.known import packing, shipped
from conversion.quantisation.known.packing import Packed
from conversion.quantisation.result import SPECS, HeadScale, QuantisedLayer
from tests.conversion.weights.weight_files import random_weights

__all__ = ["last_bits_changed", "plainly_rounded", "random_weights", "rounding", "ship", "with_one_number_changed"]

SIZE = (64, 48)
PICTURES = [3, 0, 17]


def rounding(weights: PoseNetWeights, seed: int = 0) -> Packed:
    """Any codes near plain rounding, any scales and codings: nothing of it is calibrated."""
    random = np.random.default_rng(seed)
    slots = channel_duplication.assign(weights)
    codings = {
        spec.name: slots[spec.name].coded(random.uniform(0.01, 0.03, spec.out_channels)) for spec in network.BODY
    }
    scales = {name: HeadScale(0.25 + 0.125 * number, 120 + number) for number, name in enumerate(network.HEAD_NAMES)}
    layers = {}
    for spec in SPECS:
        scale = random.uniform(0.001, 0.01, spec.out_channels).astype(np.float32)
        codes = random.integers(-128, 128, spec.kernel_shape).astype(np.int8)
        layers[spec.name] = QuantisedLayer(codes, scale, random.normal(0, 50, spec.out_channels).astype(np.float32))
    return Packed(layers, scales, codings, PICTURES, SIZE)


def plainly_rounded(weights: PoseNetWeights) -> Packed:
    """`rounding` with codes that are foreseen, one in ten of them a step off."""
    packed = rounding(weights)
    codings = {
        name: replace(coding, step=coding.step.astype(np.float16).astype(float))
        for name, coding in packed.codings.items()
    }
    random = np.random.default_rng(1)
    layers = {}
    for spec in SPECS:
        layer = packed.layers[spec.name]
        foreseen = packing.foreseen(spec, weights, codings, packed.head_scales, layer.scale)
        codes = np.clip(foreseen + (random.random(foreseen.shape) < 0.1), -128, 127).astype(np.int8)
        layers[spec.name] = replace(layer, codes=np.ascontiguousarray(codes.T).reshape(spec.kernel_shape))
    return replace(packed, layers=layers)


def with_one_number_changed(weights: PoseNetWeights, layer: str) -> PoseNetWeights:
    """Fine-tuned, as little as may be."""
    named = weights.body if layer in weights.body else weights.heads
    kernel = named[layer].kernel.copy()
    kernel.flat[7] = np.nextafter(kernel.flat[7], np.float32(np.inf))
    changed = {layer: ConvWeights(kernel, named[layer].bias)}
    if layer in weights.body:
        return replace(weights, body={**weights.body, **changed})
    return replace(weights, heads={**weights.heads, **changed})


def last_bits_changed(weights: PoseNetWeights) -> PoseNetWeights:
    """The same network from other arithmetic: every kernel's numbers differ in their last bits."""

    def changed(layer: ConvWeights) -> ConvWeights:
        random = np.random.default_rng(5)
        up = random.random(layer.kernel.shape) < 0.5
        return ConvWeights(np.nextafter(layer.kernel, np.where(up, np.inf, -np.inf).astype(np.float32)), layer.bias)

    body = {name: changed(layer) for name, layer in weights.body.items()}
    heads = {name: changed(layer) for name, layer in weights.heads.items()}
    return replace(weights, body=body, heads=heads)


def ship(folder: Path, packed: Packed, *published: PoseNetWeights) -> None:
    """The two files, as `make rounding` writes them."""
    (folder / "photos").mkdir()
    (folder / "photos" / "one.png").write_bytes(b"its content is hashed, no more")
    data = packing.pack(packed, published)
    description = ship_rounding.description(folder / "photos", published, packed, data, {})
    (folder / shipped.CODES).write_bytes(data)
    (folder / shipped.DESCRIPTION).write_text(json.dumps(description))
