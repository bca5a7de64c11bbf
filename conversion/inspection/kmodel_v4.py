"""Describes a kmodel V4 (nncase 0.2): every node by name, what it reads and writes."""

from __future__ import annotations

import math
from pathlib import Path

from conversion.feature_map import LINE_BYTES, FeatureMap
from conversion.inspection import fields, kpu, model, naming, v4_opcodes
from conversion.inspection.flow import Flow
from conversion.inspection.kpu_remarks import Problems, float_remarks, ram_remarks
from conversion.inspection.model import (
    INPUT,
    Convolution,
    FilePart,
    Inspection,
    Layer,
    Memory,
    Quantisation,
    Tensor,
)
from conversion.inspection.v4_opcodes import FLOATS, OPCODES, Opcode
from conversion.kmodel import v4
from conversion.kmodel.v4 import KPU_RAM, Container, Node, Range, V4Cursor

FORM = "kmodel V4"
_BIAS_BYTES = 4


def describe(path: Path, data: bytes, files: tuple[FilePart, ...]) -> Inspection:
    """The file's nodes, memory, inputs and outputs; ModelFormatError for a damaged file."""
    container = v4.read(data, str(path))
    walk = _Walk(str(path), container)
    layers, network = naming.named(walk.layers)
    outputs = tuple(_output(number, one, walk) for number, one in enumerate(container.outputs))
    return Inspection(
        path=path,
        form=FORM,
        files=files,
        inputs=tuple(_input(number, one) for number, one in enumerate(container.inputs)),
        outputs=naming.with_roles(outputs, layers),
        layers=layers,
        refusal="it is a kmodel, the result of a conversion and not weights",
        network=network,
        memory=Memory(walk.kpu_bytes, container.main_memory_bytes),
        facts=(
            ("loads in", "MaixPy v1 builds with kmodel V4 support (the minimum builds have none), and CanMV"),
            ("target", v4.TARGETS.get(container.target, f"unknown ({container.target})")),
            ("constants", f"{container.constants_bytes:,} bytes"),
        ),
        remarks=(*walk.problems.lines(), *float_remarks(layers, FLOATS), *ram_remarks(layers)),
    )


class _Walk:
    """The nodes one after another, with who wrote what they read."""

    def __init__(self, where: str, container: Container) -> None:
        self.flow = Flow()
        self.layers: list[Layer] = []
        self.problems = Problems()
        self.kpu_bytes = 0
        self._where = where
        for number, one in enumerate(container.inputs):
            self._write(one.at, INPUT - number)
        for number, node in enumerate(container.nodes):
            self.layers.append(self._layer(number, node))

    def _write(self, one: Range, writer: int) -> None:
        self.flow.write(one.place, one.start, one.end, writer)
        if one.place == KPU_RAM:
            self.kpu_bytes = max(self.kpu_bytes, one.end)

    def _layer(self, number: int, node: Node) -> Layer:
        known = OPCODES.get(node.opcode)
        if known is None:
            self.problems.add(f"node {number} has opcode {node.opcode:#x}, at which a board's loader hangs for ever")
            return Layer(number, f"opcode {node.opcode:#x}")
        cursor = V4Cursor(node.body, f"{self._where}: node {number} ({known.name})")
        needed = fields.size(known.fields)
        cursor.demand(needed <= len(node.body), f"{len(node.body)} bytes, {needed} needed")
        values = fields.decode(known.fields, cursor.data, 0)
        cursor.position = needed
        if node.opcode == v4_opcodes.KPU_CONV2D:
            return self._kpu_convolution(number, cursor, Range(*values["main_mem_output"]))
        return self._other(number, known, values, cursor)

    def _kpu_convolution(self, number: int, cursor: V4Cursor, main_memory: Range) -> Layer:
        layer = v4.kpu_layer(cursor)
        kpu.check_readable(layer, cursor.where)
        source, result = kpu.regions(layer)
        sources = self.flow.read(KPU_RAM, source.line * LINE_BYTES, source.end * LINE_BYTES)
        self._write(Range(KPU_RAM, 1, result.line * LINE_BYTES, result.map.lines * LINE_BYTES), number)
        self.kpu_bytes = max(self.kpu_bytes, source.end * LINE_BYTES)
        details = {}
        if main_memory.size:
            self._write(main_memory, number)
            details["to main memory"] = main_memory.start
        self.problems.add(kpu.problem(layer, f"node {number}"))
        return kpu.described(number, layer, sources, "kpu_conv2d", details)

    def _other(self, number: int, known: Opcode, values: dict, cursor: V4Cursor) -> Layer:
        written = Range(*values.pop("output"))
        read = [Range(*values.pop(name)) for name in known.reads]
        if "inputs_count" in values:
            model.check_count(values["inputs_count"], cursor.where)
            read = [cursor.range() for _ in range(values["inputs_count"])]
        sources = {writer for one in read for writer in self.flow.read(one.place, one.start, one.end)}
        self._write(written, number)
        if known.ops and values["op"] < len(known.ops):
            values["op"] = known.ops[values["op"]]
        reads = _map(values.get("in_shape"), known.order) or self._inherited(sources, read)
        parameters, parameter_bytes = _constants(read, values)
        writes = _map(_result_shape(known, values), known.order)
        if writes is None and reads and written.elements == reads.bytes:
            writes = reads
        more = {"writes": writes, "parameters": parameters, "parameter_bytes": parameter_bytes}
        if known.weight_bytes:
            cursor.demand(reads is not None and min(values["stride"]) > 0, "a convolution without shape or stride")
            more = _convolved(known, values, reads, cursor)
        return Layer(
            number=number,
            type=known.name,
            sources=tuple(sorted(sources)),
            reads=reads,
            quantisation=_quantisation(values),
            details={**values, "output": str(written)},
            **more,
        )

    def _inherited(self, sources: set[int], read: list[Range]) -> FeatureMap | None:
        """The map of the one layer that is read, if it has as many elements as are read."""
        if len(sources) != 1 or len(read) != 1 or min(sources) < 0:
            return None
        given = self.layers[min(sources)].writes
        return given if given and given.bytes == read[0].elements else None


def _constants(read: list[Range], values: dict) -> tuple[int, int]:
    """(count, bytes) of the parameters that an operator reads from the constants; a matmul's biases are its own."""
    constant = [one for one in read if one.place == v4.CONSTANTS]
    biases = max(0, values.get("b_cols", 0))
    return sum(one.elements for one in constant) + biases, sum(one.size for one in constant) + _BIAS_BYTES * biases


def _result_shape(known: Opcode, values: dict) -> tuple[int, ...] | None:
    source = values.get("in_shape")
    if sorted(values.get("perm", ())) == [0, 1, 2, 3]:
        return tuple(source[axis] for axis in values["perm"])
    if "paddings" in values:
        pairs = zip(values["paddings"][::2], values["paddings"][1::2], strict=True)
        return tuple(size + before + after for size, (before, after) in zip(source, pairs, strict=True))
    if "out_size" in values:
        return (*source[:2], *values["out_size"])
    return source if known.fields == OPCODES[v4_opcodes.KPU_UPLOAD].fields else values.get("out_shape")


def _convolved(known: Opcode, values: dict, reads: FeatureMap, cursor: V4Cursor) -> dict:
    """A convolution on the CPU: what it does, its result, parameters (which must lie in its body) and work."""
    groups = max(1, values.get("groups", 1))
    depthwise = known.depthwise or (groups > 1 and groups == reads.channels)
    channels = reads.channels if known.depthwise else values["out_channels"]
    convolution = Convolution(
        kernel=values["filter"],
        stride=values["stride"],
        dilation=values["dilation"],
        padding=f"{values['padding_h']}, {values['padding_w']}",
        activation="clamp" if "fused_activation" in values else "none",
        depthwise=depthwise,
    )
    taps = math.prod(convolution.kernel) * (1 if depthwise else reads.channels // groups)
    needed = channels * (taps * known.weight_bytes + _BIAS_BYTES)
    cursor.demand(channels > 0 and taps > 0, f"{channels} output channels of {taps} weights")
    cursor.demand(cursor.position + needed <= len(cursor.data), f"its parameters need {needed} bytes")
    windows = zip(values["filter"], values["stride"], values["dilation"], strict=True)
    paddings = (sum(values["padding_h"]), sum(values["padding_w"]))
    sides = zip((reads.height, reads.width), windows, paddings, strict=True)
    writes = FeatureMap(channels, *(model.conv_side(side, *window, padding) for side, window, padding in sides))
    return {
        "convolution": convolution,
        "writes": writes,
        "parameters": channels * (taps + 1),
        "parameter_bytes": needed,
        "macs": model.conv_macs(convolution, reads, writes, groups),
    }


def _map(shape: tuple[int, ...] | None, order: str) -> FeatureMap | None:
    if shape is None or min(shape) < 1:
        return None
    return FeatureMap(*shape[1:]) if order == "NCHW" else FeatureMap(shape[3], shape[1], shape[2])


def _quantisation(values: dict) -> Quantisation | None:
    inverse = values.get("inverse_scale")
    if inverse is None or not 0 < inverse < math.inf:
        return None
    return Quantisation(1 / inverse, values["zero_point"])


def _input(number: int, one: v4.Input) -> Tensor:
    return Tensor(f"input {number}", one.at.dtype, one.shape, "NCHW", place=str(one.at), bytes=one.at.size)


def _output(number: int, one: Range, walk: _Walk) -> Tensor:
    writers = walk.flow.read(one.place, one.start, one.end)
    giver = walk.layers[writers[0]] if len(writers) == 1 and writers[0] >= 0 else None
    whole = giver is not None and giver.writes is not None and giver.writes.bytes == one.elements
    shape = (1, giver.writes.channels, giver.writes.height, giver.writes.width) if whole else (one.elements,)
    return Tensor(
        name=f"output {number}",
        dtype=one.dtype,
        shape=shape,
        order="NCHW" if whole else "",
        layer=giver.number if giver else None,
        place=str(one),
        bytes=one.size,
    )
