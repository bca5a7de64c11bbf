"""Describes a kmodel V3: every layer by name, what it reads and writes, whatever compiler wrote the file."""

from __future__ import annotations

import math
from pathlib import Path

from conversion import card
from conversion.errors import ConversionError
from conversion.feature_map import LINE_BYTES, FeatureMap, Region
from conversion.inspection import fields, kpu, naming, v3_layer_types
from conversion.inspection.flow import Flow
from conversion.inspection.kpu_remarks import Problems, float_remarks, ram_remarks
from conversion.inspection.model import INPUT, FilePart, Inspection, Layer, Memory, Quantisation, Tensor
from conversion.inspection.v3_layer_types import BYTE, FLOAT, LAYER_TYPES, Buffer, LayerType
from conversion.kmodel import v3, v3_container
from conversion.kmodel.v3_container import Body, Container, Reader
from conversion.kpu import memory as kpu_memory

FORM = "kmodel V3"
_KPU, _MAIN = "kpu", "main"
_UPLOAD, _ADD_PADDING = 10243, 10241
# Types that compute in floats, on the CPU.
_FLOATS = frozenset(v3_container.LAYER_NAMES[kind] for kind in v3_container.FLOAT_COMPUTING)


def describe(path: Path, data: bytes, files: tuple[FilePart, ...]) -> Inspection:
    """The file's layers, memory and outputs; ModelFormatError for a damaged file."""
    reader = Reader(data, str(path))
    container = v3_container.read(reader)
    walk = _Walk(reader, container)
    layers, network = naming.named(walk.layers)
    heads, known, card_remarks = _from_card(path, data)
    outputs = tuple(_output(number, container, walk, heads) for number in range(len(container.outputs)))
    checked = _memory_check(data, path) if container.flags & v3_container.EIGHT_BIT_WEIGHTS else None
    return Inspection(
        path=path,
        form=FORM,
        files=files,
        inputs=walk.inputs,
        outputs=naming.with_roles(outputs, layers),
        layers=layers,
        known=known,
        refusal="it is a kmodel, the result of a conversion and not weights",
        network=network,
        memory=Memory(walk.kpu_bytes, container.main_memory_bytes),
        facts=(*_facts(container), *([("memory check", checked)] if checked else [])),
        remarks=(*_remarks(container, walk), *card_remarks),
    )


class _Walk:
    """The layers one after another, with who wrote what they read."""

    def __init__(self, reader: Reader, container: Container) -> None:
        self.flow = Flow()
        self.layers: list[Layer] = []
        self.inputs: tuple[Tensor, ...] = ()
        self.problems = Problems()
        self.kpu_bytes = 0
        self._reader = reader
        self._weight_bytes = 1 if container.flags & v3_container.EIGHT_BIT_WEIGHTS else 2
        for number, body in enumerate(container.bodies):
            self.layers.append(self._layer(number, body))

    def _layer(self, number: int, body: Body) -> Layer:
        if body.kind == v3_container.K210_CONV:
            return self._convolution(number, body.bytes)
        known = LAYER_TYPES.get(body.kind)
        type_ = v3_container.LAYER_NAMES.get(body.kind, f"type {body.kind}")
        if known is None:
            self.problems.add(f"layer {number} is of type {type_}, which no firmware runs")
            return Layer(number, type_)
        return self._other(number, body, type_, known)

    def _convolution(self, number: int, body: range) -> Layer:
        conv = v3_container.conv(self._reader, number, body, self._weight_bytes)
        where = f"{self._reader.where}: layer {number}"
        kpu.check_readable(conv.layer, where)
        source, result = kpu.regions(conv.layer)
        if number == 0:
            self._picture(source)
        sources = self.flow.read(_KPU, source.line, source.end)
        self._write_kpu(result, number)
        details = {}
        if stray := v3_container.stray_output(conv, number):
            self.problems.add(stray)
        if conv.flags & v3_container.MAIN_MEM_OUT:
            self.flow.write(_MAIN, conv.address, conv.address + result.map.bytes, number)
            details["to main memory"] = conv.address
        if self._weight_bytes == 1:
            self.problems.add(kpu.problem(conv.layer, f"layer {number}"))
        return kpu.described(number, conv.layer, sources, "K210_CONV", details)

    def _picture(self, source: Region) -> None:
        shape = (1, source.map.channels, source.map.height, source.map.width)
        place = f"KPU RAM from line {source.line}"
        self.inputs = (Tensor("picture", "uint8", shape, "NCHW", place=place, bytes=source.map.bytes),)
        self._write_kpu(source, INPUT)

    def _write_kpu(self, region: Region, writer: int) -> None:
        self.flow.write(_KPU, region.line, region.end, writer)
        self.kpu_bytes = max(self.kpu_bytes, region.end * LINE_BYTES)

    def _other(self, number: int, body: Body, type_: str, known: LayerType) -> Layer:
        values = self._decoded(number, body, known)
        if number == 0:
            self._vector(known, values)
        sources: list[int] = []
        for buffer in known.reads:
            sources += self.flow.read(_MAIN, *_extent(buffer, values))
        if known.fields is v3_layer_types.CONCAT:
            sources += self._concatenated(number, body, values)
        reads = _map(known.source, values) or self._inherited(known.reads, sources, values)
        writes = _map(known.result, values)
        if body.kind in (_UPLOAD, _ADD_PADDING):
            writes = writes or FeatureMap(values["channels"], v3_layer_types.PADDED_SIDE, v3_layer_types.PADDED_SIDE)
            self._write_kpu(Region(values["kpu_line"], writes), number)
        for buffer in known.writes:
            self.flow.write(_MAIN, *_extent(buffer, values), number)
        if writes is None and not known.result and len(known.writes) == len(known.reads) == 1:
            writes = reads
        parameters = self._parameters(number, body, known, values)
        return Layer(
            number=number,
            type=type_,
            sources=tuple(sorted(set(sources))),
            reads=reads,
            writes=writes,
            parameters=parameters,
            parameter_bytes=parameters * FLOAT,
            quantisation=self._quantisation(body, known, values),
            details=values,
        )

    def _decoded(self, number: int, body: Body, known: LayerType) -> dict:
        self._demand_bytes(number, body, fields.size(known.fields))
        return fields.decode(known.fields, self._reader.data, body.bytes.start)

    def _demand_bytes(self, number: int, body: Body, needed: int) -> None:
        available = min(body.bytes.stop, len(self._reader.data)) - body.bytes.start
        self._reader.demand(
            needed <= len(body.bytes) and needed <= available,
            f"layer {number} has {len(body.bytes)} bytes, its type {body.name} needs {needed}",
        )

    def _vector(self, known: LayerType, values: dict) -> None:
        """The first layer of a model that does not begin with a picture."""
        start, end = _extent(known.reads[0], values) if known.reads else (0, 0)
        element = known.reads[0].element if known.reads else BYTE
        dtype = "float32" if element == FLOAT else "uint8"
        place = f"main memory at {start}"
        self.inputs = (Tensor("input", dtype, ((end - start) // element,), place=place, bytes=end - start),)
        self.flow.write(_MAIN, start, end, INPUT)

    def _concatenated(self, number: int, body: Body, values: dict) -> list[int]:
        start = fields.size(v3_layer_types.CONCAT)
        self._demand_bytes(number, body, start + v3_container.RANGE.size * values["input_count"])
        writers: set[int] = set()
        total = 0
        for place in range(values["input_count"]):
            at = body.bytes.start + start + v3_container.RANGE.size * place
            address, size = self._reader.unpack(v3_container.RANGE, at)
            writers.update(self.flow.read(_MAIN, address, address + size))
            total += size
        self.flow.write(_MAIN, values["output"], values["output"] + total, number)
        return sorted(writers)

    def _inherited(self, reads: tuple[Buffer, ...], sources: list[int], values: dict) -> FeatureMap | None:
        """The map of the one layer that is read, if it has as many elements as are read."""
        if len(reads) != 1 or len(sources) != 1 or sources[0] < 0:
            return None
        given = self.layers[sources[0]].writes
        count = math.prod(values[name] for name in reads[0].count)
        return given if given and given.bytes == count else None

    def _parameters(self, number: int, body: Body, known: LayerType, values: dict) -> int:
        """Weights and biases of a FULLY_CONNECTED, which follow its fields as float32."""
        if known.fields is not v3_layer_types.FULLY_CONNECTED:
            return 0
        count = (values["in_channels"] + 1) * values["out_channels"]
        self._demand_bytes(number, body, fields.size(known.fields) + FLOAT * count)
        return count

    def _quantisation(self, body: Body, known: LayerType, values: dict) -> Quantisation | None:
        if known.fields is v3_layer_types.CHANNELWISE and len(body.bytes) >= fields.size(known.fields) + 8:
            pair = fields.decode((("pair", "2f"),), self._reader.data, body.bytes.start + fields.size(known.fields))
            return Quantisation.from_bias(*pair["pair"], count=values["channels"])
        return Quantisation.from_bias(values["scale"], values["bias"]) if "scale" in values else None


def _extent(buffer: Buffer, values: dict) -> tuple[int, int]:
    start = values[buffer.address]
    return start, start + buffer.element * math.prod(values[name] for name in buffer.count)


def _map(names: tuple[str, ...], values: dict) -> FeatureMap | None:
    sides = [values[name] for name in names]
    return FeatureMap(*sides, *[1] * (3 - len(sides))) if sides else None


def _output(number: int, container: Container, walk: _Walk, heads: dict[int, dict]) -> Tensor:
    entry = container.outputs[number]
    writers = walk.flow.read(_MAIN, entry.address, entry.address + entry.size)
    giver = walk.layers[writers[0]] if len(writers) == 1 and writers[0] >= 0 else None
    floats = container.bodies[-1].kind in v3_container.FLOAT_RESULTS
    element = FLOAT if floats else BYTE
    whole = giver is not None and giver.writes is not None and giver.writes.bytes * element == entry.size
    shape = (1, giver.writes.channels, giver.writes.height, giver.writes.width) if whole else (entry.size // element,)
    head = heads.get(number)
    return Tensor(
        name=f"output {number}",
        dtype="float32" if floats else "uint8",
        shape=shape,
        order="NCHW" if whole else "",
        quantisation=Quantisation(head["scale"], head["zero_point"]) if head else None,
        layer=giver.number if giver else None,
        role=head["name"] if head else "",
        place=f"main memory at {entry.address}",
        bytes=entry.size,
    )


def _from_card(path: Path, data: bytes) -> tuple[dict[int, dict], str | None, tuple[str, ...]]:
    """Heads by output number and the weights' name, from the model card beside the file; nothing without one."""
    beside = card.path_beside(path)
    if not beside.is_file():
        return {}, None, (f"what its output bytes stand for is in its model card, {beside.name}, which is not there",)
    try:
        found = card.read_for(path, data)
    except ConversionError as error:
        return {}, None, (f"the model card beside it is not used: {error}",)
    source = found.get("source")
    name = source.get("name") if isinstance(source, dict) else None
    known = name if isinstance(name, str) and name != "unknown" else None
    return {entry["index"]: entry for entry in card.heads(found)}, known, ()


def _memory_check(data: bytes, path: Path) -> str | None:
    """What the memory check says of a model that this project can run; None for one that it cannot."""
    try:
        model = v3.read(data, str(path))
    except ConversionError:
        return None
    try:
        kpu_memory.check(model)
    except ConversionError as error:
        return f"FAILS: {error}"
    return "passes: every line of KPU RAM and byte of main memory is written before it is read"


def _facts(container: Container) -> list[tuple[str, str]]:
    floats = container.bodies[-1].kind in v3_container.FLOAT_RESULTS
    return [
        ("loads in", "every MaixPy v1 firmware, and CanMV"),
        ("MaixPy reads", f"{'floats' if floats else 'bytes'} from every output, as its last layer gives"),
    ]


def _remarks(container: Container, walk: _Walk) -> list[str]:
    remarks = list(walk.problems.lines())
    if not container.flags & v3_container.EIGHT_BIT_WEIGHTS:
        remarks.append("its weights have 16 bits; this project writes and runs 8")
    if container.arch != v3_container.ARCH_K210:
        remarks.append(f"is for architecture {container.arch}; the K210 is {v3_container.ARCH_K210}")
    if container.main_memory_bytes > v3.GENERAL_RAM_BYTES:
        remarks.append(f"asks for {container.main_memory_bytes:,} bytes of main memory; the chip has 6 MiB")
    if container.excess > 0:
        remarks.append(f"{container.excess} bytes follow the last layer; a loader that checks the size refuses it")
    if container.excess < 0:
        remarks.append(f"ends {-container.excess} bytes before its last layer does, as files of nncase 0.1 do")
    last = walk.layers[-1]
    if last.regions and "to main memory" not in last.details:
        remarks.append("the last layer's result stays in KPU RAM; a board would run past the layer table")
    return [*remarks, *float_remarks(walk.layers, _FLOATS), *ram_remarks(walk.layers)]
