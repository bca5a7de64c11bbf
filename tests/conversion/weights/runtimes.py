"""Published files run by their own runtimes, not by this project: what imported weights are compared with."""

from __future__ import annotations

import warnings

import numpy as np

from conversion import network
from conversion.posenet_weights import Normalisation

import tensorflow as tf  # isort: skip
from google.protobuf import json_format  # isort: skip

Heads = dict[str, np.ndarray]


def run_graph(
    graph: tf.compat.v1.GraphDef, source: str, outputs: dict[str, str], pixels: np.ndarray, n: Normalisation
) -> Heads:
    """A GraphDef run by TensorFlow on uint8 [1, H, W, 3] pixels: head -> [C, h, w]."""
    wrapped = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph, name=""), [])
    function = wrapped.prune(f"{source}:0", [f"{name}:0" for name in outputs.values()])
    found = function(tf.constant(pixels * np.float32(n.scale) + np.float32(n.offset)))
    return {head: np.moveaxis(value.numpy()[0], -1, 0) for head, value in zip(outputs, found, strict=True)}


def parsed_graph(data: bytes) -> tf.compat.v1.GraphDef:
    """The GraphDef in a .pb file."""
    return tf.compat.v1.GraphDef.FromString(data)


def tfjs_graph(topology: dict, constants: dict[str, np.ndarray]) -> tf.compat.v1.GraphDef:
    """The GraphDef that a tfjs model's topology and constants make."""
    graph = json_format.ParseDict(topology, tf.compat.v1.GraphDef())
    for node in graph.node:
        if node.op == "Const":
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(constants[node.name]))
    return graph


def run_tflite(data: bytes, pixels: np.ndarray, n: Normalisation) -> tuple[Heads, dict[str, tuple[float, float]]]:
    """A TFLite file run by tf.lite.Interpreter: head -> [C, h, w] in real units, and each head's range in the file.

    Float files get normalised pixels, quantised ones the bytes. Heads are told by channels; segments stay out.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # The kernels that round least: 0.0007 px in displacements of 190 px (reference 0.0012, XNNPACK 0.0013).
        kernels = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        interpreter = tf.lite.Interpreter(model_content=data, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]
    quantised = source["dtype"] == np.uint8
    normalised = pixels if quantised else pixels * np.float32(n.scale) + np.float32(n.offset)
    interpreter.set_tensor(source["index"], normalised)
    interpreter.invoke()
    heads, ranges = {}, {}
    for detail in interpreter.get_output_details():
        values, limits = _real(interpreter.get_tensor(detail["index"]), detail["quantization"])
        for name, part in _split(np.moveaxis(values[0], -1, 0)).items():
            heads[name], ranges[name] = part, limits
    return heads, ranges


def _real(values: np.ndarray, quantisation: tuple[float, int]) -> tuple[np.ndarray, tuple[float, float]]:
    scale, zero_point = quantisation
    if values.dtype != np.uint8:
        return values, (-np.inf, np.inf)
    return (values.astype(np.float64) - zero_point) * scale, (-zero_point * scale, (255 - zero_point) * scale)


def _split(values: np.ndarray) -> Heads:
    if len(values) == 64:
        return {"displacement_fwd": values[:32], "displacement_bwd": values[32:]}
    return {head.name: values for head in network.HEADS if head.channels == len(values) != 32}
