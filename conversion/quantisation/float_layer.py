"""The float network's layers in fixed point, wide enough to be as good as double precision, and exact.

Every product and sum is an integer below 2^53, which double precision holds exactly. So the order of summation does
not matter, and every processor, number of cores and BLAS library gives the same result to the last bit.
"""

from __future__ import annotations

import numpy as np

from conversion import network
from conversion.network import LayerSpec
from conversion.posenet_weights import ConvWeights, Normalisation
from conversion.quantisation.layers import convolve
from conversion.quantisation.nncase_grid import RELU_CEILING

# Results are rounded to multiples of this: 16 bits hold a ReLU6 map, 60 times finer than any byte of it needs to be.
STEP = 2.0**-13
# 27 bits of weight, 16 of input and 2^9 inputs make 52.
_WEIGHT_BITS = 27


class FloatLayer:
    """One layer of the float network."""

    def __init__(self, spec: LayerSpec, weights: ConvWeights, normalisation: Normalisation) -> None:
        first = spec is network.BODY[0]
        # The pixel whose normalised value is 0: 127.5 or 128.
        self._centre = -normalisation.offset / normalisation.scale if first else 0.0
        kernel = weights.kernel.reshape(-1, spec.out_channels) * (normalisation.scale if first else STEP)
        _, exponent = np.frexp(np.abs(kernel).max(0))
        self._kernel = np.rint(np.ldexp(kernel.astype(np.float64), _WEIGHT_BITS - exponent))
        self._unit = np.ldexp(1.0, exponent - _WEIGHT_BITS)
        self._bias = weights.bias.astype(np.float64)
        self._spec = spec

    def __call__(self, maps: np.ndarray) -> np.ndarray:
        """Results before activation, float64 [N, h, w, C] in steps of STEP, all whole.

        Maps [N, H, W, C_in] are `activated` ones, or the picture's bytes for the first layer.
        """
        sums = convolve(self._spec, self._kernel, maps.astype(np.float64) - self._centre)
        return np.rint((sums * self._unit + self._bias) / STEP)


def activated(results: np.ndarray) -> np.ndarray:
    """ReLU6 of a layer's results, uint16 in steps of STEP."""
    return results.clip(0, RELU_CEILING / STEP).astype(np.uint16)
