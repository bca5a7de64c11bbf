"""Calibrated quantisation: weights and photos in, a network of 8-bit codes out that nncase compiles unchanged.

On the way: `quantise` -> `to_tflite` -> nncase (on `planes`) -> `verify` and `with_head_scales` on what it made.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conversion import input_pixels, photos
from conversion.errors import CompilerError, PhotoError
from conversion.kmodel.kpu_network import Head, KpuNetwork
from conversion.network import HEAD_NAMES, INPUT_CHANNELS
from conversion.posenet_weights import Normalisation, PoseNetWeights
from conversion.progress import Report, unreported
from conversion.quantisation import compiled_check, nncase_weights, worker
from conversion.quantisation.nncase_grid import LARGEST_BYTE
from conversion.quantisation.result import QuantisedNetwork

__all__ = [
    "QuantisedNetwork",
    "input_range",
    "planes",
    "quantise",
    "quantise_to_bytes",
    "to_tflite",
    "verify",
    "with_head_scales",
]

verify = compiled_check.verify


def quantise(weights: PoseNetWeights, pictures: np.ndarray, report: Report = unreported) -> QuantisedNetwork:
    """Quantise a network so that it computes what the float one does on photos like `pictures`, uint8 [N, H, W, 3].

    The pictures must have the size that nncase compiles for: some of them go to it. `report` gets (what, steps done,
    steps in all). The same weights and pictures give the same network on every machine: both networks and all
    statistics are computed in exact integers; only the solutions of the least squares problems depend, in their last
    bits, on the processor, and a code would change if such a solution lay that near to the middle of two codes.

    Raises PhotoError for pictures that nothing can be learnt from and CompilerError if the work fails.
    """
    sound = pictures.dtype == np.uint8 and pictures.ndim == 4 and pictures.shape[3] == INPUT_CHANNELS and pictures.size
    if not sound:
        raise PhotoError(f"calibration: uint8 [N, H, W, 3] expected, got {pictures.dtype} {pictures.shape}")
    if pictures.min() == pictures.max():
        raise PhotoError("calibration: every pixel has the same value; nothing can be learnt from it, give photos")
    return worker.run(weights, pictures, report)


def quantise_to_bytes(weights: PoseNetWeights, pictures: np.ndarray, report: Report = unreported) -> bytes:
    """`quantise`, as bytes that can be kept."""
    return quantise(weights, pictures, report).to_bytes()


def to_tflite(quantised: QuantisedNetwork, width: int, height: int) -> bytes:
    """The graph to give to nncase, which rounds plainly: see `quantisation.feed`."""
    from conversion.tensorflow import graph

    return graph.to_tflite(nncase_weights.weights(quantised), width, height, head_limits=(0.0, float(LARGEST_BYTE)))


def planes(quantised: QuantisedNetwork) -> np.ndarray:
    """The calibration to give to nncase, uint8 [N, 3, H, W]: it takes every range from these pictures."""
    return photos.planes(quantised.pictures)


def input_range(quantised: QuantisedNetwork) -> tuple[float, float]:
    """The input range to give to nncase."""
    return input_pixels.value_range(Normalisation(quantised.pixel_scale, 0.0))


def with_head_scales(compiled: KpuNetwork, quantised: QuantisedNetwork) -> KpuNetwork:
    """The compiled network with real scales and zero points of its heads, which nncase knows as bytes.

    CompilerError if a head is not in bytes any more.
    """
    heads = []
    for name, head in zip(HEAD_NAMES, compiled.heads, strict=True):
        if abs(head.scale - 1) > 1e-6 or head.zero_point:
            raise CompilerError(
                f"head {name}: nncase gave it scale {head.scale:.6g} and zero point {head.zero_point}, not 1 and 0: "
                "the calibration photos do not reach the ends of its range; give more of them"
            )
        scale = quantised.head_scales[name]
        heads.append(Head(head.layer, scale.scale, scale.zero_point))
    return replace(compiled, heads=tuple(heads))
