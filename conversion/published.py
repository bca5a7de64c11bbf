"""Runs a published file as it is, with TensorFlow and its own padding: what our graph is proved against."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from conversion import graph, network
from conversion.errors import UnsupportedModelError
from conversion.weights import tfjs_graph
from conversion.weights.model import PoseNetWeights

import tensorflow as tf  # isort: skip  (after conversion.graph, which sets its environment)
from google.protobuf import json_format  # isort: skip

_TFJS_INPUT = "sub_2:0"
_TFJS_OUTPUT = "MobilenetV1/{}_2/BiasAdd:0"


def runner(weights: PoseNetWeights) -> Callable[[np.ndarray], graph.Heads]:
    """The published network that `weights` were read from: uint8 [N, H, W, 3] -> float32 [N, C, h, w] per head.

    Raises UnsupportedModelError for forms that cannot be run here.
    """
    if weights.origin.form != tfjs_graph.FORM or weights.origin.location is None:
        raise UnsupportedModelError(f"{weights.origin}: a {weights.origin.form} cannot be run for comparison")
    function = _tfjs_function(*tfjs_graph.published_graph(weights.origin.location))

    def run(pictures: np.ndarray) -> graph.Heads:
        normalisation = weights.normalisation
        pixels = tf.constant(pictures, tf.float32) * normalisation.scale + normalisation.offset
        results = [function(pixels[number : number + 1]) for number in range(len(pictures))]
        stacked = (np.concatenate(head) for head in zip(*results, strict=True))
        return {name: np.moveaxis(head, -1, 1) for name, head in zip(network.HEAD_NAMES, stacked, strict=True)}

    return run


def _tfjs_function(topology: dict, constants: dict[str, np.ndarray]) -> Callable:
    graph_def = json_format.ParseDict(topology, tf.compat.v1.GraphDef())
    for node in graph_def.node:
        if node.op == "Const":
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(constants[node.name]))
    wrapped = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph_def, name=""), [])
    outputs = [_TFJS_OUTPUT.format(name) for name in network.HEAD_NAMES]
    return wrapped.prune(_TFJS_INPUT, outputs)
