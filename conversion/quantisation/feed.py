"""The quantised network as float weights for nncase, chosen so that nncase's own rounding gives back every code.

nncase 1.9 takes a channel's weights to reach from -r to r, r being the largest of them and at least 0.01, and spreads
255 steps over that: its grid has 127.5 steps on each side (quantizer.cpp, kpu_conv2d.cpp). A weight of code * scale
therefore comes back as it was if the channel's largest weight stands at exactly 127.5 scales; codes 127 and -128 both
survive being moved there, as they are what 127.5 and -127.5 are clipped and rounded to.
"""

from __future__ import annotations

from collections.abc import Iterator
import numpy as np

from conversion import network
from conversion.errors import CompilerError
from conversion.network import LayerSpec
from conversion.quantisation.emulation import LARGEST_BYTE, PICTURE_ZERO_POINT
from conversion.quantisation.layerwise import BYTE_STEP
from conversion.quantisation.fitting import LEAST_REACH, REACH_STEPS
from conversion.quantisation.result import HEAD_SPECS, QuantisedLayer, QuantisedNetwork
from conversion.quantisation.rounding import HIGHEST_CODE, LOWEST_CODE
from conversion.weights.model import ConvWeights, Normalisation, Origin, PoseNetWeights

# Where a code's half step is rounded the wrong way in single precision, the scale is moved by a few of its last bits.
_NUDGE = 2.0**-24
_NUDGES = 4096


def weights(quantised: QuantisedNetwork) -> PoseNetWeights:
    """Float weights that nncase quantises to the codes of `quantised`: ReLU6 maps as ever, heads in bytes 0..255.

    Raises CompilerError for a channel that no float weights give.
    """
    body = {spec.name: _layer(spec, quantised.layers[spec.name], *_units(spec, quantised)) for spec in network.BODY}
    heads = {spec.name: _layer(spec, quantised.layers[spec.name], 1 / BYTE_STEP, 1.0) for spec in HEAD_SPECS}
    centred = Normalisation(quantised.pixel_scale, -PICTURE_ZERO_POINT * quantised.pixel_scale)
    return PoseNetWeights(body, heads, centred, Origin("quantised", None, {}))


def _units(spec: LayerSpec, quantised: QuantisedNetwork) -> tuple[float, float]:
    """(weight, bias) of the graph for 1 in bytes: a map's byte stands for BYTE_STEP, a pixel for its own scale."""
    return (BYTE_STEP / quantised.pixel_scale if spec is network.BODY[0] else 1.0), BYTE_STEP


def _layer(spec: LayerSpec, layer: QuantisedLayer, weight_unit: float, bias_unit: float) -> ConvWeights:
    by_channel = np.moveaxis(layer.codes, _channel_axis(spec), 0)
    fed, wrong = fed_weights(by_channel.reshape(spec.out_channels, -1), layer.scale.astype(np.float64) * weight_unit)
    if wrong.any():
        raise CompilerError(f"layer {spec.name}: no weights make nncase give the chosen codes of {wrong.sum()} channels")
    kernel = np.moveaxis(fed.reshape(by_channel.shape), 0, _channel_axis(spec))
    return ConvWeights(np.ascontiguousarray(kernel), (layer.bias * np.float64(bias_unit)).astype(np.float32))


def _channel_axis(spec: LayerSpec) -> int:
    return 2 if spec.kind == "depthwise" else 3


def nncase_codes(channels: np.ndarray) -> np.ndarray:
    """The codes (-128..127) that nncase 1.9 makes of float32 weights [C, K], in its own single precision."""
    reach = np.maximum(np.abs(channels).max(1, keepdims=True), np.float32(LEAST_REACH))
    scale = ((reach + reach).astype(np.float64) / LARGEST_BYTE).astype(np.float32)
    bytes_ = np.clip(np.rint(channels / scale + np.float32(-LOWEST_CODE)), 0, LARGEST_BYTE)
    return bytes_.astype(np.int64) + LOWEST_CODE


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
    # One code 127 stands at the end of the range where no -128 does; at the least scale, the end is nncase's own.
    needs_end = ~(codes == LOWEST_CODE).any(1) & (scale * REACH_STEPS > LEAST_REACH)
    top = codes.argmax(1)
    pinned = np.flatnonzero(needs_end & (codes.max(1) == HIGHEST_CODE))
    steps[pinned, top[pinned]] = REACH_STEPS
    return (steps * scale[:, None]).astype(np.float32)
