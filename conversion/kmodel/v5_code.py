"""The two kinds of code in a V5 kmodel: KPU operations, and the CPU's stack machine program around them.

Sources: nncase v1.9.0, include/nncase/runtime/k210/runtime_types.h and the stackvm op reader.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from conversion.errors import UnsupportedModelError
from conversion.kmodel.layer import ACTIVATION_BYTES, KpuLayer, masked_activation
from conversion.kmodel.registers import PACKED_BYTES, Registers
from conversion.kmodel.v5_container import LOCATION_RDATA, Cursor, Function, MemoryRange, Module, Section

KPU_OPERATIONS = {0: "KPU_UPLOAD", 1: "KPU_DOWNLOAD", 2: "KPU_CONV2D", 3: "COPY"}
TENSOR_OPERATORS = {
    0x01: "BINARY",
    0x03: "CALL",
    0x09: "COPY",
    0x0B: "DEQUANTIZE",
    0x10: "LUT1D",
    0x13: "PAD",
    0x14: "QUANTIZE",
    0x1B: "RESIZE_IMAGE",
    0x1D: "SIGMOID",
    0x1E: "SLICE",
    0x24: "TRANSPOSE",
}
CALL = 0x03
DEQUANTIZE = 0x0B

_OPCODE = struct.Struct("<B")
_PADDED_OPCODE = struct.Struct("<B3x")
_SHAPE = struct.Struct("<4I")
_BATCHES = struct.Struct("<I")
_WORDS = struct.Struct(f"{PACKED_BYTES}s")

_TENSOR = 0x5E
_RETURN = 0x59
_LEA_BUFFER = 0x17
_LOAD_FLOAT = 0x05
_OPERATOR = struct.Struct("<H")
_CALL = struct.Struct("<IHBB")
_DEQUANTIZE = struct.Struct("<5B")
_ADDRESS = struct.Struct("<BBI")
_FLOAT = struct.Struct("<f")
# Instructions that only prepare shapes for an operator: opcode -> bytes that follow it.
_PREPARATION = {0x02: 4, 0x03: 0, 0x04: 0, 0x31: 2, 0x32: 2}


@dataclass(frozen=True)
class Transfer:
    """An upload into KPU RAM or a download from it: `shape` is N, C, H, W."""

    upload: bool
    source: MemoryRange
    destination: MemoryRange
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Convolution:
    """One KPU layer as the compiler placed it; its activation table begins at `activation_start` of .rdata."""

    layer: KpuLayer
    activation_start: int


@dataclass(frozen=True)
class TensorOperation:
    """One operator of the main program with the buffers and floats that were pushed for it.

    `buffers` are (location, offset); `target` is the called (module, function) of a CALL.
    """

    operator: int
    buffers: tuple[tuple[int, int], ...]
    floats: tuple[float, ...]
    target: tuple[int, int] | None = None


def kpu_operations(module: Module, function: Function, where: str) -> list[Transfer | Convolution]:
    """Decode one K210 function; UnsupportedModelError for anything but uploads, downloads and convolutions."""
    cursor = _code(module, function, where)
    end = function.entry + function.text_size
    operations: list[Transfer | Convolution] = []
    while cursor.position < end:
        (opcode,) = cursor.take(_PADDED_OPCODE)
        if opcode in (0, 1):
            source, destination = cursor.memory_range(), cursor.memory_range()
            operations.append(Transfer(opcode == 0, source, destination, cursor.take(_SHAPE)))
        elif opcode == 2:
            operations.append(_convolution(module, cursor))
        else:
            name = KPU_OPERATIONS.get(opcode, f"operation {opcode}")
            raise UnsupportedModelError(
                f"{where}: {name} on the K210; only uploads, convolutions and downloads convert"
            )
    return operations


def _code(module: Module, function: Function, where: str) -> Cursor:
    text = module.section(".text").data
    cursor = Cursor(text[: function.entry + function.text_size], where, function.entry)
    cursor.demand(function.entry + function.text_size <= len(text), "a function's code ends behind its section")
    return cursor


def _convolution(module: Module, cursor: Cursor) -> Convolution:
    weights, batch_norm, table = (_parameters(module, cursor) for _ in range(3))
    main_memory = cursor.memory_range()
    (batches,) = cursor.take(_BATCHES)
    cursor.demand(not main_memory.size and batches == 1, "a convolution with several batches or an output of its own")
    (words,) = cursor.take(_WORDS)
    cursor.demand(len(table.data) >= ACTIVATION_BYTES, f"an activation table of {len(table.data)} bytes")
    activation = masked_activation(table.data)
    layer = KpuLayer(Registers.unpack(words), weights.data, batch_norm.data, activation)
    return Convolution(layer, table.offset)


def _parameters(module: Module, cursor: Cursor) -> Section:
    at = cursor.memory_range()
    constants = module.section(".rdata").data
    cursor.demand(at.location == LOCATION_RDATA and at.start + at.size <= len(constants), "parameters outside .rdata")
    return Section(constants[at.start : at.start + at.size], at.start)


def tensor_operations(module: Module, function: Function, where: str) -> list[TensorOperation]:
    """Decode the main program; UnsupportedModelError names the first operator that would run on the CPU."""
    cursor = _code(module, function, where)
    end = function.entry + function.text_size
    operations: list[TensorOperation] = []
    buffers: list[tuple[int, int]] = []
    floats: list[float] = []
    while cursor.position < end:
        (opcode,) = cursor.take(_OPCODE)
        if opcode == _LEA_BUFFER:
            location, _, offset = cursor.take(_ADDRESS)
            buffers.append((location, offset))
        elif opcode == _LOAD_FLOAT:
            floats.append(cursor.take(_FLOAT)[0])
        elif opcode == _TENSOR:
            operations.append(_tensor_operation(cursor, tuple(buffers), tuple(floats)))
            buffers, floats = [], []
        elif opcode in _PREPARATION:
            cursor.position += _PREPARATION[opcode]
        elif opcode != _RETURN:
            raise UnsupportedModelError(f"{where}: instruction {opcode:#04x} in the main program")
    return operations


def _tensor_operation(
    cursor: Cursor, buffers: tuple[tuple[int, int], ...], floats: tuple[float, ...]
) -> TensorOperation:
    (operator,) = cursor.take(_OPERATOR)
    if operator == CALL:
        function, module, sources, destinations = cursor.take(_CALL)
        cursor.demand(len(buffers) == sources + destinations, "a call with other buffers than its arguments")
        return TensorOperation(operator, buffers, floats, (module, function))
    if operator == DEQUANTIZE:
        cursor.take(_DEQUANTIZE)
        cursor.demand(len(buffers) == 2 and len(floats) == 2, "a dequantisation without scale and bias")
        return TensorOperation(operator, buffers, floats)
    name = TENSOR_OPERATORS.get(operator, f"operator {operator:#x}")
    raise UnsupportedModelError(
        f"{cursor.where}: {name} would run on the CPU; only a network that nncase puts on the KPU as a whole converts"
    )
