"""Runs a published file as it is, in its own runtime and with its own padding: what our graph is proved against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conversion import network
from conversion.errors import UnsupportedModelError
from conversion.posenet_weights import PoseNetWeights
from conversion.quiet_tensorflow import tf
from conversion.tensorflow import graph, published_tflite
from conversion.tensorflow.proof_result import PUBLISHED_TOLERANCE
from conversion.weights import coral, frozen_graph, tfjs_checkpoint, tfjs_graph, tflite_float

from google.protobuf import json_format  # isort: skip

# Sizes 16n + 1, where SAME pads evenly: there the published padding and ours are the same network.
SIZES = ((321, 241), (225, 225))

_TFJS_OUTPUT = "MobilenetV1/{}_2/BiasAdd:0"
_FROZEN_OUTPUT = "{}_2:0"


@dataclass(frozen=True)
class Published:
    """A published network: the sizes to compare at, the difference allowed there, and the network as a function.

    `run` takes uint8 [N, H, W, 3] and gives float32 [N, C, h, w] per head. `ranges` are the ends of each head's
    values where the file quantises them; such a file is compared by SQNR instead of `tolerance`.
    """

    sizes: tuple[tuple[int, int], ...]
    tolerance: float
    run: Callable[[np.ndarray], graph.Heads]
    ranges: dict[str, tuple[float, float]] | None = None


def published(weights: PoseNetWeights) -> Published:
    """The network that `weights` were read from; UnsupportedModelError where its file is not known any more.

    A checkpoint has no graph of its own: its weights run in the network with TensorFlow's SAME padding.
    """
    location = weights.origin.location
    makers: dict[str, Callable[[PoseNetWeights, Path], Published]] = {
        tfjs_graph.FORM: _tfjs_graph,
        tfjs_checkpoint.FORM: _checkpoint,
        frozen_graph.FORM: _frozen_graph,
        tflite_float.FORM: _tflite,
        coral.FORM: _tflite,
    }
    if location is None or weights.origin.form not in makers:
        raise UnsupportedModelError(f"{weights.origin}: no file to compare the network with; load the weights from one")
    return makers[weights.origin.form](weights, location)


def _tfjs_graph(weights: PoseNetWeights, location: Path) -> Published:
    topology, constants = tfjs_graph.published_graph(location)
    graph_def = json_format.ParseDict(topology, tf.compat.v1.GraphDef())
    for node in graph_def.node:
        if node.op == "Const":
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(constants[node.name]))
    return _graph_def(weights, graph_def, _TFJS_OUTPUT)


def _frozen_graph(weights: PoseNetWeights, location: Path) -> Published:
    return _graph_def(weights, tf.compat.v1.GraphDef.FromString(location.read_bytes()), _FROZEN_OUTPUT)


def _graph_def(weights: PoseNetWeights, graph_def: tf.compat.v1.GraphDef, output: str) -> Published:
    (source,) = (node.name for node in graph_def.node if node.op == "Placeholder")
    wrapped = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph_def, name=""), [])
    function = wrapped.prune(f"{source}:0", [output.format(name) for name in network.HEAD_NAMES])

    def run(pictures: np.ndarray) -> graph.Heads:
        pixels = tf.constant(pictures, tf.float32) * weights.normalisation.scale + weights.normalisation.offset
        results = [function(pixels[number : number + 1]) for number in range(len(pictures))]
        stacked = (np.concatenate(head) for head in zip(*results, strict=True))
        return {name: np.moveaxis(head, -1, 1) for name, head in zip(network.HEAD_NAMES, stacked, strict=True)}

    return Published(SIZES, PUBLISHED_TOLERANCE, run)


def _checkpoint(weights: PoseNetWeights, location: Path) -> Published:
    def run(pictures: np.ndarray) -> graph.Heads:
        _, height, width, _ = pictures.shape
        return graph.build(weights, width, height, pads=None)(pictures)

    return Published(SIZES, PUBLISHED_TOLERANCE, run)


def _tflite(weights: PoseNetWeights, location: Path) -> Published:
    file = published_tflite.TfliteNetwork(location.read_bytes(), weights.normalisation)
    return Published(((file.width, file.height),), published_tflite.TOLERANCE, file.run, file.ranges)
