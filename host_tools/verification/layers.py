"""Where to look: the model's layers with their memory on chip, in main memory and in flash, and which are suspects."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from conversion import network
from conversion.inspection import kmodel_v3
from conversion.inspection.model import Layer
from conversion.kmodel import v3_container
from conversion.kmodel.layer import BATCH_NORM_BYTES
from conversion.kmodel.layout import LINE_BYTES
from conversion.kmodel.plan import Region
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
    described = kmodel_v3.describe(model.path, model.data, ()).layers
    bodies = _bodies(model)
    return [
        _place(layer, bodies[layer.number], layer.name in wrong_heads or (not _is_head(layer) and not body_is_right))
        for layer in described
        if layer.number in bodies
    ]


def parameters_of(model: Model, head: str, channel: int) -> tuple[Range, Range]:
    """Where in the kmodel file the weights and the batch norm of one channel of a head lie."""
    layers = kmodel_v3.describe(model.path, model.data, ()).layers
    body = _bodies(model)[next(layer.number for layer in layers if layer.name == head)]
    weights = body.weights_at + channel * body.layer.taps
    batch_norm = body.batch_norm_at + channel * BATCH_NORM_BYTES
    return (weights, weights + body.layer.taps), (batch_norm, batch_norm + BATCH_NORM_BYTES)


def _is_head(layer: Layer) -> bool:
    return layer.name in network.HEAD_NAMES


def _bodies(model: Model) -> dict[int, ConvBody]:
    reader = Reader(model.data, str(model.path))
    bodies = enumerate(v3_container.read(reader).bodies)
    return {
        number: v3_container.conv(reader, number, body.bytes)
        for number, body in bodies
        if body.kind == v3_container.K210_CONV
    }


def _place(layer: Layer, body: ConvBody, suspect: bool) -> LayerPlace:
    source, result = layer.regions
    starts = body.weights_at, body.batch_norm_at, body.activation_at
    ends = (
        body.weights_at + len(body.layer.weights),
        body.batch_norm_at + len(body.layer.batch_norm),
        body.activation_at + len(body.layer.activation),
    )
    memory = (body.address, body.address + layer.writes.bytes) if body.flags & v3_container.MAIN_MEM_OUT else None
    return LayerPlace(
        layer.number,
        layer.label,
        _shape(source),
        _shape(result),
        _bytes(source),
        _bytes(result),
        (min(starts), max(ends)),
        memory,
        suspect,
    )


def _bytes(region: Region) -> Range:
    return region.line * LINE_BYTES, region.end * LINE_BYTES


def _shape(region: Region) -> str:
    return f"{region.map.channels}x{region.map.height}x{region.map.width}"
