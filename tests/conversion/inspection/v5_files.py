"""Small kmodel V5 files, written by hand: a stack machine program, and K210 functions that it calls."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from conversion.kmodel.layer import KpuLayer

INPUT, OUTPUT, RDATA, DATA, KPU = 0, 1, 2, 3, 64
BYTE, FLOAT = 4, 9

Range = tuple[int, int, int, int]


@dataclass(frozen=True)
class Function:
    """Code with the ranges (location, data type, start, size) and shapes of what goes in and out."""

    code: bytes
    inputs: tuple[tuple[Range, tuple[int, ...]], ...] = ()
    outputs: tuple[tuple[Range, tuple[int, ...]], ...] = ()


@dataclass(frozen=True)
class Module:
    """A module: "stackvm" or "k210"."""

    kind: str
    functions: tuple[Function, ...]
    rdata: bytes = b""
    pools: tuple[tuple[int, int], ...] = ()


def memory_range(one: Range) -> bytes:
    """A memory range."""
    location, datatype, start, size = one
    return struct.pack("<BBHII", location, datatype, 0, start, size)


def write(modules: list[Module], entry: tuple[int, int] = (0, 0), version: int = 5) -> bytes:
    """The file."""
    header = struct.pack("<8I", 0x4B4D444C, version, 32, 0, 256, len(modules), *entry)
    return header + b"".join(map(_module, modules))


def _module(module: Module) -> bytes:
    text, functions = b"", b""
    for function in module.functions:
        functions += _function(function, len(text))
        text += function.code
    sections = [(b".text", text)] + ([(b".rdata", module.rdata)] if module.rdata else [])
    body = b"".join(struct.pack("<B3xI", *pool) for pool in module.pools) + functions
    body += b"".join(struct.pack("<16s4I", name, 0, 0, len(data), 0) + data for name, data in sections)
    counts = (len(module.pools), 0, len(sections), len(module.functions), 0)
    return struct.pack("<16s8I", module.kind.encode(), 1, 48, 48 + len(body), *counts) + body


def _function(function: Function, entry: int) -> bytes:
    body = b""
    for side in (function.inputs, function.outputs):
        body += b"".join(memory_range(one) for one, _ in side)
        body += b"".join(struct.pack(f"<{1 + len(shape)}I", len(shape), *shape) for _, shape in side)
    body += bytes(-len(body) % 8)
    counts = (len(function.inputs), len(function.outputs), entry, len(function.code))
    return struct.pack("<8I", 32, 32 + len(body), 0, 0, *counts) + body


def lea(location: int, offset: int) -> bytes:
    """Push the address of a buffer."""
    return struct.pack("<BBBI", 0x17, location, 0, offset)


def integer(value: int) -> bytes:
    """Push an integer."""
    return struct.pack("<Bi", 0x02, value)


def real(value: float) -> bytes:
    """Push a float."""
    return struct.pack("<Bf", 0x05, value)


def shape(register: int, *sides: int) -> bytes:
    """Put a shape into a register."""
    return b"".join(map(integer, sides)) + struct.pack("<BBB", 0x31, register, len(sides))


def tensor(operator: int, layout: str, *operands: float) -> bytes:
    """A tensor operator."""
    return struct.pack(f"<BH{layout}", 0x5E, operator, *operands)


def call(function: int, module: int, sources: list[bytes], results: list[bytes]) -> bytes:
    """Call a function: push the buffers, then the call."""
    counts = (len(sources), len(results))
    return b"".join([*sources, *results]) + tensor(0x03, "IHBB", function, module, *counts)


def dequantise(source: bytes, result: bytes, sides: tuple[int, ...], scale: float, bias: float) -> bytes:
    """uint8 to float32."""
    return source + result + shape(0, *sides) + real(scale) + real(bias) + tensor(0x0B, "5B", BYTE, FLOAT, 0, 0, 0)


def transfer(upload: bool, source: Range, result: Range, sides: tuple[int, int, int, int]) -> bytes:
    """An upload into KPU RAM, or a download from it."""
    opcode = bytes([0 if upload else 1, 0, 0, 0])
    return opcode + memory_range(source) + memory_range(result) + struct.pack("<4I", *sides)


def copy(source: Range, result: Range, sides: tuple[int, int, int, int]) -> bytes:
    """A copy by the K210 module."""
    strides = (0,) * 8
    return bytes([3, 0, 0, 0]) + memory_range(source) + memory_range(result) + struct.pack("<12I", *sides, *strides)


def convolution(layer: KpuLayer, rdata: bytearray) -> bytes:
    """A KPU layer whose parameters are appended to `rdata`."""
    code = bytes([2, 0, 0, 0])
    for block in (layer.weights, layer.batch_norm, layer.activation):
        code += memory_range((RDATA, BYTE, len(rdata), len(block)))
        rdata += block
    return code + memory_range((0, 0, 0, 0)) + struct.pack("<I", 1) + layer.registers.pack()
