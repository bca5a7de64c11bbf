"""The published network in TensorFlow, at any size that it was made for: 16n + 1 each way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from conversion.kpu.posenet import Heads
from conversion.posenet_weights import PoseNetWeights
from conversion.tensorflow import graph, published
from conversion.weights import frozen_graph, tfjs_graph

# Published files that are graphs for pictures of any size; the others fix it, or hold weights alone.
_OF_ANY_SIZE = (tfjs_graph.FORM, frozen_graph.FORM)


def published_network(weights: PoseNetWeights, width: int, height: int) -> Callable[[np.ndarray], Heads]:
    """uint8 [N, height, width, 3] -> heads float32 [N, C, h, w] by name.

    The published file itself where it runs at any size, else its weights with TensorFlow's own padding. Both are the
    same network, which `make kmodel` proves at the sizes that a file of a fixed size allows.
    """
    if weights.origin.form in _OF_ANY_SIZE:
        return published.published(weights).run
    return graph.build(weights, width, height, pads=None)
