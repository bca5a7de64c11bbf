"""A small calibration: a random network of PoseNet's structure and pictures small enough for seconds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conversion.posenet_weights import ConvWeights, PoseNetWeights
from tests.conversion.weights.weight_files import random_weights

SIZE = (64, 64)
# Channels of the first layer that no picture can activate, and channels of its depthwise layer that are constant.
DEAD = (1, 5, 8, 13)
CONSTANT = (2,)
CONSTANT_VALUE = 0.75


def pictures(count: int, seed: int = 0) -> np.ndarray:
    """Patchworks of smooth colours, uint8 [count, 64, 64, 3]."""
    random = np.random.default_rng(seed)
    patches = random.integers(0, 256, (count, 8, 8, 3)).repeat(8, 1).repeat(8, 2)
    return (patches * np.linspace(0.5, 1, 64)[:, None]).astype(np.uint8)


def weights() -> PoseNetWeights:
    """Random weights with a few channels that make room for copies of others."""
    plain = random_weights()
    first, second = plain.body["conv0"], plain.body["depthwise1"]
    bias = first.bias.copy()
    bias[list(DEAD)] = -100
    kernel, constant = second.kernel.copy(), second.bias.copy()
    kernel[:, :, list(CONSTANT)] = 0
    constant[list(CONSTANT)] = CONSTANT_VALUE
    changed = {"conv0": ConvWeights(first.kernel, bias), "depthwise1": ConvWeights(kernel, constant)}
    return replace(plain, body={**plain.body, **changed})
