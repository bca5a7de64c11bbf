"""Runs published TFLite files by tf.lite.Interpreter: the float one, and Coral's with its decoder cut off."""

from __future__ import annotations

import warnings

import numpy as np

from conversion import network
from conversion.posenet_weights import Normalisation
from conversion.quiet_tensorflow import tf
from conversion.tensorflow import graph
from conversion.weights.coral import DECODER

from tensorflow.lite.tools import flatbuffer_utils  # isort: skip

# TFLite's kernels sum in another order than TensorFlow's: displacements of 190 px differ by up to 0.0007 px.
TOLERANCE = 1e-3
# Coral joins both displacement heads in one output, and so does the float file.
_JOINED_CHANNELS = 64


def interpreter(data: bytes, kernels: tf.lite.experimental.OpResolverType) -> tf.lite.Interpreter:
    """An interpreter for a file, with the kernels that the caller wants the sums to be made by."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated")
        made = tf.lite.Interpreter(model_content=data, experimental_op_resolver_type=kernels)
    made.allocate_tensors()
    return made


class TfliteNetwork:
    """A published TFLite file as a function of pictures at its own size.

    `ranges` are the real values of the least and the greatest byte of each head, None for a float file.
    """

    def __init__(self, data: bytes, normalisation: Normalisation) -> None:
        kernels = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        self._interpreter = interpreter(_without_decoder(data), kernels)
        self._normalisation = normalisation
        (self._input,) = self._interpreter.get_input_details()
        self._outputs = self._interpreter.get_output_details()
        _, height, width, _ = self._input["shape"]
        self.width, self.height = int(width), int(height)
        self.ranges = self._ranges() if self._input["dtype"] == np.uint8 else None

    def run(self, pictures: np.ndarray) -> graph.Heads:
        """uint8 [N, H, W, 3] -> float32 [N, C, h, w] per head, in real units; segments are left out."""
        results = [self._run(picture[None]) for picture in pictures]
        return {name: np.stack([heads[name] for heads in results]) for name in network.HEAD_NAMES}

    def _run(self, picture: np.ndarray) -> graph.Heads:
        if self.ranges is None:
            scale, offset = np.float32(self._normalisation.scale), np.float32(self._normalisation.offset)
            picture = picture.astype(np.float32) * scale + offset
        self._interpreter.set_tensor(self._input["index"], picture)
        self._interpreter.invoke()
        heads: graph.Heads = {}
        for output in self._outputs:
            heads |= _by_name(np.moveaxis(self._real(output)[0], -1, 0))
        return heads

    def _real(self, output: dict) -> np.ndarray:
        values = self._interpreter.get_tensor(output["index"])
        if self.ranges is None:
            return values
        scale, zero_point = output["quantization"]
        return ((values.astype(np.float64) - zero_point) * scale).astype(np.float32)

    def _ranges(self) -> dict[str, tuple[float, float]]:
        ranges: dict[str, tuple[float, float]] = {}
        for output in self._outputs:
            scale, zero_point = output["quantization"]
            ends = (-zero_point * scale, (255 - zero_point) * scale)
            ranges |= dict.fromkeys(_by_name(np.empty(output["shape"][-1:])), ends)
        return ranges


def _by_name(head: np.ndarray) -> dict[str, np.ndarray]:
    """The head or heads in one output, told by its channels."""
    if len(head) == _JOINED_CHANNELS:
        return {"displacement_fwd": head[:32], "displacement_bwd": head[32:]}
    return {spec.name: head for spec in network.HEADS if spec.channels == len(head) != 32}


def _without_decoder(data: bytes) -> bytes:
    """The file with its outputs where Coral's custom operator has its inputs: the interpreter has no such operator."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(data))
    (subgraph,) = model.subgraphs
    decoders = [op for op in subgraph.operators if model.operatorCodes[op.opcodeIndex].customCode == DECODER.encode()]
    if not decoders:
        return data
    (decoder,) = decoders
    subgraph.operators.remove(decoder)
    subgraph.outputs = list(decoder.inputs)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
