"""kmodel V3, the format that every MaixPy v1 firmware loads: its layers as objects, reading and writing.

Source of the format: nncase v0.1.0-rc5 (`kpu.c` of the Kendryte SDK runs it).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from conversion.errors import UnsupportedModelError
from conversion.kmodel import layer as kpu_layer
from conversion.kmodel import v3_container
from conversion.kmodel.layer import KpuLayer
from conversion.kmodel.v3_container import (
    ARCH_K210,
    CONV,
    DEQUANTIZE,
    EIGHT_BIT_WEIGHTS,
    FLOAT_COMPUTING,
    HEADER,
    K210_CONV,
    MAIN_MEM_OUT,
    RANGE,
    VERSION,
    Body,
    Output,
    Reader,
)

_DEQUANTIZE = struct.Struct("<4I2f")
# Alignments on file offsets: the runtime loads the file at a 256-byte boundary and the KPU fetches tables itself.
_WORDS_ALIGNMENT = 8
_WEIGHTS_ALIGNMENT = 128
_ACTIVATION_ALIGNMENT = 256
# The loader allocates what the file asks for: more than the chip's 6 MiB of general RAM cannot be meant.
GENERAL_RAM_BYTES = 6 * 1024 * 1024


@dataclass(frozen=True)
class ConvLayer:
    """A KPU convolution; `main_memory` is where its dense result goes in main memory, None if it stays in KPU RAM."""

    layer: KpuLayer
    main_memory: int | None


@dataclass(frozen=True)
class DequantiseLayer:
    """float32 out[i] = uint8 in[i] * scale + bias, both in main memory (byte offsets), `count` elements."""

    source: int
    destination: int
    count: int
    scale: float
    bias: float


@dataclass(frozen=True)
class V3Model:
    """Everything that a V3 file says."""

    layers: tuple[ConvLayer | DequantiseLayer, ...]
    outputs: tuple[Output, ...]
    main_memory_bytes: int
    max_start_line: int

    @property
    def convolutions(self) -> tuple[ConvLayer, ...]:
        """The layers that run on the KPU, in order."""
        return tuple(layer for layer in self.layers if isinstance(layer, ConvLayer))

    @property
    def foreign_outputs(self) -> str | None:
        """Why the board's program cannot read the outputs, which are floats; None for a model that gives bytes."""
        if all(isinstance(layer, ConvLayer) for layer in self.layers):
            return None
        return "its outputs are floats, made by DEQUANTIZE on the CPU; the board's program reads the KPU's bytes"


def write(model: V3Model) -> bytes:
    """The file's bytes: header, output table, layer headers, then bodies whose tables are aligned as the KPU wants."""
    prefix = HEADER.size + RANGE.size * (len(model.outputs) + len(model.layers))
    bodies = bytearray()
    headers = bytearray()
    for layer in model.layers:
        start = len(bodies)
        if isinstance(layer, ConvLayer):
            _append_conv(bodies, prefix, layer)
            kind = K210_CONV
        else:
            bodies += _DEQUANTIZE.pack(
                MAIN_MEM_OUT, layer.source, layer.destination, layer.count, layer.scale, layer.bias
            )[:]
            kind = DEQUANTIZE
        headers += RANGE.pack(kind, len(bodies) - start)
    header = HEADER.pack(
        VERSION,
        EIGHT_BIT_WEIGHTS,
        ARCH_K210,
        len(model.layers),
        model.max_start_line,
        model.main_memory_bytes,
        len(model.outputs),
    )
    table = b"".join(RANGE.pack(output.address, output.size) for output in model.outputs)
    return header + table + bytes(headers) + bytes(bodies)


def _append_conv(bodies: bytearray, prefix: int, conv: ConvLayer) -> None:
    def place(block: bytes, alignment: int) -> int:
        bodies.extend(bytes(-(prefix + len(bodies)) % alignment))
        bodies.extend(block)
        return prefix + len(bodies) - len(block)

    start = len(bodies)
    bodies.extend(bytes(CONV.size))
    layer = conv.layer
    words = place(layer.registers.pack(), _WORDS_ALIGNMENT)
    weights = place(layer.weights, _WEIGHTS_ALIGNMENT)
    batch_norm = place(layer.batch_norm, _WEIGHTS_ALIGNMENT)
    activation = place(layer.activation, _ACTIVATION_ALIGNMENT)
    place(b"", _WORDS_ALIGNMENT)
    flags = 0 if conv.main_memory is None else MAIN_MEM_OUT
    CONV.pack_into(bodies, start, flags, conv.main_memory or 0, words, weights, batch_norm, activation)


def read(data: bytes, where: str) -> V3Model:
    """Read and check a V3 file; `where` names it in errors.

    Raises ModelFormatError for damage and UnsupportedModelError for layer types other than K210_CONV and DEQUANTIZE.
    """
    reader = Reader(data, where)
    container = v3_container.read(reader)
    flags, arch = container.flags, container.arch
    reader.demand(arch == ARCH_K210, f"is for architecture {arch}; the K210 is {ARCH_K210}")
    if not flags & EIGHT_BIT_WEIGHTS:
        raise UnsupportedModelError(f"{where}: its weights have 16 bits; only those of 8 bits are read")
    reader.demand(flags == EIGHT_BIT_WEIGHTS, f"flags {flags}; expected {EIGHT_BIT_WEIGHTS}")
    memory = container.main_memory_bytes
    reader.demand(memory <= GENERAL_RAM_BYTES, f"{memory} bytes of main memory; the chip has 6 MiB")
    layers = tuple(_read_layer(reader, number, body) for number, body in enumerate(container.bodies))
    reader.demand(container.excess <= 0, f"{container.excess} bytes follow the last layer")
    reader.demand(container.excess == 0, f"{-container.excess} bytes of the last layer are missing")
    model = V3Model(layers, container.outputs, memory, container.max_start_line)
    _check_main_memory(reader, model)
    return model


def _read_layer(reader: Reader, number: int, body: Body) -> ConvLayer | DequantiseLayer:
    if body.kind == DEQUANTIZE:
        size = len(body.bytes)
        reader.demand(size >= _DEQUANTIZE.size, f"layer {number} has {size} bytes, DEQUANTIZE {_DEQUANTIZE.size}")
        _, *fields = reader.unpack(_DEQUANTIZE, body.bytes.start)
        return DequantiseLayer(*fields)
    if body.kind != K210_CONV:
        how = "computes in floats, on the CPU" if body.kind in FLOAT_COMPUTING else "is none of the KPU's"
        raise UnsupportedModelError(
            f"{reader.where}: layer {number} is of type {body.kind} ({body.name}), which {how}; only KPU convolutions "
            f"and DEQUANTIZE are read"
        )
    return _read_conv(reader, number, body.bytes)


def _read_conv(reader: Reader, number: int, body: range) -> ConvLayer:
    conv = v3_container.conv(reader, number, body)
    reader.demand(conv.flags in (0, MAIN_MEM_OUT), f"layer {number} has flags {conv.flags}")
    stray = v3_container.stray_output(conv, number)
    reader.demand(stray is None, stray or "")
    aligned = not (conv.weights_at % 8 or conv.batch_norm_at % 8 or conv.activation_at % _ACTIVATION_ALIGNMENT)
    reader.demand(aligned, f"layer {number}: parameters are not aligned (activation table to 256 bytes)")
    kpu_layer.check(conv.layer, f"{reader.where}: layer {number}")
    return ConvLayer(conv.layer, conv.address if conv.flags & MAIN_MEM_OUT else None)


def _check_main_memory(reader: Reader, model: V3Model) -> None:
    for number, output in enumerate(model.outputs):
        reader.demand(output.address + output.size <= model.main_memory_bytes, f"output {number} lies outside memory")
    for number, layer in enumerate(model.layers):
        if isinstance(layer, DequantiseLayer):
            ends = (layer.source + layer.count, layer.destination + 4 * layer.count)
        elif layer.main_memory is not None:
            ends = (layer.main_memory + layer.layer.destination.bytes,)
        else:
            continue
        reader.demand(max(ends) <= model.main_memory_bytes, f"layer {number} writes outside main memory")
    last = model.layers[-1]
    runs = isinstance(last, DequantiseLayer) or last.main_memory is not None
    reader.demand(runs, "the last layer's result stays in KPU RAM; the board would run past the layer table")
