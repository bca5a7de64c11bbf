"""The container of kmodel V3: header, output table, layer bodies, and the convolution body that carries KPU tables.

Source of the format: nncase v0.1.0-rc5 (`kpu.c` of the Kendryte SDK runs it).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from conversion.errors import ModelFormatError
from conversion.kmodel import layer as kpu_layer
from conversion.kmodel.layer import KpuLayer
from conversion.kmodel.recognise import V3
from conversion.kmodel.registers import PACKED_BYTES, Registers

VERSION = V3
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
# MaixPy hands every output out as the type of the last layer's result: floats after these, bytes after the others.
FLOAT_RESULTS = frozenset({1, 5, 9, DEQUANTIZE, 14, 15, 16, 18, 20, 22, 24, 25})
# Types that compute in floats, on the CPU; two of them no runtime has.
FLOAT_COMPUTING = FLOAT_RESULTS - {DEQUANTIZE, 24} | {3, 7}

HEADER = struct.Struct("<7I")
RANGE = struct.Struct("<2I")
CONV = struct.Struct("<6I")
_MAX_ENTRIES = 1024
# nncase 0.1 does not write the padding behind the last layer.
_FINAL_ALIGNMENT = 8


@dataclass(frozen=True)
class Output:
    """One entry of the output table: byte offset and size in main memory."""

    address: int
    size: int


@dataclass(frozen=True)
class Body:
    """One layer: its type (LAYER_NAMES) and its bytes in the file."""

    kind: int
    bytes: range

    @property
    def name(self) -> str:
        """What the format calls the type."""
        return LAYER_NAMES.get(self.kind, "unknown")


@dataclass(frozen=True)
class Container:
    """A whole file: `excess` bytes follow the last layer (up to 7 may be lacking: a negative number)."""

    flags: int
    arch: int
    max_start_line: int
    main_memory_bytes: int
    outputs: tuple[Output, ...]
    bodies: tuple[Body, ...]
    excess: int


@dataclass(frozen=True)
class ConvBody:
    """A convolution as it stands in the file: flags, address in main memory, layer, offsets of its tables."""

    flags: int
    address: int
    layer: KpuLayer
    weights_at: int
    batch_norm_at: int
    activation_at: int


class Reader:
    """Bounds-checked access to a file's bytes, with errors that name the file."""

    def __init__(self, data: bytes, where: str) -> None:
        self.data = data
        self.where = where

    def demand(self, sound: bool, problem: str) -> None:
        """ModelFormatError with the problem unless `sound`."""
        if not sound:
            raise ModelFormatError(f"{self.where}: not a sound V3 kmodel: {problem}")

    def unpack(self, layout: struct.Struct, offset: int) -> tuple:
        """The fields at a file offset."""
        self.demand(offset + layout.size <= len(self.data), f"truncated at byte {len(self.data)}")
        return layout.unpack_from(self.data, offset)

    def block(self, offset: int, size: int, body: range, name: str) -> bytes:
        """Bytes at a file offset, which must lie inside of a layer."""
        inside = body.start <= offset and offset + size <= min(body.stop, len(self.data))
        self.demand(inside, f"{name} at {offset} lies outside its layer ({body.start} to {body.stop})")
        return self.data[offset : offset + size]


def read(reader: Reader) -> Container:
    """Header, outputs and where the layers lie; nothing inside of them is looked at. ModelFormatError for damage."""
    version, flags, arch, layer_count, max_start_line, main_memory, output_count = reader.unpack(HEADER, 0)
    reader.demand(version == VERSION, f"version {version}, expected {VERSION}")
    reader.demand(0 < layer_count <= _MAX_ENTRIES, f"{layer_count} layers")
    reader.demand(0 < output_count <= _MAX_ENTRIES, f"{output_count} outputs")
    outputs = tuple(Output(*reader.unpack(RANGE, HEADER.size + RANGE.size * i)) for i in range(output_count))
    headers = HEADER.size + RANGE.size * output_count
    position, size = headers + RANGE.size * layer_count, len(reader.data)
    bodies = []
    for number in range(layer_count):
        kind, length = reader.unpack(RANGE, headers + RANGE.size * number)
        reader.demand(length > 0, f"layer {number} is empty")
        body = Body(kind, range(position, position + length))
        lacking = body.bytes.stop - size
        may_lack = _FINAL_ALIGNMENT if number == layer_count - 1 else 1
        reader.demand(lacking < may_lack, f"layer {number} ends at {body.bytes.stop}, the file at {size}")
        bodies.append(body)
        position = body.bytes.stop
    return Container(flags, arch, max_start_line, main_memory, outputs, tuple(bodies), size - position)


def conv(reader: Reader, number: int, body: range, weight_bytes: int = 1) -> ConvBody:
    """The convolution in a layer's bytes, with weights of one or two bytes; ModelFormatError if a part lies outside."""
    flags, address, words_at, weights_at, batch_norm_at, activation_at = reader.unpack(CONV, body.start)
    try:
        registers = Registers.unpack(reader.block(words_at, PACKED_BYTES, body, "register words"))
    except ModelFormatError as error:
        raise ModelFormatError(f"{reader.where}: layer {number}: {error}") from error
    layer = KpuLayer(registers, b"", b"", b"")
    reader.demand(registers.kernel_type in kpu_layer.KERNELS, f"layer {number} has kernel type {registers.kernel_type}")
    channels = registers.o_ch_num
    layer = replace(
        layer,
        weights=reader.block(weights_at, layer.taps * channels * weight_bytes, body, "weights"),
        batch_norm=reader.block(batch_norm_at, kpu_layer.BATCH_NORM_BYTES * channels, body, "batch norm"),
        activation=reader.block(activation_at, kpu_layer.ACTIVATION_BYTES, body, "activation table"),
    )
    return ConvBody(flags, address, layer, weights_at, batch_norm_at, activation_at)


def stray_output(conv: ConvBody, number: int) -> str | None:
    """What is wrong with a layer that hands out its result, which nobody fetches; None where it does not."""
    if not conv.layer.registers.send_data_out or conv.flags & MAIN_MEM_OUT:
        return None
    return (
        f"layer {number} has send_data_out set, but keeps its result in KPU RAM: MaixPy's driver fetches nothing then, "
        "and what it fetches later is wrong"
    )
