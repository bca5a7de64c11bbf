"""Describes a kmodel V5 (nncase 1.x): modules, functions, and every operator in the order in which it runs."""

from __future__ import annotations

from pathlib import Path

from conversion.errors import ConversionError, ModelFormatError
from conversion.feature_map import LINE_BYTES, FeatureMap
from conversion.inspection import kpu, model, naming
from conversion.inspection.flow import Flow, Writers
from conversion.inspection.kpu_remarks import Problems, float_remarks, ram_remarks
from conversion.inspection.model import INPUT, Convolution, FilePart, Inspection, Layer, Memory, Quantisation, Tensor
from conversion.kmodel import v5_code, v5_container, v5_stackvm
from conversion.kmodel.layer import KpuLayer
from conversion.kmodel.v5_code import Copy, Transfer
from conversion.kmodel.v5_container import (
    K210_MODULE,
    LOCATION_DATA,
    LOCATION_INPUT,
    LOCATION_KPU,
    LOCATION_OUTPUT,
    Container,
    Function,
    MemoryRange,
    Module,
)
from conversion.kmodel.v5_stackvm import TensorOperation

FORM = "kmodel V5"
# nncase v1.9.0, include/nncase/runtime/datatypes.h.
DTYPES = (
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
    "bfloat16",
)  # fmt: skip
# Operators that compute in floats, on the CPU, where an unquantised network does.
_FLOATS = frozenset({"CONV2D", "CONV2D_TRANSPOSE", "MATMUL"})
_MAX_DEPTH = 8
_FLOAT_BYTES = 4
_MOST_MODULES = 16


def describe(path: Path, data: bytes, files: tuple[FilePart, ...]) -> Inspection:
    """The file's program, from the entry function on; ModelFormatError for a damaged file."""
    where = str(path)
    container = v5_container.read(data, where)
    main = container.modules[container.entry_module].functions[container.entry_function]
    walk = _Walk(container, where)
    remarks = walk.run(main)
    layers, network = naming.named(walk.layers)
    outputs = tuple(_output(number, main, walk) for number in range(len(main.outputs)))
    return Inspection(
        path=path,
        form=FORM,
        files=files,
        inputs=tuple(_tensor("input", number, *pair) for number, pair in enumerate(_pairs(main, "input"))),
        outputs=naming.with_roles(outputs, layers),
        layers=layers,
        refusal="it is a kmodel, the result of a conversion and not weights",
        network=network,
        memory=Memory(walk.kpu_bytes, _data_bytes(container)),
        facts=(("loads in", "no MaixPy v1 firmware: make a V3 of it"), *_module_facts(container)),
        remarks=(*remarks, *walk.problems.lines(), *float_remarks(layers, _FLOATS), *ram_remarks(layers)),
    )


class _Walk:
    """Operators in the order in which they run, calls followed, with who wrote what they read."""

    def __init__(self, container: Container, where: str) -> None:
        self.flow = Flow()
        self.layers: list[Layer] = []
        self.problems = Problems()
        self.kpu_bytes = 0
        self._container = container
        self._where = where

    def run(self, main: Function) -> tuple[str, ...]:
        """Follow the entry function; if its program cannot be read, take the K210's functions one after another."""
        entry = self._container.entry_module
        for number, one in enumerate(main.inputs):
            self.flow.write((entry, LOCATION_INPUT), one.start, one.start + max(1, one.size), INPUT - number)
        try:
            self._function(entry, main, "", 0)
            return ()
        except ConversionError as error:
            if not any(module.kind == K210_MODULE for module in self._container.modules):
                raise
            self._start_again()
            reason = str(error).removeprefix(f"{self._where}: ")
            return (f"the main program is not one of nncase 1.9, so only the K210's functions are shown ({reason})",)

    def _start_again(self) -> None:
        self.flow, self.layers, self.problems, self.kpu_bytes = Flow(), [], Problems(), 0
        for index, module in enumerate(self._container.modules):
            for number, function in enumerate(module.functions):
                if module.kind == K210_MODULE:
                    self._function(index, function, f"{module.kind} function {number}", 1)

    def _function(self, index: int, function: Function, group: str, depth: int) -> None:
        module = self._container.modules[index]
        if depth > _MAX_DEPTH:
            raise ModelFormatError(f"{self._where}: functions call each other more than {_MAX_DEPTH} deep")
        if module.kind == K210_MODULE:
            for operation in v5_code.all_kpu_operations(module, function, self._where):
                self._kpu_operation(index, operation, group)
            return
        program = v5_code.stackvm_program(module, function, self._where)
        if program.other:
            self.problems.add(f"{len(program.other)} instructions are branches or arithmetic; they are not followed")
        for operation in program.operations:
            if operation.target is None:
                self._add(self._tensor_operation(index, module, operation, group))
            else:
                self._call(index, operation, depth)

    def _add(self, layer: Layer) -> None:
        self.layers.append(layer)
        model.check_count(len(self.layers), self._where)

    def _call(self, index: int, call: TensorOperation, depth: int) -> None:
        callee, number = call.target
        module = self._container.modules[callee] if callee < len(self._container.modules) else None
        if module is None or number >= len(module.functions):
            raise ModelFormatError(f"{self._where}: calls function {number} of module {callee}, which is not there")
        function = module.functions[number]
        sources, results = call.buffers[: len(function.inputs)], call.buffers[len(function.inputs) :]
        for one, buffer in zip(function.inputs, sources, strict=False):
            self.flow.write((callee, LOCATION_INPUT), one.start, one.start + max(1, one.size), self._at(index, buffer))
        self._function(callee, function, f"{module.kind} function {number}", depth + 1)
        for one, (location, offset) in zip(function.outputs, results, strict=False):
            writers = self.flow.read((callee, LOCATION_OUTPUT), one.start, one.start + max(1, one.size))
            self.flow.write((index, location), offset, offset + max(1, one.size), writers)

    def _at(self, index: int, buffer: tuple[int, int]) -> Writers:
        location, offset = buffer
        return self.flow.read((index, location), offset, offset + 1)

    def _tensor_operation(self, index: int, module: Module, one: TensorOperation, group: str) -> Layer:
        number = len(self.layers)
        # The buffer that is written is the last one pushed.
        *sources, (location, offset) = one.buffers or ((LOCATION_DATA, 0),)
        read = sorted({writer for buffer in sources for writer in self._at(index, buffer)})
        self.flow.write((index, location), offset, offset + 1, number)
        reads = _map(one.shape)
        dequantises = one.operator == v5_stackvm.DEQUANTIZE
        more = {"writes": reads if dequantises else None}
        if one.operator == v5_stackvm.CONV2D and reads:
            more = _cpu_convolution(one, reads, f"{self._where}: operation {number}")
        return Layer(
            number=number,
            type=one.name,
            sources=tuple(read),
            reads=reads,
            quantisation=Quantisation.from_bias(*one.floats) if dequantises else None,
            details={"shape": one.shape, "constants": one.floats[:4]},
            group=group or f"{module.kind} main",
            **more,
        )

    def _kpu_operation(self, index: int, one: Transfer | v5_code.Convolution | Copy, group: str) -> None:
        number = len(self.layers)
        if isinstance(one, v5_code.Convolution):
            self._add(self._convolution(index, number, one.layer, group))
            return
        names = {True: "KPU_UPLOAD", False: "KPU_DOWNLOAD"}
        sources = self._read(index, one.source)
        self._write(index, one.destination, number)
        writes = _map(one.shape)
        type_ = names[one.upload] if isinstance(one, Transfer) else "COPY"
        details = {"from": _place(one.source), "to": _place(one.destination)}
        self._add(Layer(number, type_, sources, reads=writes, writes=writes, details=details, group=group))

    def _convolution(self, index: int, number: int, layer: KpuLayer, group: str) -> Layer:
        kpu.check_readable(layer, f"{self._where}: operation {number}")
        source, result = kpu.regions(layer)
        sources = self.flow.read((index, LOCATION_KPU), source.line * LINE_BYTES, source.end * LINE_BYTES)
        self.flow.write((index, LOCATION_KPU), result.line * LINE_BYTES, result.end * LINE_BYTES, number)
        self.kpu_bytes = max(self.kpu_bytes, max(source.end, result.end) * LINE_BYTES)
        self.problems.add(kpu.problem(layer, f"operation {number}"))
        return kpu.described(number, layer, sources, "KPU_CONV2D", {}, group=group)

    def _read(self, index: int, one: MemoryRange) -> Writers:
        return self.flow.read((index, one.location), one.start, one.start + max(1, one.size))

    def _write(self, index: int, one: MemoryRange, writer: int) -> None:
        self.flow.write((index, one.location), one.start, one.start + max(1, one.size), writer)


def _cpu_convolution(one: TensorOperation, reads: FeatureMap, where: str) -> dict:
    """A convolution in float32 on the CPU; the last six numbers pushed are its padding: before, after, between."""
    *_, groups, stride_h, stride_w, dilation_h, dilation_w, _, _ = one.operands
    sound = len(one.kernel) == 4 and min(one.kernel) > 0 and min(stride_h, stride_w, groups) > 0 and len(one.ints) >= 6
    if not sound:
        raise ModelFormatError(f"{where}: a convolution without kernel, stride, groups or padding")
    channels, per_group, *kernel = one.kernel
    top, bottom, _, left, right, _ = one.ints[-6:]
    convolution = Convolution(
        kernel=tuple(kernel),
        stride=(stride_h, stride_w),
        dilation=(dilation_h, dilation_w),
        padding=f"({top}, {bottom}), ({left}, {right})",
        activation="clamp",
        depthwise=groups > 1 and groups == reads.channels,
    )
    height = model.conv_side(reads.height, kernel[0], stride_h, dilation_h, top + bottom)
    writes = FeatureMap(channels, height, model.conv_side(reads.width, kernel[1], stride_w, dilation_w, left + right))
    parameters = channels * (per_group * kernel[0] * kernel[1] + 1)
    return {
        "convolution": convolution,
        "writes": writes,
        "parameters": parameters,
        "parameter_bytes": _FLOAT_BYTES * parameters,
        "macs": model.conv_macs(convolution, reads, writes, groups),
    }


def _map(shape: tuple[int, ...]) -> FeatureMap | None:
    return FeatureMap(*shape[1:]) if len(shape) == 4 and shape[0] == 1 and min(shape) > 0 else None


def _place(one: MemoryRange) -> str:
    return f"{'KPU RAM' if one.location == LOCATION_KPU else 'main memory'} at {one.start}"


def _pairs(function: Function, which: str) -> list[tuple[MemoryRange, tuple[int, ...]]]:
    ranges, shapes = getattr(function, f"{which}s"), getattr(function, f"{which}_shapes")
    return list(zip(ranges, shapes, strict=True))


def _tensor(which: str, number: int, one: MemoryRange, shape: tuple[int, ...], layer: int | None = None) -> Tensor:
    dtype = DTYPES[one.datatype] if one.datatype < len(DTYPES) else f"type {one.datatype}"
    return Tensor(f"{which} {number}", dtype, shape, "NCHW", layer=layer, bytes=one.size)


def _output(number: int, main: Function, walk: _Walk) -> Tensor:
    one = main.outputs[number]
    writers = walk.flow.read((walk._container.entry_module, LOCATION_OUTPUT), one.start, one.start + 1)
    return _tensor("output", number, one, main.output_shapes[number], writers[0] if len(writers) == 1 else None)


def _data_bytes(container: Container) -> int:
    return sum(size for module in container.modules for location, size in module.pools if location == LOCATION_DATA)


def _module_facts(container: Container) -> list[tuple[str, str]]:
    facts = []
    for number, module in enumerate(container.modules):
        sections = ", ".join(f"{model.plain(name)} {len(one.data):,}" for name, one in module.sections.items())
        count = len(module.functions)
        text = f"{model.plain(module.kind)}, {count} function{'s' if count > 1 else ''}, bytes: {sections}"
        facts.append((f"module {number}", text))
    return facts[:_MOST_MODULES]
