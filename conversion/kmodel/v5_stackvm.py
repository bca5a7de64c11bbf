"""The stack machine of a V5 kmodel: what the CPU does around the KPU, as a list of tensor operators.

Instruction numbers, names and sizes: nncase v1.9.0, include/nncase/runtime/stackvm (opcode.h, op_reader.h).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from conversion.errors import UnsupportedModelError
from conversion.kmodel.v5_container import Cursor

CALL = 0x03
CONV2D = 0x06
DEQUANTIZE = 0x0B


class Operator(NamedTuple):
    """A tensor operator: its name, the layout of its operands, and which of them name source's and kernel's shape."""

    name: str
    layout: str | None = None
    shape_at: int | None = None
    kernel_at: int | None = None


# Those without a layout have a number and a name, but no runtime of 1.9 reads them.
TENSOR_OPERATORS = {
    0x00: Operator("BATCH_TO_SPACE", "6B", 1),
    0x01: Operator("BINARY", "8B2f", 1),
    0x02: Operator("BROADCAST", "5B", 1),
    CALL: Operator("CALL", "IHBB"),
    0x04: Operator("COMPARE", "8B", 1),
    0x05: Operator("CLAMP"),
    CONV2D: Operator("CONV2D", "7B5H2f", 1, 3),
    0x07: Operator("CONV2D_TRANSPOSE"),
    0x08: Operator("CONVERT", "5B", 2),
    0x09: Operator("COPY", "4B", 1),
    0x0A: Operator("CUMSUM", "2Bi2B", 1),
    DEQUANTIZE: Operator("DEQUANTIZE", "5B", 2),
    0x0C: Operator("GATHER", "7B", 1),
    0x0D: Operator("GATHER_ND", "7B", 1),
    0x0E: Operator("HARDMAX", "3Bi", 1),
    0x0F: Operator("LOGISTIC"),
    0x10: Operator("LUT1D", "4BH", 1),
    0x11: Operator("MATMUL", "6B2f", 0),
    0x12: Operator("ONEHOT", "6B", 1),
    0x13: Operator("PAD", "6B", 1),
    0x14: Operator("QUANTIZE", "5B", 2),
    0x15: Operator("RANDOM_NORMAL", "2B3f", 1),
    0x16: Operator("RANDOM_UNIFORM", "2B3f", 1),
    0x17: Operator("REDUCE", "7B", 1),
    0x18: Operator("REDUCE_ARG", "9B", 1),
    0x19: Operator("REDUCE_PROD", "6B", 1),
    0x1A: Operator("REDUCE_WINDOW2D", "5B6H2f", 2),
    0x1B: Operator("RESIZE_IMAGE", "7B", 1),
    0x1C: Operator("ROI_ALIGN", "4Bfq", 1),
    0x1D: Operator("SIGMOID", "4B", 1),
    0x1E: Operator("SLICE", "7B", 1),
    0x1F: Operator("SOFTMAX", "4Bif", 1),
    0x20: Operator("SPACE_TO_BATCH", "6B", 1),
    0x21: Operator("TAKE"),
    0x22: Operator("TERNARY", "8B", 1),
    0x23: Operator("TOPK", "7Bqi2B", 1),
    0x24: Operator("TRANSPOSE", "5B", 1),
    0x25: Operator("TRILU", "3Bq", 1),
    0x26: Operator("UNARY", "5B", 1),
    0x27: Operator("GRU", "4B", 0),
    0x28: Operator("TFLITE_DETECTION_POSTPROCESS", "3B3iB2fi4f", 0),
    0x29: Operator("LAYER_NORMALIZATION", "2Bif", 1),
    0x2A: Operator("COMPRESS", "2Bf", 0),
    0x2B: Operator("GATHER_ELEMENTS", "2Bi", 0),
}

_TENSOR = 0x5E
_RETURN = 0x59
_LEA_BUFFER = 0x17
_LOAD_FLOAT = 0x05
_LOAD_INT = 0x02
_SMALL_INTS = {0x03: 0, 0x04: 1}
_STORE_SHAPE = 0x31
_STORE_PADDINGS = 0x32
# Operand bytes of the instructions that move numbers and control about; all others have none.
_OPERAND_BYTES = {0x16: 5, 0x28: 4, 0x56: 4, 0x57: 4, 0x58: 4, 0x5A: 5, 0x5B: 1}

_OPCODE = struct.Struct("<B")
_OPERATOR = struct.Struct("<H")
_ADDRESS = struct.Struct("<BBI")
_REGISTER = struct.Struct("<BB")
_FLOAT = struct.Struct("<f")
_INT = struct.Struct("<i")


@dataclass(frozen=True)
class TensorOperation:
    """One operator with the buffers and floats that were pushed for it.

    `buffers` are (location, offset); `target` is the called (module, function) of a CALL; `shape` is that of the
    tensor it reads and `kernel` that of a convolution's weights, () where the operator has none. `operands` are those
    of its layout, `ints` what else was pushed (a convolution's padding).
    """

    operator: int
    buffers: tuple[tuple[int, int], ...]
    floats: tuple[float, ...]
    target: tuple[int, int] | None = None
    shape: tuple[int, ...] = ()
    kernel: tuple[int, ...] = ()
    operands: tuple = ()
    ints: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """What nncase calls the operator."""
        return operator_name(self.operator)


@dataclass(frozen=True)
class Program:
    """A function's operators in order; `other` are the instructions that a straight program does not have."""

    operations: tuple[TensorOperation, ...]
    other: tuple[int, ...]


def operator_name(operator: int) -> str:
    """The name of a tensor operator, or its number."""
    known = TENSOR_OPERATORS.get(operator)
    return known.name if known else f"operator {operator:#x}"


def decode(cursor: Cursor, end: int) -> Program:
    """The program from the cursor to `end`: ModelFormatError for damage, UnsupportedModelError for what 1.9 lacks.

    Only pushes, shapes and operators are followed; a branch or arithmetic is named in `other` and stepped over.
    """
    machine = _Machine(cursor)
    while cursor.position < end:
        machine.step()
    return Program(tuple(machine.operations), tuple(machine.other))


class _Machine:
    """What has been pushed since the last operator, and the shape registers."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self.operations: list[TensorOperation] = []
        self.other: list[int] = []
        self._buffers: list[tuple[int, int]] = []
        self._floats: list[float] = []
        self._ints: list[int] = []
        self._shapes: dict[int, tuple[int, ...]] = {}

    def step(self) -> None:
        cursor = self._cursor
        (opcode,) = cursor.take(_OPCODE)
        if opcode == _TENSOR:
            self._operator()
        elif opcode == _LEA_BUFFER:
            location, _, offset = cursor.take(_ADDRESS)
            self._buffers.append((location, offset))
        elif opcode == _LOAD_FLOAT:
            self._floats.append(cursor.take(_FLOAT)[0])
        elif opcode == _LOAD_INT:
            self._ints.append(cursor.take(_INT)[0])
        elif opcode in _SMALL_INTS:
            self._ints.append(_SMALL_INTS[opcode])
        elif opcode in (_STORE_SHAPE, _STORE_PADDINGS):
            self._store(opcode)
        elif opcode != _RETURN:
            cursor.demand(opcode < _TENSOR, f"instruction {opcode:#04x}")
            cursor.position += _OPERAND_BYTES.get(opcode, 0)
            self.other.append(opcode)

    def _store(self, opcode: int) -> None:
        register, rank = self._cursor.take(_REGISTER)
        count = rank if opcode == _STORE_SHAPE else 2 * rank
        values = tuple(self._ints[len(self._ints) - count :]) if count <= len(self._ints) else ()
        del self._ints[max(0, len(self._ints) - count) :]
        if opcode == _STORE_SHAPE:
            self._shapes[register] = values

    def _operator(self) -> None:
        cursor = self._cursor
        (number,) = cursor.take(_OPERATOR)
        known = TENSOR_OPERATORS.get(number)
        if known is None or known.layout is None:
            raise UnsupportedModelError(
                f"{cursor.where}: {operator_name(number)}, which the runtime of nncase 1.9 lacks"
            )
        operands = cursor.take(struct.Struct(f"<{known.layout}"))
        self._check(number, operands)
        self.operations.append(
            TensorOperation(
                number,
                tuple(self._buffers),
                tuple(self._floats),
                target=(operands[1], operands[0]) if number == CALL else None,
                shape=self._shape(operands, known.shape_at),
                kernel=self._shape(operands, known.kernel_at),
                operands=operands,
                ints=tuple(self._ints),
            )
        )
        self._buffers, self._floats, self._ints = [], [], []

    def _shape(self, operands: tuple, at: int | None) -> tuple[int, ...]:
        return () if at is None else self._shapes.get(operands[at], ())

    def _check(self, number: int, operands: tuple) -> None:
        cursor = self._cursor
        if number == CALL:
            arguments = operands[2] + operands[3]
            cursor.demand(len(self._buffers) == arguments, "a call with other buffers than its arguments")
        if number == DEQUANTIZE:
            enough = len(self._buffers) == 2 and len(self._floats) == 2
            cursor.demand(enough, "a dequantisation without scale and bias")
