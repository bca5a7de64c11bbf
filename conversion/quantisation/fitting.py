"""One layer's codes, scales and biases from its statistics: least squares first, then rounding by the same measure."""

from __future__ import annotations

import numpy as np

from conversion.network import LayerSpec
from conversion.posenet_weights import ConvWeights
from conversion.quantisation import depthwise_rounding, rounding
from conversion.quantisation.channel_duplication import Coding
from conversion.quantisation.layer_statistics import Moments
from conversion.quantisation.nncase_grid import LEAST_REACH, REACH_STEPS
from conversion.quantisation.result import QuantisedLayer

# How strongly the refitted weights are held to the published ones, as a share of an input's mean variance. From 0.1
# to 1 nothing changes but by chance; little of it harms where photos are few.
RIDGE = 0.3
# Inputs that never vary still need a measure of error, in squared bytes.
_LEAST_VARIANCE = 1e-4
# Biases are rounded to this part of a byte, scales to so many bits: the last bits of double precision differ from one
# processor to another, and nothing that follows should.
_BIAS_STEP = 2.0**-12
_SCALE_BITS = 14


def fit(
    spec: LayerSpec, weights: ConvWeights, moments: Moments, source: Coding, target: Coding, unit: float
) -> QuantisedLayer:
    """A layer in bytes that gives what `moments` say the float layer gives, in the codings of its input and output.

    `unit` is what a weight of 1 in nncase's graph is in bytes. The weights minimise the squared error over the photos
    plus RIDGE times their squared distance from the published ones; so they also make up, as far as that can be
    foreseen, for what rounding has done to their inputs.
    """
    least_scale = LEAST_REACH / REACH_STEPS * unit
    mean_out = moments.mean_out / target.step + target.offset
    prior = published(spec, weights, source, target)
    if spec.kind == "depthwise":
        wanted, metric = _refitted(moments.within, moments.across / target.step[:, None, None], prior[..., None])
        codes, scale = depthwise_rounding.best_codes(wanted[..., 0], metric, least_scale)
        bias = mean_out - (moments.mean_in * codes).sum(1) * scale
        codes = codes.T
    else:
        wanted, metric = _refitted(moments.within, moments.across / target.step, prior)
        codes, scale = rounding.best_codes(wanted, metric, least_scale)
        bias = mean_out - moments.mean_in @ codes * scale
    codes = codes.astype(np.int8).reshape(spec.kernel_shape)
    bias = np.rint(bias / _BIAS_STEP) * _BIAS_STEP
    mantissa, exponent = np.frexp(scale)
    scale = np.ldexp(np.rint(np.ldexp(mantissa, _SCALE_BITS)), exponent - _SCALE_BITS)
    return QuantisedLayer(codes, scale.astype(np.float32), bias.astype(np.float32))


def published(spec: LayerSpec, weights: ConvWeights, source: Coding, target: Coding) -> np.ndarray:
    """The published kernel between the bytes of two codings: [K * K * C_in, C_out], or [C, 9] if depthwise."""
    if spec.kind == "depthwise":
        kernel = weights.kernel.reshape(-1, spec.out_channels).astype(np.float64)
        return kernel.T[target.channel] * (source.step / target.step)[:, None]
    kernel = weights.kernel[:, :, source.channel][..., target.channel].astype(np.float64)
    return (kernel * (source.step * source.share)[:, None] / target.step).reshape(-1, spec.out_channels)


def _refitted(within: np.ndarray, across: np.ndarray, prior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best real weights [..., K, C], and the measure of an error of theirs [..., K, K]."""
    variance = np.trace(within, axis1=-2, axis2=-1) / within.shape[-1]
    ridge = (RIDGE * np.maximum(variance, _LEAST_VARIANCE))[..., None, None]
    metric = within + ridge * np.eye(within.shape[-1])
    return np.linalg.solve(metric, across + ridge * prior), metric
