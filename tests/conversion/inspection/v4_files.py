"""Small kmodel V4 files, written by hand: nothing in this project makes any."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from conversion.kmodel.layer import KpuLayer

CONSTANTS, MAIN, KPU = 0, 1, 2
FLOAT, BYTE = 0, 1
NOWHERE = struct.pack("<4I", 0, 0, 0, 0)


@dataclass(frozen=True)
class Node:
    """One operator: its opcode and its body."""

    opcode: int
    body: bytes


def place(memory: int, datatype: int, start: int, size: int) -> bytes:
    """A memory range."""
    return struct.pack("<4I", memory, datatype, start, size)


def node(opcode: int, *parts: bytes | tuple) -> Node:
    """An operator from ranges (bytes) and (layout, values...) tuples, padded to 8 bytes."""
    body = b"".join(part if isinstance(part, bytes) else struct.pack(f"<{part[0]}", *part[1:]) for part in parts)
    return Node(opcode, body + bytes(-len(body) % 8))


def kpu_conv(layer: KpuLayer, main_memory: bytes = NOWHERE, gaps: tuple[int, int, int] = (8, 16, 24)) -> Node:
    """A KPU layer with gaps before batch norm, activation table and weights, as the registers then say."""
    before_norm, before_table, before_weights = gaps
    registers = replace(
        layer.registers, bwsx_base_addr=before_norm, active_addr=before_table, para_start_addr=before_weights
    )
    body = main_memory + struct.pack("<2i", 1, 0) + registers.pack()
    body += bytes(before_norm) + layer.batch_norm + bytes(before_table) + layer.activation
    return Node(0x2002, (padded := body + bytes(before_weights) + layer.weights) + bytes(-len(padded) % 8))


def write(
    nodes: list[Node],
    inputs: list[tuple[bytes, tuple[int, int, int, int]]],
    outputs: list[bytes],
    main_memory: int = 4096,
    constants: bytes = b"",
    target: int = 1,
) -> bytes:
    """The file."""
    counts = (len(nodes), len(inputs), len(outputs))
    header = struct.pack("<10I", 0x4B4D444C, 4, 0, target, len(constants), main_memory, *counts, 0)
    ranges = b"".join(one for one, _ in inputs)
    shapes = b"".join(struct.pack("<4i", *shape) for _, shape in inputs)
    headers = b"".join(struct.pack("<2I", one.opcode, len(one.body)) for one in nodes)
    bodies = b"".join(one.body for one in nodes)
    return header + ranges + shapes + b"".join(outputs) + constants + headers + bodies
