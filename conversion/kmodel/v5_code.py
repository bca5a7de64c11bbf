"""The two kinds of code in a V5 kmodel: KPU operations, and the CPU's stack machine program around them.

Sources: nncase v1.9.0, include/nncase/runtime/k210/runtime_types.h and the stackvm op reader.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from conversion.errors import UnsupportedModelError
from conversion.kmodel import v5_stackvm
from conversion.kmodel.layer import ACTIVATION_BYTES, KpuLayer, masked_activation
from conversion.kmodel.registers import PACKED_BYTES, Registers
from conversion.kmodel.v5_container import LOCATION_RDATA, Cursor, Function, MemoryRange, Module, Section
from conversion.kmodel.v5_stackvm import CALL, DEQUANTIZE, Program, TensorOperation

_PADDED_OPCODE = struct.Struct("<B3x")
_SHAPE = struct.Struct("<4I")
_BATCHES = struct.Struct("<I")
_WORDS = struct.Struct(f"{PACKED_BYTES}s")
_STRIDES = struct.Struct("<8I")
# Equal parameters of several layers may lie in the file once; layers that all name its whole .rdata are no model.
_MOST_SHARING = 4
_UPLOAD, _DOWNLOAD, _CONVOLUTION, _COPY = range(4)


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
class Copy:
    """A copy within KPU RAM or main memory: `shape` is N, C, H, W."""

    source: MemoryRange
    destination: MemoryRange
    shape: tuple[int, ...]


def kpu_operations(module: Module, function: Function, where: str) -> list[Transfer | Convolution]:
    """Decode one K210 function; UnsupportedModelError for anything but uploads, downloads and convolutions."""
    operations = []
    for operation in all_kpu_operations(module, function, where):
        if isinstance(operation, Copy):
            raise UnsupportedModelError(f"{where}: COPY on the K210; only uploads, convolutions and downloads convert")
        operations.append(operation)
    return operations


def all_kpu_operations(module: Module, function: Function, where: str) -> list[Transfer | Convolution | Copy]:
    """Decode one K210 function, whatever is in it; UnsupportedModelError for an operation that nncase 1.9 lacks."""
    cursor = _code(module, function, where)
    end = function.entry + function.text_size
    operations: list[Transfer | Convolution | Copy] = []
    copied, most = 0, _MOST_SHARING * len(module.section(".rdata").data)
    while cursor.position < end:
        (opcode,) = cursor.take(_PADDED_OPCODE)
        if opcode in (_UPLOAD, _DOWNLOAD):
            source, destination = cursor.memory_range(), cursor.memory_range()
            operations.append(Transfer(opcode == _UPLOAD, source, destination, cursor.take(_SHAPE)))
        elif opcode == _CONVOLUTION:
            convolution = _convolution(module, cursor)
            copied += len(convolution.layer.weights) + len(convolution.layer.batch_norm)
            cursor.demand(copied <= most, "its layers have more parameters than the file")
            operations.append(convolution)
        elif opcode == _COPY:
            operations.append(Copy(cursor.memory_range(), cursor.memory_range(), cursor.take(_SHAPE)))
            cursor.take(_STRIDES)
        else:
            raise UnsupportedModelError(
                f"{where}: operation {opcode} on the K210, which the runtime of nncase 1.9 lacks"
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
    program = stackvm_program(module, function, where)
    foreign = next((one for one in program.operations if one.operator not in (CALL, DEQUANTIZE)), None)
    if foreign:
        raise UnsupportedModelError(
            f"{where}: {foreign.name} would run on the CPU; only a network that nncase puts on the KPU as a whole "
            f"converts"
        )
    if program.other:
        raise UnsupportedModelError(f"{where}: instruction {program.other[0]:#04x} in the main program")
    return list(program.operations)


def stackvm_program(module: Module, function: Function, where: str) -> Program:
    """Decode a function of the stack machine, whatever is in it."""
    return v5_stackvm.decode(_code(module, function, where), function.entry + function.text_size)
