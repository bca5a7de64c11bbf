"""Where to look: the model's layers with their memory on chip, in main memory and in flash, and which are suspects."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from conversion import network
from conversion.feature_map import LINE_BYTES, FeatureMap
from conversion.kmodel import sampling, v3_container
from conversion.kmodel.layer import BATCH_NORM_BYTES
from conversion.kmodel.v3_container import ConvBody, Reader
from host_tools.verification.model import Model

Range = tuple[int, int]


@dataclass(frozen=True)
class LayerPlace:
    """One layer and its places, ranges of bytes with the end behind: what it reads and writes in KPU RAM, its
    parameters in the kmodel file, its result in main memory (heads only). `suspect`: the fault may lie here."""

    number: int
    name: str
    reads: str
    writes: str
    kpu_source: Range
    kpu_result: Range
    parameters: Range
    main_memory: Range | None
    suspect: bool


def table(model: Model, wrong_heads: Collection[str]) -> list[LayerPlace]:
    """All layers. Every head reads the same last feature map: if one of them is right, so is all before the heads."""
    body_is_right = len(set(wrong_heads)) < len(network.HEADS)
    bodies = _bodies(model)
    names = _names(bodies)
    return [
        _place(number, name, body, name in wrong_heads or (name not in network.HEAD_NAMES and not body_is_right))
        for (number, body), name in zip(bodies.items(), names, strict=True)
    ]


def parameters_of(model: Model, head: str, channel: int) -> tuple[Range, Range]:
    """Where in the kmodel file the weights and the batch norm of one channel of a head lie."""
    heads = list(_bodies(model).values())[-len(network.HEADS) :]
    body = heads[network.HEAD_NAMES.index(head)]
    weights = body.weights_at + channel * body.layer.taps
    batch_norm = body.batch_norm_at + channel * BATCH_NORM_BYTES
    return (weights, weights + body.layer.taps), (batch_norm, batch_norm + BATCH_NORM_BYTES)


def _bodies(model: Model) -> dict[int, ConvBody]:
    """The convolutions by their numbers in the file."""
    reader = Reader(model.data, str(model.path))
    bodies = enumerate(v3_container.read(reader).bodies)
    return {
        number: v3_container.conv(reader, number, body.bytes)
        for number, body in bodies
        if body.kind == v3_container.K210_CONV
    }


def _names(bodies: Mapping[int, ConvBody]) -> list[str]:
    """What the layers are called: those of `network.BODY` in order, then the heads, as this project's kmodels run them.

    A depthwise layer may run in parts, `depthwise2 1/2`, which together have the channels of the map before it.
    """
    specs = iter(network.BODY)
    names: list[str] = []
    left = channels = 0
    for number, body in list(bodies.items())[: -len(network.HEADS)]:
        if left <= 0:
            spec = next(specs, None)
            left = channels if sampling.as_depthwise(body.layer).depthwise else body.layer.destination.channels
            channels = left
        left -= body.layer.destination.channels
        names.append(spec.name if spec else f"layer {number}")
    return [*_with_parts(names), *network.HEAD_NAMES]


def _with_parts(names: Sequence[str]) -> Iterator[str]:
    for name, group in itertools.groupby(names):
        parts = len(list(group))
        yield from [name] if parts == 1 else (f"{name} {part}/{parts}" for part in range(1, parts + 1))


def _place(number: int, name: str, body: ConvBody, suspect: bool) -> LayerPlace:
    layer, registers = body.layer, body.layer.registers
    starts = body.weights_at, body.batch_norm_at, body.activation_at
    ends = (
        body.weights_at + len(body.layer.weights),
        body.batch_norm_at + len(body.layer.batch_norm),
        body.activation_at + len(body.layer.activation),
    )
    written = body.flags & v3_container.MAIN_MEM_OUT
    return LayerPlace(
        number,
        name,
        _shape(layer.source),
        _shape(layer.destination),
        _lines(registers.image_src_addr, layer.source),
        _lines(registers.image_dst_addr, layer.destination),
        (min(starts), max(ends)),
        (body.address, body.address + layer.destination.bytes) if written else None,
        suspect,
    )


def _lines(first: int, map_: FeatureMap) -> Range:
    """The bytes of KPU RAM that a map takes from its first line on."""
    return first * LINE_BYTES, (first + map_.lines) * LINE_BYTES


def _shape(map_: FeatureMap) -> str:
    return f"{map_.channels}x{map_.height}x{map_.width}"
