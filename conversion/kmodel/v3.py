"""kmodel V3, the format that every MaixPy v1 firmware loads: its layers as objects, reading and writing.

Source of the format: nncase v0.1.0-rc5 (`kpu.c` of the Kendryte SDK runs it).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from conversion.errors import ModelFormatError, UnsupportedModelError
from conversion.kmodel import layer as kpu_layer
from conversion.kmodel.layer import KpuLayer
from conversion.kmodel.registers import PACKED_BYTES, Registers

VERSION = 3
EIGHT_BIT_WEIGHTS = 1
ARCH_K210 = 0
MAIN_MEM_OUT = 1
K210_CONV = 10240
DEQUANTIZE = 12
LAYER_NAMES = {
    1: "ADD",
    2: "QUANTIZED_ADD",
    3: "GLOBAL_MAX_POOL2D",
    4: "QUANTIZED_GLOBAL_MAX_POOL2D",
    5: "GLOBAL_AVERAGE_POOL2D",
    6: "QUANTIZED_GLOBAL_AVERAGE_POOL2D",
    7: "MAX_POOL2D",
    8: "QUANTIZED_MAX_POOL2D",
    9: "AVERAGE_POOL2D",
    10: "QUANTIZED_AVERAGE_POOL2D",
    11: "QUANTIZE",
    12: "DEQUANTIZE",
    13: "REQUANTIZE",
    14: "L2_NORMALIZATION",
    15: "SOFTMAX",
    16: "CONCAT",
    17: "QUANTIZED_CONCAT",
    18: "FULLY_CONNECTED",
    19: "QUANTIZED_FULLY_CONNECTED",
    20: "TENSORFLOW_FLATTEN",
    21: "QUANTIZED_TENSORFLOW_FLATTEN",
    22: "RESIZE_NEAREST_NEIGHBOR",
    23: "QUANTIZED_RESIZE_NEAREST_NEIGHBOR",
    24: "CHANNELWISE_DEQUANTIZE",
    25: "LOGISTIC",
    10240: "K210_CONV",
    10241: "K210_ADD_PADDING",
    10242: "K210_REMOVE_PADDING",
    10243: "K210_UPLOAD",
}

_HEADER = struct.Struct("<7I")
_RANGE = struct.Struct("<2I")
_CONV = struct.Struct("<6I")
_DEQUANTIZE = struct.Struct("<4I2f")
# Alignments on file offsets: the runtime loads the file at a 256-byte boundary and the KPU fetches tables itself.
_WORDS_ALIGNMENT = 8
_WEIGHTS_ALIGNMENT = 128
_ACTIVATION_ALIGNMENT = 256
# The loader allocates what the file asks for: more than the chip's 6 MiB of general RAM cannot be meant.
GENERAL_RAM_BYTES = 6 * 1024 * 1024
_MAX_ENTRIES = 1024


@dataclass(frozen=True)
class ConvLayer:
    """A KPU convolution; `main_memory` is where its dense result goes in main memory, None if it stays in KPU RAM."""

    layer: KpuLayer
    main_memory: int | None


@dataclass(frozen=True)
class DequantizeLayer:
    """float32 out[i] = uint8 in[i] * scale + bias, both in main memory (byte offsets), `count` elements."""

    source: int
    destination: int
    count: int
    scale: float
    bias: float


@dataclass(frozen=True)
class Output:
    """One entry of the output table: byte offset and size in main memory."""

    address: int
    size: int


@dataclass(frozen=True)
class V3Model:
    """Everything that a V3 file says."""

    layers: tuple[ConvLayer | DequantizeLayer, ...]
    outputs: tuple[Output, ...]
    main_memory_bytes: int
    max_start_line: int

    @property
    def convolutions(self) -> tuple[ConvLayer, ...]:
        """The layers that run on the KPU, in order."""
        return tuple(layer for layer in self.layers if isinstance(layer, ConvLayer))


def write(model: V3Model) -> bytes:
    """The file's bytes: header, output table, layer headers, then bodies whose tables are aligned as the KPU wants."""
    prefix = _HEADER.size + _RANGE.size * (len(model.outputs) + len(model.layers))
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
        headers += _RANGE.pack(kind, len(bodies) - start)
    header = _HEADER.pack(
        VERSION,
        EIGHT_BIT_WEIGHTS,
        ARCH_K210,
        len(model.layers),
        model.max_start_line,
        model.main_memory_bytes,
        len(model.outputs),
    )
    table = b"".join(_RANGE.pack(output.address, output.size) for output in model.outputs)
    return header + table + bytes(headers) + bytes(bodies)


def _append_conv(bodies: bytearray, prefix: int, conv: ConvLayer) -> None:
    def place(block: bytes, alignment: int) -> int:
        bodies.extend(bytes(-(prefix + len(bodies)) % alignment))
        bodies.extend(block)
        return prefix + len(bodies) - len(block)

    start = len(bodies)
    bodies.extend(bytes(_CONV.size))
    layer = conv.layer
    words = place(layer.registers.pack(), _WORDS_ALIGNMENT)
    weights = place(layer.weights, _WEIGHTS_ALIGNMENT)
    batch_norm = place(layer.batch_norm, _WEIGHTS_ALIGNMENT)
    activation = place(layer.activation, _ACTIVATION_ALIGNMENT)
    place(b"", _WORDS_ALIGNMENT)
    flags = 0 if conv.main_memory is None else MAIN_MEM_OUT
    _CONV.pack_into(bodies, start, flags, conv.main_memory or 0, words, weights, batch_norm, activation)


def read(data: bytes, where: str) -> V3Model:
    """Read and check a V3 file; `where` names it in errors.

    Raises ModelFormatError for damage and UnsupportedModelError for layer types other than K210_CONV and DEQUANTIZE.
    """
    reader = _Reader(data, where)
    version, flags, arch, layer_count, max_start_line, main_memory, output_count = reader.unpack(_HEADER, 0)
    reader.demand(version == VERSION, f"version {version}, expected {VERSION}")
    reader.demand(flags == EIGHT_BIT_WEIGHTS and arch == ARCH_K210, f"flags {flags}, arch {arch}; expected 1 and 0")
    reader.demand(0 < layer_count <= _MAX_ENTRIES, f"{layer_count} layers")
    reader.demand(0 < output_count <= _MAX_ENTRIES, f"{output_count} outputs")
    reader.demand(main_memory <= GENERAL_RAM_BYTES, f"{main_memory} bytes of main memory; the chip has 6 MiB")
    outputs = tuple(Output(*reader.unpack(_RANGE, _HEADER.size + 8 * i)) for i in range(output_count))
    headers = _HEADER.size + 8 * output_count
    position = headers + 8 * layer_count
    layers = []
    for number in range(layer_count):
        kind, size = reader.unpack(_RANGE, headers + 8 * number)
        reader.demand(size > 0, f"layer {number} is empty")
        reader.demand(
            position + size <= len(data), f"layer {number} ends at {position + size}, the file at {len(data)}"
        )
        layers.append(_read_layer(reader, number, kind, position, size))
        position += size
    reader.demand(position == len(data), f"{len(data) - position} bytes follow the last layer")
    model = V3Model(tuple(layers), outputs, main_memory, max_start_line)
    _check_main_memory(reader, model)
    return model


class _Reader:
    """Bounds-checked access to a file's bytes, with errors that name the file."""

    def __init__(self, data: bytes, where: str) -> None:
        self.data = data
        self.where = where

    def demand(self, sound: bool, problem: str) -> None:
        if not sound:
            raise ModelFormatError(f"{self.where}: not a sound V3 kmodel: {problem}")

    def unpack(self, layout: struct.Struct, offset: int) -> tuple:
        self.demand(offset + layout.size <= len(self.data), f"truncated at byte {len(self.data)}")
        return layout.unpack_from(self.data, offset)

    def block(self, offset: int, size: int, body: range, name: str) -> bytes:
        inside = body.start <= offset and offset + size <= body.stop
        self.demand(inside, f"{name} at {offset} lies outside its layer ({body.start} to {body.stop})")
        return self.data[offset : offset + size]


def _read_layer(reader: _Reader, number: int, kind: int, position: int, size: int) -> ConvLayer | DequantizeLayer:
    if kind == DEQUANTIZE:
        reader.demand(size >= _DEQUANTIZE.size, f"layer {number} has {size} bytes, DEQUANTIZE {_DEQUANTIZE.size}")
        _, *fields = reader.unpack(_DEQUANTIZE, position)
        return DequantizeLayer(*fields)
    if kind != K210_CONV:
        raise UnsupportedModelError(
            f"{reader.where}: layer {number} is of type {kind} ({LAYER_NAMES.get(kind, 'unknown')}); only KPU "
            f"convolutions and DEQUANTIZE are read"
        )
    return _read_conv(reader, number, range(position, position + size))


def _read_conv(reader: _Reader, number: int, body: range) -> ConvLayer:
    flags, address, words_at, weights_at, batch_norm_at, activation_at = reader.unpack(_CONV, body.start)
    reader.demand(flags in (0, MAIN_MEM_OUT), f"layer {number} has flags {flags}")
    aligned = not (weights_at % 8 or batch_norm_at % 8 or activation_at % _ACTIVATION_ALIGNMENT)
    reader.demand(aligned, f"layer {number}: parameters are not aligned (activation table to 256 bytes)")
    where = f"{reader.where}: layer {number}"
    try:
        registers = Registers.unpack(reader.block(words_at, PACKED_BYTES, body, "register words"))
    except ModelFormatError as error:
        raise ModelFormatError(f"{where}: {error}") from error
    layer = KpuLayer(registers, b"", b"", b"")
    reader.demand(registers.kernel_type in kpu_layer.KERNELS, f"layer {number} has kernel type {registers.kernel_type}")
    channels = registers.o_ch_num
    layer = replace(
        layer,
        weights=reader.block(weights_at, layer.taps * channels, body, "weights"),
        batch_norm=reader.block(batch_norm_at, kpu_layer.BATCH_NORM_BYTES * channels, body, "batch norm"),
        activation=reader.block(activation_at, kpu_layer.ACTIVATION_BYTES, body, "activation table"),
    )
    kpu_layer.check(layer, where)
    return ConvLayer(layer, address if flags & MAIN_MEM_OUT else None)


def _check_main_memory(reader: _Reader, model: V3Model) -> None:
    for number, output in enumerate(model.outputs):
        reader.demand(output.address + output.size <= model.main_memory_bytes, f"output {number} lies outside memory")
    for number, layer in enumerate(model.layers):
        if isinstance(layer, DequantizeLayer):
            ends = (layer.source + layer.count, layer.destination + 4 * layer.count)
        elif layer.main_memory is not None:
            ends = (layer.main_memory + layer.layer.destination.bytes,)
        else:
            continue
        reader.demand(max(ends) <= model.main_memory_bytes, f"layer {number} writes outside main memory")
    last = model.layers[-1]
    runs = isinstance(last, DequantizeLayer) or last.main_memory is not None
    reader.demand(runs, "the last layer's result stays in KPU RAM; the board would run past the layer table")
