"""A small chain of KPU layers at lines of KPU RAM: what the kmodels of these tests are made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conversion.feature_map import FeatureMap
from conversion.kmodel.layer import KpuLayer
from tests.conversion.kmodel.networks import layer

WIDTH, HEIGHT = 16, 12
PICTURE = FeatureMap(3, HEIGHT, WIDTH)
HALF = (8, 6)


def placed(one: KpuLayer, source: int, destination: int) -> KpuLayer:
    """The layer reading from and writing to these lines."""
    return replace(one, registers=replace(one.registers, image_src_addr=source, image_dst_addr=destination))


def chain() -> list[KpuLayer]:
    """A 3x3 convolution of stride 2, a depthwise layer, and two heads of 5 and 6 channels that both read its result."""
    random = np.random.default_rng(4)
    first = layer(random, PICTURE, 4, 3, False, 2)
    second = layer(random, first.destination, 4, 3, True, 1)
    heads = [layer(random, second.destination, channels, 1, False, 1) for channels in (5, 6)]
    return [
        placed(first, 0, 100),
        placed(second, 100, 200),
        placed(heads[0], 200, 300),
        placed(heads[1], 200, 400),
    ]
