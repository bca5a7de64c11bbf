"""A TFLite file as plain data: tensors, operators, constants. Every offset and count in it may lie; none is trusted.

The flatbuffers package checks nothing: a damaged file makes it raise five kinds of errors, give absurd counts, or
read somewhere else in the file. So counts are bounded before anything is looped over or copied, numbers stay views
into the file's bytes, every index is checked, and all its errors become a ModelFormatError.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tflite

from conversion.errors import ModelFormatError, UnsupportedModelError
from conversion.outside import reading
from conversion.outside.text import shown

IDENTIFIER = b"TFL3"
# The published files have up to 99 tensors and 33 operators; a MobileNet written without fusing has some 300.
MAX_COUNT = 4096
_MAX_RANK = 8
_DAMAGE = (struct.error, TypeError, ValueError, AttributeError, IndexError, OverflowError)
_DTYPES = {
    tflite.TensorType.FLOAT32: "float32",
    tflite.TensorType.FLOAT16: "float16",
    tflite.TensorType.INT32: "int32",
    tflite.TensorType.UINT8: "uint8",
    tflite.TensorType.INT64: "int64",
    tflite.TensorType.INT8: "int8",
    tflite.TensorType.INT16: "int16",
    tflite.TensorType.BOOL: "bool",
}
_ACTIVATIONS = {0: "none", 1: "relu", 2: "relu_n1_to_1", 3: "relu6", 4: "tanh", 5: "sign_bit"}
_PADDINGS = {tflite.Padding.SAME: "SAME", tflite.Padding.VALID: "VALID"}
# The operators that this network is made of, with the tables of their options; other operators' options stay unread.
_OPTIONS = {
    "CONV_2D": (tflite.Conv2DOptions, tflite.BuiltinOptions.Conv2DOptions),
    "DEPTHWISE_CONV_2D": (tflite.DepthwiseConv2DOptions, tflite.BuiltinOptions.DepthwiseConv2DOptions),
    "CONCATENATION": (tflite.ConcatenationOptions, tflite.BuiltinOptions.ConcatenationOptions),
}


@dataclass(frozen=True)
class Quantisation:
    """real value = (q - zero_point) * scale, one pair for the tensor or one per channel; float32 and int64 arrays."""

    scales: np.ndarray
    zero_points: np.ndarray


@dataclass(frozen=True)
class Tensor:
    """One tensor: `dtype` is NumPy's name (or "type N"), `data` its constant bytes (uint8 view) or None."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    quantisation: Quantisation | None
    data: np.ndarray | None


@dataclass(frozen=True)
class Operator:
    """One operator: its name (CONV_2D, or what a custom one calls itself), tensor numbers (-1: none) and options.

    `options` of a convolution: stride, dilation (height, width), padding, activation; of a concatenation: axis,
    activation. `custom_options` are the bytes that a custom operator reads itself.
    """

    name: str
    is_custom: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, object]
    custom_options: bytes


@dataclass(frozen=True)
class TfliteFile:
    """A whole file (one subgraph): `inputs` and `outputs` are tensor numbers."""

    where: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def constant(self, index: int) -> np.ndarray:
        """The numbers of a constant tensor, in its own dtype and shape. Raises ModelFormatError if it has none."""
        tensor = self.tensor(index)
        if tensor.data is None or tensor.dtype not in _DTYPES.values():
            raise ModelFormatError(f"{self.where}: tensor {shown(tensor.name)} is not a constant")
        dtype = np.dtype(tensor.dtype).newbyteorder("<")
        if min(tensor.shape, default=0) < 0:
            raise ModelFormatError(f"{self.where}: tensor {shown(tensor.name)} has the shape {tensor.shape}")
        needed = math.prod(tensor.shape) * dtype.itemsize
        if tensor.data.size != needed:
            raise ModelFormatError(
                f"{self.where}: tensor {shown(tensor.name)} of shape {tensor.shape} needs {needed} bytes, its buffer "
                f"has {tensor.data.size}"
            )
        return np.frombuffer(tensor.data, dtype).reshape(tensor.shape)

    def tensor(self, index: int) -> Tensor:
        """Tensor number `index`; ModelFormatError where there is none."""
        if not 0 <= index < len(self.tensors):
            raise ModelFormatError(f"{self.where}: an operator names tensor {index} of {len(self.tensors)}")
        return self.tensors[index]


def recognises(head: bytes) -> bool:
    """Whether a file that begins with `head` is a TFLite file."""
    return head[4:8] == IDENTIFIER


def read(path: Path) -> tuple[TfliteFile, bytes]:
    """The TFLite file at `path` and its bytes; see `parse`."""
    data = reading.read_file(path)
    return parse(data, str(path)), data


def parse(data: bytes, where: str) -> TfliteFile:
    """The TFLite file in `data`, called `where` in messages.

    Raises ModelFormatError for a damaged file, UnsupportedModelError for more than one subgraph or data outside it.
    """
    if not recognises(data[:8]):
        raise ModelFormatError(f"{where}: is not a TFLite file")
    try:
        return _Reader(data, where).file()
    except _DAMAGE as error:
        raise ModelFormatError(f"{where}: is damaged ({type(error).__name__}: {shown(error)})") from error


class _Reader:
    """Walks the flatbuffer once. What it copies may share bytes in the file, so all copies together are bounded."""

    def __init__(self, data: bytes, where: str):
        self._where = where
        self._size = len(data)
        self._model = tflite.Model.GetRootAs(data, 0)
        self._copied = 0

    def file(self) -> TfliteFile:
        model = self._model
        if model.SubgraphsLength() != 1:
            raise UnsupportedModelError(f"{self._where}: has {model.SubgraphsLength()} subgraphs, expected one")
        graph = model.Subgraphs(0)
        buffers = self._list(model.BuffersLength(), lambda i: self._buffer(model.Buffers(i)))
        tensors = self._list(graph.TensorsLength(), lambda i: self._tensor(graph.Tensors(i), buffers))
        codes = self._list(model.OperatorCodesLength(), lambda i: self._code(model.OperatorCodes(i)))
        operators = self._list(graph.OperatorsLength(), lambda i: self._operator(graph.Operators(i), codes))
        file = TfliteFile(
            self._where,
            tensors,
            operators,
            self._numbers(graph.InputsLength(), graph.InputsAsNumpy),
            self._numbers(graph.OutputsLength(), graph.OutputsAsNumpy),
        )
        for index in (*file.inputs, *file.outputs):
            file.tensor(index)
        return file

    def _count(self, count: int, most: int = MAX_COUNT) -> int:
        if count > most:
            raise ModelFormatError(f"{self._where}: is damaged (a list of {count} entries)")
        return count

    def _copy(self, size: int) -> None:
        self._copied += size
        if self._copied > self._size:
            raise ModelFormatError(f"{self._where}: is damaged (its parts are larger than the file)")

    def _list(self, count: int, get: Callable[[int], object]) -> tuple:
        return tuple(get(index) for index in range(self._count(count)))

    def _numbers(self, count: int, get: Callable[[], np.ndarray], most: int = MAX_COUNT) -> tuple[int, ...]:
        self._copy(4 * self._count(count, most))
        return tuple(get().tolist()) if count else ()

    def _name(self, raw: bytes | None) -> str:
        self._copy(len(raw or b""))
        return (raw or b"").decode(errors="replace")

    def _buffer(self, buffer: tflite.Buffer) -> np.ndarray | None:
        if buffer.Offset() > 1:
            raise UnsupportedModelError(f"{self._where}: keeps its numbers outside the flatbuffer")
        return buffer.DataAsNumpy() if buffer.DataLength() else None

    def _tensor(self, tensor: tflite.Tensor, buffers: tuple) -> Tensor:
        shape = self._numbers(tensor.ShapeLength(), tensor.ShapeAsNumpy, _MAX_RANK)
        return Tensor(
            name=self._name(tensor.Name()),
            dtype=_DTYPES.get(tensor.Type(), f"type {tensor.Type()}"),
            shape=shape,
            quantisation=self._quantisation(tensor.Quantization()),
            data=buffers[tensor.Buffer()],
        )

    def _quantisation(self, parameters: tflite.QuantizationParameters | None) -> Quantisation | None:
        if parameters is None or not parameters.ScaleLength():
            return None
        if parameters.ZeroPointLength() != parameters.ScaleLength():
            raise ModelFormatError(f"{self._where}: a tensor has other numbers of scales and of zero points")
        return Quantisation(parameters.ScaleAsNumpy(), parameters.ZeroPointAsNumpy())

    def _code(self, code: tflite.OperatorCode) -> tuple[str, bool]:
        # Files before schema version 3a have the code in the old byte, newer ones in both.
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        if number == tflite.BuiltinOperator.CUSTOM:
            return self._name(code.CustomCode()) or "custom", True
        return tflite.BUILTIN_OPCODE2NAME.get(number, f"operator {number}"), False

    def _operator(self, operator: tflite.Operator, codes: tuple) -> Operator:
        name, is_custom = codes[operator.OpcodeIndex()]
        inputs = self._numbers(operator.InputsLength(), operator.InputsAsNumpy)
        custom_size = operator.CustomOptionsLength()
        self._copy(custom_size)
        return Operator(
            name=name,
            is_custom=is_custom,
            inputs=inputs,
            outputs=self._numbers(operator.OutputsLength(), operator.OutputsAsNumpy),
            options=_options(name, operator),
            custom_options=operator.CustomOptionsAsNumpy().tobytes() if custom_size else b"",
        )


def _options(name: str, operator: tflite.Operator) -> dict[str, object]:
    """The options of the operators in _OPTIONS; {} for the others."""
    kind, number = _OPTIONS.get(name, (None, None))
    table = operator.BuiltinOptions()
    if kind is None or table is None or operator.BuiltinOptionsType() != number:
        return {}
    options = kind()
    options.Init(table.Bytes, table.Pos)
    activation = options.FusedActivationFunction()
    found: dict[str, object] = {"activation": _ACTIVATIONS.get(activation, f"activation {activation}")}
    if name == "CONCATENATION":
        return {**found, "axis": options.Axis()}
    return {
        **found,
        "stride": (options.StrideH(), options.StrideW()),
        "dilation": (options.DilationHFactor(), options.DilationWFactor()),
        "padding": _PADDINGS.get(options.Padding(), f"padding {options.Padding()}"),
    }
