"""kmodel V4 (nncase 0.2), for reading only: its container, and the KPU layer in a node's body.

Source of the format: nncase v0.2.0-beta4, src/common/include/runtime (model.h, k210/k210_ops_body.h).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from conversion.errors import ModelFormatError
from conversion.kmodel.layer import ACTIVATION_BYTES, BATCH_NORM_BYTES, KERNELS, KpuLayer
from conversion.kmodel.recognise import IDENTIFIER
from conversion.kmodel.registers import PACKED_BYTES, Registers
from conversion.kmodel.v5_container import Cursor

VERSION = 4
TARGETS = {0: "CPU", 1: "K210"}
DTYPES = {0: "float32", 1: "uint8"}
PLACES = {0: "constants", 1: "main memory", 2: "KPU RAM"}
CONSTANTS, KPU_RAM = 0, 2

_HEADER = struct.Struct("<10I")
_RANGE = struct.Struct("<4I")
_SHAPE = struct.Struct("<4i")
_NODE = struct.Struct("<2I")
_WORDS = struct.Struct(f"{PACKED_BYTES}s")
_BYTES = {"uint8": 1, "float32": 4}
_MAX_COUNT = 4096
# Some releases of nncase 0.2 do not write the padding behind the last node.
_FINAL_ALIGNMENT = 8


@dataclass(frozen=True)
class Range:
    """A piece of memory: where (PLACES), data type (DTYPES), start and size in bytes (in KPU RAM too)."""

    place: int
    datatype: int
    start: int
    size: int

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.start + self.size

    @property
    def dtype(self) -> str:
        """NumPy's name of the data type, or its number."""
        return DTYPES.get(self.datatype, f"type {self.datatype}")

    @property
    def elements(self) -> int:
        """Numbers that it holds."""
        return self.size // _BYTES.get(self.dtype, 1)

    def __str__(self) -> str:
        return f"{PLACES.get(self.place, f'memory {self.place}')} at {self.start}"


@dataclass(frozen=True)
class Input:
    """An input: where it is put, and its shape, NCHW."""

    at: Range
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Node:
    """One operator: its opcode and its bytes in the file."""

    opcode: int
    body: memoryview


@dataclass(frozen=True)
class Container:
    """A whole file. Outputs have no shapes in this format."""

    target: int
    constants_bytes: int
    main_memory_bytes: int
    inputs: tuple[Input, ...]
    outputs: tuple[Range, ...]
    nodes: tuple[Node, ...]


class V4Cursor(Cursor):
    """Bounds-checked reading, from the whole file or from one node's body."""

    def fail(self, problem: str) -> ModelFormatError:
        """The error for a problem."""
        return ModelFormatError(f"{self.where}: not a sound V4 kmodel: {problem}")

    def range(self) -> Range:
        """The memory range at the cursor."""
        return Range(*self.take(_RANGE))

    def block(self, size: int, what: str) -> bytes:
        """The next bytes."""
        self.demand(self.position + size <= len(self.data), f"{size} bytes of {what} end behind it")
        self.position += size
        return bytes(self.data[self.position - size : self.position])

    def skip(self, count: int) -> None:
        """Step over bytes, as many as the file says."""
        self.position += count


def read(data: bytes, where: str) -> Container:
    """The container of a V4 file; nothing inside of the nodes is looked at. ModelFormatError for damage."""
    cursor = V4Cursor(data, where)
    identifier, version, _, target, constants, main_memory, nodes, inputs, outputs, _ = cursor.take(_HEADER)
    cursor.demand(identifier == IDENTIFIER and version == VERSION, f"identifier {identifier:#x}, version {version}")
    counts_sound = 0 < nodes <= _MAX_COUNT and max(inputs, outputs) <= _MAX_COUNT
    cursor.demand(counts_sound, f"{nodes} nodes, {inputs} inputs, {outputs} outputs")
    input_ranges = [cursor.range() for _ in range(inputs)]
    shapes = [cursor.take(_SHAPE) for _ in range(inputs)]
    output_ranges = tuple(cursor.range() for _ in range(outputs))
    cursor.skip(constants)
    headers = [cursor.take(_NODE) for _ in range(nodes)]
    read_inputs = tuple(Input(*pair) for pair in zip(input_ranges, shapes, strict=True))
    return Container(target, constants, main_memory, read_inputs, output_ranges, _nodes(cursor, headers))


def _nodes(cursor: V4Cursor, headers: list[tuple[int, int]]) -> tuple[Node, ...]:
    view, nodes = memoryview(cursor.data), []
    for number, (opcode, size) in enumerate(headers):
        end = cursor.position + size
        may_lack = _FINAL_ALIGNMENT if number == len(headers) - 1 else 1
        cursor.demand(end - len(view) < may_lack, f"node {number} ends at {end}, the file at {len(view)}")
        nodes.append(Node(opcode, view[cursor.position : end]))
        cursor.position = end
    return tuple(nodes)


def kpu_layer(cursor: V4Cursor) -> KpuLayer:
    """The layer at the cursor: words, batch norm, activation table, weights.

    Each block lies as many bytes further as the address field of its register says. ModelFormatError for damage.
    """
    (words,) = cursor.take(_WORDS)
    try:
        registers = Registers.unpack(words)
    except ModelFormatError as error:
        raise ModelFormatError(f"{cursor.where}: {error}") from error
    cursor.demand(registers.kernel_type in KERNELS, f"kernel type {registers.kernel_type}")
    cursor.skip(registers.bwsx_base_addr)
    batch_norm = cursor.block(BATCH_NORM_BYTES * registers.o_ch_num, "batch norm")
    cursor.skip(registers.active_addr)
    activation = cursor.block(ACTIVATION_BYTES, "activation table")
    cursor.skip(registers.para_start_addr)
    taps = KpuLayer(registers, b"", b"", b"").taps
    return KpuLayer(registers, cursor.block(taps * registers.o_ch_num, "weights"), batch_norm, activation)
