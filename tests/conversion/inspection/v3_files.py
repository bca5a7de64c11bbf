"""Small kmodel V3 files of any layer types, written by hand: what no writer of this project makes."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from conversion.kmodel.layer import KpuLayer

CONV = 10240


@dataclass(frozen=True)
class Raw:
    """A layer of any type with the bytes behind its flags."""

    kind: int
    body: bytes


@dataclass(frozen=True)
class Conv:
    """A KPU layer; `main_memory` None leaves its result in KPU RAM."""

    layer: KpuLayer
    main_memory: int | None = None


def raw(kind: int, layout: str, *values: object, tail: bytes = b"") -> Raw:
    """A layer whose fields behind the flags are packed by `layout`, with `tail` behind them."""
    return Raw(kind, struct.pack(f"<{layout}", *values) + tail)


def write(
    layers: list[Raw | Conv], outputs: list[tuple[int, int]], main_memory: int = 4096, flags: int = 1, arch: int = 0
) -> bytes:
    """The file; bodies are padded to 8 bytes, tables lie where the KPU wants them."""
    start = 28 + 8 * len(outputs) + 8 * len(layers)
    bodies = bytearray()
    headers = b""
    for layer in layers:
        begin = len(bodies)
        if isinstance(layer, Conv):
            _append_conv(bodies, start, layer)
        else:
            bodies += struct.pack("<I", 0) + layer.body
        bodies += bytes(-len(bodies) % 8)
        headers += struct.pack("<2I", CONV if isinstance(layer, Conv) else layer.kind, len(bodies) - begin)
    header = struct.pack("<7I", 3, flags, arch, len(layers), 0, main_memory, len(outputs))
    return header + b"".join(struct.pack("<2I", *one) for one in outputs) + headers + bytes(bodies)


def _append_conv(bodies: bytearray, start: int, conv: Conv) -> None:
    at = len(bodies)
    bodies += bytes(24)
    offsets = []
    for block, alignment in (
        (conv.layer.registers.pack(), 8),
        (conv.layer.weights, 128),
        (conv.layer.batch_norm, 128),
        (conv.layer.activation, 256),
    ):
        bodies += bytes(-(start + len(bodies)) % alignment)
        offsets.append(start + len(bodies))
        bodies += block
    struct.pack_into("<6I", bodies, at, int(conv.main_memory is not None), conv.main_memory or 0, *offsets)
