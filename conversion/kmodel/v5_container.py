"""The container of kmodel V5 (nncase 1.x): header, modules, their functions and sections.

Source of the format: nncase v1.9.0, include/nncase/runtime/model.h.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from conversion.errors import ModelFormatError
from conversion.kmodel.recognise import IDENTIFIER
from conversion.outside.text import printable

VERSION = 5
K210_MODULE = "k210"
STACKVM_MODULE = "stackvm"

LOCATION_INPUT = 0
LOCATION_OUTPUT = 1
LOCATION_RDATA = 2
LOCATION_DATA = 3
LOCATION_KPU = 64

_MODEL = struct.Struct("<8I")
_MODULE = struct.Struct("<16s8I")
_FUNCTION = struct.Struct("<8I")
_SECTION = struct.Struct("<16s4I")
_RANGE = struct.Struct("<BBHII")
_WORD = struct.Struct("<I")
_POOL = struct.Struct("<B3xI")
_MERGED = 1
_MAX_COUNT = 4096
_MAX_RANK = 8


@dataclass(frozen=True)
class MemoryRange:
    """A piece of memory: location, data type, and start and size in bytes."""

    location: int
    datatype: int
    start: int
    size: int


@dataclass(frozen=True)
class Function:
    """One function of a module: its inputs and outputs with shapes, and where its code lies in .text."""

    inputs: tuple[MemoryRange, ...]
    outputs: tuple[MemoryRange, ...]
    input_shapes: tuple[tuple[int, ...], ...]
    output_shapes: tuple[tuple[int, ...], ...]
    entry: int
    text_size: int


@dataclass(frozen=True)
class Section:
    """Bytes of a section and where they begin in the file."""

    data: bytes
    offset: int


@dataclass(frozen=True)
class Module:
    """A module: "k210" (KPU code) or "stackvm" (the main program, run by the CPU).

    `pools` are the pieces of memory that it asks for: (location, bytes).
    """

    kind: str
    functions: tuple[Function, ...]
    sections: dict[str, Section]
    pools: tuple[tuple[int, int], ...] = ()

    def section(self, name: str) -> Section:
        """A section by name; an absent one is empty."""
        return self.sections.get(name, Section(b"", 0))


@dataclass(frozen=True)
class Container:
    """The whole file: modules and the function that is called first."""

    modules: tuple[Module, ...]
    entry_module: int
    entry_function: int


class Cursor:
    """Bounds-checked reading from bytes; every error names the file."""

    def __init__(self, data: bytes, where: str, position: int = 0) -> None:
        self.data = data
        self.where = where
        self.position = position

    def fail(self, problem: str) -> ModelFormatError:
        return ModelFormatError(f"{self.where}: not a sound V5 kmodel: {problem}")

    def demand(self, sound: bool, problem: str) -> None:
        if not sound:
            raise self.fail(problem)

    def take(self, layout: struct.Struct) -> tuple:
        self.demand(self.position + layout.size <= len(self.data), f"truncated at byte {self.position}")
        values = layout.unpack_from(self.data, self.position)
        self.position += layout.size
        return values

    def memory_range(self) -> MemoryRange:
        location, datatype, _, start, size = self.take(_RANGE)
        return MemoryRange(location, datatype, start, size)


def read(data: bytes, where: str) -> Container:
    """Read a V5 container; ModelFormatError for anything that is not one, or is damaged."""
    cursor = Cursor(data, where)
    identifier, version, header_size, _, _, modules, entry_module, entry_function = cursor.take(_MODEL)
    cursor.demand(identifier == IDENTIFIER and version == VERSION, f"identifier {identifier:#x}, version {version}")
    cursor.demand(0 < modules <= _MAX_COUNT, f"{modules} modules")
    cursor.position = header_size
    container = Container(tuple(_module(cursor) for _ in range(modules)), entry_module, entry_function)
    cursor.demand(entry_module < modules, f"entry module {entry_module} of {modules}")
    entry_functions = len(container.modules[entry_module].functions)
    cursor.demand(entry_function < entry_functions, f"entry function {entry_function} of {entry_functions}")
    return container


def _module(cursor: Cursor) -> Module:
    start = cursor.position
    kind, _, header_size, size, pools, shared_pools, sections, functions, _ = cursor.take(_MODULE)
    counts_sound = max(pools, shared_pools, sections, functions) <= _MAX_COUNT
    cursor.demand(counts_sound and size >= _MODULE.size and start + size <= len(cursor.data), "a module's header")
    cursor.position = start + header_size
    own_pools = tuple(cursor.take(_POOL) for _ in range(pools))
    cursor.position += _POOL.size * shared_pools
    read_functions = tuple(_function(cursor) for _ in range(functions))
    read_sections = dict(_section(cursor) for _ in range(sections))
    # Without this, records that overlap could ask for far more memory than the file has bytes.
    cursor.demand(cursor.position <= start + size, "a module's parts end behind it")
    cursor.position = start + size
    return Module(_text(kind), read_functions, read_sections, own_pools)


def _function(cursor: Cursor) -> Function:
    start = cursor.position
    header_size, size, _, _, inputs, outputs, entry, text_size = cursor.take(_FUNCTION)
    cursor.demand(max(inputs, outputs) <= _MAX_COUNT and size >= _FUNCTION.size, "a function's header")
    cursor.position = start + header_size
    input_ranges = tuple(cursor.memory_range() for _ in range(inputs))
    input_shapes = tuple(_shape(cursor) for _ in range(inputs))
    output_ranges = tuple(cursor.memory_range() for _ in range(outputs))
    output_shapes = tuple(_shape(cursor) for _ in range(outputs))
    cursor.demand(cursor.position <= start + size, "a function's record ends behind it")
    cursor.position = start + size
    return Function(input_ranges, output_ranges, input_shapes, output_shapes, entry, text_size)


def _shape(cursor: Cursor) -> tuple[int, ...]:
    (rank,) = cursor.take(_WORD)
    cursor.demand(rank <= _MAX_RANK, f"a shape of rank {rank}")
    return tuple(cursor.take(_WORD)[0] for _ in range(rank))


def _section(cursor: Cursor) -> tuple[str, Section]:
    name, flags, padding, size, _ = cursor.take(_SECTION)
    if flags & _MERGED:  # lies inside .rdata; nothing of it is needed here
        return _text(name), Section(b"", 0)
    begin = cursor.position + padding
    cursor.demand(begin + size <= len(cursor.data), f"section {_text(name)} ends behind the file")
    cursor.position = begin + size
    return _text(name), Section(cursor.data[begin : begin + size], begin)


def _text(raw: bytes) -> str:
    return printable(raw.rstrip(b"\0").decode("ascii", errors="replace"))
