"""The quantised network as float weights for nncase, chosen so that nncase's own rounding gives back every code.

nncase's grid has 127.5 steps on each side (see `units`). A weight of code * scale comes back as that code if the
channel's largest weight stands at exactly 127.5 scales; the codes 127 and -128 survive being moved there, as they are
what 127.5 and -127.5 are clipped and rounded to.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from conversion import input_pixels, network
from conversion.errors import CompilerError
from conversion.network import LayerSpec
from conversion.posenet_weights import ConvWeights, Normalisation, Origin, PoseNetWeights
from conversion.quantisation.nncase_grid import (
    BYTE_STEP,
    HIGHEST_CODE,
    LARGEST_BYTE,
    LEAST_REACH,
    LOWEST_CODE,
    REACH_STEPS,
)
from conversion.quantisation.result import HEAD_SPECS, QuantisedLayer, QuantisedNetwork

# Where a code's half step is rounded the wrong way in single precision, the scale is moved by a few of its last bits.
_NUDGE = 2.0**-24
_NUDGES = 2048


def weights(quantised: QuantisedNetwork) -> PoseNetWeights:
    """Float weights that nncase quantises to the codes of `quantised`: ReLU6 maps as ever, heads in bytes 0..255.

    Raises CompilerError for a channel that no float weights give.
    """
    body = {spec.name: layer(spec, quantised.layers[spec.name], quantised.pixel_scale) for spec in network.BODY}
    heads = {spec.name: layer(spec, quantised.layers[spec.name]) for spec in HEAD_SPECS}
    centred = Normalisation(quantised.pixel_scale, -input_pixels.PAD_PIXEL * quantised.pixel_scale)
    return PoseNetWeights(body, heads, centred, Origin("quantised", None, {}))


def layer(spec: LayerSpec, quantised: QuantisedLayer, pixel_scale: float | None = None) -> ConvWeights:
    """One layer of `weights`; `pixel_scale` is for the first. CompilerError as there."""
    weight_unit, bias_unit = _units(spec, pixel_scale)
    axis = 2 if spec.kind == "depthwise" else 3
    by_channel = np.moveaxis(quantised.codes, axis, 0)
    scale = quantised.scale.astype(np.float64) * weight_unit
    fed, wrong = fed_weights(by_channel.reshape(spec.out_channels, -1), scale)
    if wrong.any():
        raise CompilerError(f"layer {spec.name}: nncase cannot be made to give the codes of {wrong.sum()} channels")
    kernel = np.moveaxis(fed.reshape(by_channel.shape), 0, axis)
    bias = quantised.bias.astype(np.float64) * bias_unit
    return ConvWeights(np.ascontiguousarray(kernel), bias.astype(np.float32))


def _units(spec: LayerSpec, pixel_scale: float | None) -> tuple[float, float]:
    """What a weight and a bias in bytes are in the graph: a map's byte stands for BYTE_STEP there, a head's for 1."""
    if spec in HEAD_SPECS:
        return 1 / BYTE_STEP, 1.0
    return (BYTE_STEP / pixel_scale if spec is network.BODY[0] else 1.0), BYTE_STEP


def nncase_codes(channels: np.ndarray) -> np.ndarray:
    """The codes (-128..127) that nncase 1.9 makes of float32 weights [C, K], in its own single precision."""
    reach = np.maximum(np.abs(channels).max(1, keepdims=True), np.float32(LEAST_REACH))
    scale = ((reach + reach).astype(np.float64) / LARGEST_BYTE).astype(np.float32)
    shifted = np.clip(np.rint(channels / scale - np.float32(LOWEST_CODE)), 0, LARGEST_BYTE)
    return shifted.astype(np.int64) + LOWEST_CODE


def fed_weights(codes: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Float32 weights [C, K] that nncase quantises to `codes` at `scale` [C], and which channels have none, bool [C].

    A channel needs a code 127 or -128, unless its scale is nncase's least.
    """
    fed = np.zeros(codes.shape, np.float32)
    wrong = np.ones(len(codes), bool)
    for factor in _nudges():
        rest = np.flatnonzero(wrong)
        if not len(rest):
            break
        fed[rest] = _spread(codes[rest], scale[rest] * factor)
        wrong[rest] = (nncase_codes(fed[rest]) != codes[rest]).any(1)
    return fed, wrong


def _nudges() -> Iterator[float]:
    yield 1.0
    for step in range(1, _NUDGES):
        yield 1 + step * _NUDGE
        yield 1 - step * _NUDGE


def _spread(codes: np.ndarray, scale: np.ndarray) -> np.ndarray:
    steps = np.where(codes == LOWEST_CODE, -REACH_STEPS, codes.astype(np.float64))
    # Where no -128 is, a 127 must stand at the end of the range; at the least scale, the end is nncase's own.
    alone = ~(codes == LOWEST_CODE).any(1) & (codes.max(1) == HIGHEST_CODE)
    moved = np.flatnonzero(alone & (scale * REACH_STEPS > LEAST_REACH))
    steps[moved, codes[moved].argmax(1)] = REACH_STEPS
    return (steps * scale[:, None]).astype(np.float32)
