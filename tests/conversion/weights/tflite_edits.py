"""TFLite files rewritten with TensorFlow's schema: published names, Coral's quantisation, its decoder on and off."""

from __future__ import annotations

from collections.abc import Callable

import flatbuffers
import numpy as np
from flatbuffers import flexbuffers

from conversion.weights.coral import DECODER

from tensorflow.lite.python import schema_py_generated as schema  # isort: skip

CONV, DEPTHWISE, CONCATENATION, CUSTOM = (
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
    schema.BuiltinOperator.CONCATENATION,
    schema.BuiltinOperator.CUSTOM,
)
RELU6_SCALE = 0.02352848
# Coral's ranges: (scale, zero point) of an output by its channels; the displacements share one.
HEAD_RANGES = {17: (0.04705882, 128), 34: (0.39215687, 128), 32: (1.3875765, 117), 64: (1.3875765, 117)}
COMPONENT_OFFSET_RANGE = (0.07843138, 128)


def edited(data: bytes, change: Callable[[schema.ModelT], None]) -> bytes:
    """The file with `change` made to it."""
    model = schema.ModelT.InitFromPackedBuf(bytearray(data), 0)
    change(model)
    builder = flatbuffers.Builder(len(data))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def operators(model: schema.ModelT, *codes: int) -> list[schema.OperatorT]:
    """The operators with one of these builtin codes (all without), in the file's order."""
    return [op for op in model.subgraphs[0].operators if not codes or code_of(model, op) in codes]


def code_of(model: schema.ModelT, op: schema.OperatorT) -> int:
    """The builtin code, which old files have in another field."""
    code = model.operatorCodes[op.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def output(model: schema.ModelT, op: schema.OperatorT) -> schema.TensorT:
    return model.subgraphs[0].tensors[op.outputs[0]]


def named(data: bytes) -> bytes:
    """The published names for a float file's outputs, told apart by their channels."""
    names = {17: b"float_heatmaps", 34: b"float_short_offsets", 64: b"float_mid_offsets", 1: b"float_segments"}

    def change(model: schema.ModelT) -> None:
        for index in model.subgraphs[0].outputs:
            tensor = model.subgraphs[0].tensors[index]
            tensor.name = names[tensor.shape[-1]]

    return edited(data, change)


def quantised(data: bytes, head_ranges: dict[int, tuple[float, int]] = HEAD_RANGES) -> bytes:
    """A float file (without segments) as Coral quantises: uint8 per tensor, ReLU6 implied, int32 biases, its names."""

    def change(model: schema.ModelT) -> None:
        tensors = model.subgraphs[0].tensors
        _quantise_output(tensors[model.subgraphs[0].inputs[0]], 1 / 128, 128)
        joined = operators(model, CONCATENATION)[0]
        for role, index in zip(("fwd", "bwd"), joined.inputs, strict=True):
            tensors[index].name = f"MobilenetV1/displacement_{role}_2/BiasAdd".encode()
        for op in operators(model, CONV, DEPTHWISE):
            channels = output(model, op).shape[-1]
            is_head = op.builtinOptions.fusedActivationFunction == schema.ActivationFunctionType.NONE
            op.builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.NONE
            _quantise_output(output(model, op), *(head_ranges[channels] if is_head else (RELU6_SCALE, 0)))
            _quantise_weights(model, op)
        _quantise_output(output(model, joined), *head_ranges[64])

    return edited(data, change)


def _parameters(scale: float, zero_point: int) -> schema.QuantizationParametersT:
    parameters = schema.QuantizationParametersT()
    parameters.scale, parameters.zeroPoint = [scale], [zero_point]
    return parameters


def _quantise_output(tensor: schema.TensorT, scale: float, zero_point: int) -> None:
    tensor.type = schema.TensorType.UINT8
    tensor.quantization = _parameters(scale, zero_point)


def _quantise_weights(model: schema.ModelT, op: schema.OperatorT) -> None:
    source, kernel, bias = (model.subgraphs[0].tensors[index] for index in op.inputs)
    numbers = np.frombuffer(bytes(model.buffers[kernel.buffer].data), "<f4")
    low, high = min(0.0, float(numbers.min())), max(0.0, float(numbers.max()))
    scale = float(np.float32((high - low) / 255))
    zero_point = round(-low / scale)
    _quantise_output(kernel, scale, zero_point)
    rounded = np.clip(np.round(numbers / scale) + zero_point, 0, 255).astype(np.uint8)
    model.buffers[kernel.buffer].data = rounded
    bias_scale = float(np.float32(source.quantization.scale[0]) * np.float32(scale))
    numbers = np.frombuffer(bytes(model.buffers[bias.buffer].data), "<f4")
    bias.type, bias.quantization = schema.TensorType.INT32, _parameters(bias_scale, 0)
    model.buffers[bias.buffer].data = np.frombuffer(np.round(numbers / bias_scale).astype("<i4").tobytes(), np.uint8)


def with_decoder(data: bytes) -> bytes:
    """The file with Coral's custom operator on its three outputs (heatmaps, offsets, displacements)."""

    def change(model: schema.ModelT) -> None:
        graph = model.subgraphs[0]
        code, op = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = code.deprecatedBuiltinCode = CUSTOM
        code.customCode = DECODER.encode()
        model.operatorCodes.append(code)
        op.opcodeIndex, op.inputs, op.outputs = len(model.operatorCodes) - 1, list(graph.outputs), []
        op.customOptions = np.frombuffer(_decoder_options(), np.uint8)
        for name, shape in (("poses", (1, 10, 17, 2)), ("poses:1", (1, 10, 17)), ("poses:2", (1, 10)), ("poses:3", ())):
            tensor = schema.TensorT()
            tensor.name, tensor.shape, tensor.type = name.encode(), list(shape), schema.TensorType.FLOAT32
            op.outputs.append(len(graph.tensors))
            graph.tensors.append(tensor)
        graph.operators.append(op)
        graph.outputs = op.outputs

    return edited(data, change)


def _decoder_options() -> bytes:
    builder = flexbuffers.Builder()
    with builder.Map():
        builder.Int("max_detections", 10)
        builder.Float("score_threshold", 0.2)
        builder.Float("nms_radius", 10.0)
        builder.Int("stride", 16)
    return bytes(builder.Finish())


def without_decoder(data: bytes) -> bytes:
    """The file without its last operator, a custom one: the interpreter has none of that name."""

    def change(model: schema.ModelT) -> None:
        graph = model.subgraphs[0]
        decoder = graph.operators.pop()
        assert code_of(model, decoder) == CUSTOM
        graph.outputs = list(decoder.inputs)

    return edited(data, change)
