"""A TFLite file of a few operators, built with TensorFlow's schema: names and options are the test's own."""

from __future__ import annotations

from collections.abc import Sequence

import flatbuffers
import numpy as np
from flatbuffers import flexbuffers

from tensorflow.lite.python import schema_py_generated as schema  # isort: skip

_OPTIONS = {
    schema.BuiltinOperator.CONV_2D: (schema.BuiltinOptions.Conv2DOptions, schema.Conv2DOptionsT),
    schema.BuiltinOperator.DEPTHWISE_CONV_2D: (
        schema.BuiltinOptions.DepthwiseConv2DOptions,
        schema.DepthwiseConv2DOptionsT,
    ),
}


def small(names: Sequence[str] = ("picture", "first", "second", "head", "poses"), custom: str = "SomeOp") -> bytes:
    """[1, 8, 8, 3] float32 through a 3x3 convolution of stride 2, a depthwise one, a head of 5 channels dilated by 2,
    and a custom operator whose options are a text, a number and 400 bytes."""
    model = schema.ModelT()
    model.version, model.buffers, model.operatorCodes = 3, [schema.BufferT()], []
    graph = schema.SubGraphT()
    graph.tensors, graph.operators = [], []
    model.subgraphs = [graph]
    shapes = ((1, 8, 8, 3), (1, 4, 4, 4), (1, 4, 4, 4), (1, 4, 4, 5), (1, 10, 17, 2))
    for name, shape in zip(names, shapes, strict=True):
        _tensor(model, name, shape)
    codes = schema.BuiltinOperator
    _convolution(model, codes.CONV_2D, 0, 1, (4, 3, 3, 3), stride=2)
    _convolution(model, codes.DEPTHWISE_CONV_2D, 1, 2, (1, 3, 3, 4))
    _convolution(model, codes.CONV_2D, 2, 3, (5, 1, 1, 4), dilation=2)
    op = _operator(model, codes.CUSTOM, [3], [4], custom)
    op.customOptions = np.frombuffer(_options(names[-1]), np.uint8)
    graph.inputs, graph.outputs = [0], [4]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _options(text: str) -> bytes:
    builder = flexbuffers.Builder()
    with builder.Map():
        builder.String("text", text)
        builder.Float("threshold", 0.2)
        builder.Bool("fast", True)
        builder.String("program", "x" * 400)
    return bytes(builder.Finish())


def _tensor(model: schema.ModelT, name: str, shape: Sequence[int], data: np.ndarray | None = None) -> int:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name.encode(), list(shape), schema.TensorType.FLOAT32, 0
    if data is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(data.astype("<f4").tobytes(), np.uint8)
        model.buffers.append(buffer)
        tensor.buffer = len(model.buffers) - 1
    model.subgraphs[0].tensors.append(tensor)
    return len(model.subgraphs[0].tensors) - 1


def _operator(
    model: schema.ModelT, builtin: int, inputs: list[int], outputs: list[int], custom: str | None = None
) -> schema.OperatorT:
    code, op = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode, code.deprecatedBuiltinCode, code.customCode = builtin, min(builtin, 127), custom
    model.operatorCodes.append(code)
    op.opcodeIndex, op.inputs, op.outputs = len(model.operatorCodes) - 1, inputs, outputs
    model.subgraphs[0].operators.append(op)
    return op


def _convolution(
    model: schema.ModelT,
    builtin: int,
    source: int,
    result: int,
    kernel: tuple[int, ...],
    stride: int = 1,
    dilation: int = 1,
) -> None:
    channels = kernel[3] if builtin == schema.BuiltinOperator.DEPTHWISE_CONV_2D else kernel[0]
    numbers = np.linspace(-1, 1, int(np.prod(kernel)))
    weights = _tensor(model, f"kernel{result}", kernel, numbers)
    bias = _tensor(model, f"bias{result}", (channels,), np.zeros(channels))
    op = _operator(model, builtin, [source, weights, bias], [result])
    op.builtinOptionsType, kind = _OPTIONS[builtin]
    op.builtinOptions = kind()
    op.builtinOptions.strideH = op.builtinOptions.strideW = stride
    op.builtinOptions.dilationHFactor = op.builtinOptions.dilationWFactor = dilation
    op.builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.RELU6
