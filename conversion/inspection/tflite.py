"""Describes any TFLite file: operators in order, custom ones with their options, tensors and quantisation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from conversion.decoding.dialects.coral import DecoderOptions
from conversion.errors import ConversionError, ModelFormatError
from conversion.feature_map import FeatureMap
from conversion.inspection import custom_options, naming
from conversion.inspection.model import (
    INPUT,
    Convolution,
    FilePart,
    Inspection,
    Layer,
    Macs,
    Quantisation,
    Tensor,
    plain,
)
from conversion.network import BODY
from conversion.posenet_weights import PoseNetWeights
from conversion.weights import coral, tflite_file, tflite_float, topology
from conversion.weights.tflite_file import Operator, TfliteFile

_CONV, _DEPTHWISE, _DENSE = "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"
_MID_OFFSETS = ("displacement_fwd", "displacement_bwd")
_PAD = "PAD"
_STRIDED_LAYERS = sum(spec.stride == 2 for spec in BODY)
_ITEM_BYTES = {"uint8": 1, "int8": 1, "bool": 1, "int16": 2, "float16": 2, "float32": 4, "int32": 4, "int64": 8}


def describe(path: Path, data: bytes, files: tuple[FilePart, ...]) -> Inspection:
    """The file's operators; ModelFormatError for a damaged file, UnsupportedModelError for several subgraphs."""
    file = tflite_file.parse(data, str(path))
    importer = coral if coral.claims(file) else tflite_float
    weights, refusal = _imported(importer.load, path)
    producers = {index: number for number, op in enumerate(file.operators) for index in op.outputs}
    sources = {**{index: INPUT - number for number, index in enumerate(file.inputs)}, **producers}
    remarks: list[str] = list(weights.origin.notes) if weights else []
    layers, network = naming.named([_layer(file, number, sources) for number in range(len(file.operators))])
    layers = _with_joined_heads(layers) if network else layers
    if network and sum(op.name == _PAD for op in file.operators) == _STRIDED_LAYERS:
        remarks.append("its stride-2 layers are padded on all sides by PAD operators: the graph that nncase gets")
    for layer in layers:
        remarks += _special(layer, file)
    outputs = [_tensor(file, index, producers.get(index)) for index in file.outputs]
    return Inspection(
        path=path,
        form=importer.FORM,
        files=files,
        inputs=tuple(_tensor(file, index) for index in file.inputs),
        outputs=naming.with_roles(outputs, layers),
        layers=layers,
        known=weights.origin.name if weights else None,
        refusal=refusal,
        network=network,
        normalisation=weights.normalisation if weights else None,
        facts=(("tensors", f"{len(file.tensors)}"), ("operators", _counts(file))),
        remarks=tuple(remarks),
    )


def _with_joined_heads(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """Heads without a name that make up the mid offsets are the displacements forward, then backward."""
    names: dict[int, str] = {}
    for layer in layers:
        parts = layer.sources if topology.head_role(layer.file_name) == "mid_offsets" else ()
        if len(parts) == len(_MID_OFFSETS) and not any(part < 0 or layers[part].name for part in parts):
            names |= dict(zip(parts, _MID_OFFSETS, strict=True))
    return tuple(replace(layer, name=names.get(layer.number, layer.name)) for layer in layers)


def _imported(load: Callable[[Path], PoseNetWeights], path: Path) -> tuple[PoseNetWeights | None, str | None]:
    """The weights that `make kmodel` would take from the file, or why it would not."""
    try:
        return load(path), None
    except ConversionError as error:
        return None, str(error).removeprefix(f"{path}: ")


def _counts(file: TfliteFile) -> str:
    names: dict[str, int] = {}
    for op in file.operators:
        names[op.name] = names.get(op.name, 0) + 1
    return ", ".join(f"{count} {plain(name)}" for name, count in sorted(names.items(), key=lambda pair: -pair[1])[:12])


def _quantisation(file: TfliteFile, index: int) -> Quantisation | None:
    found = file.tensor(index).quantisation
    if found is None or not math.isfinite(found.scales[0]):
        return None
    return Quantisation(float(found.scales[0]), int(found.zero_points[0]), found.scales.size)


def _tensor(file: TfliteFile, index: int, layer: int | None = None) -> Tensor:
    tensor = file.tensor(index)
    is_map = _map(file, index, None if layer is None else file.operators[layer]) is not None
    return Tensor(
        name=plain(tensor.name),
        dtype=tensor.dtype,
        shape=tensor.shape,
        order="NHWC" if is_map else "",
        quantisation=_quantisation(file, index),
        layer=layer,
        bytes=_bytes(tensor),
    )


def _bytes(tensor: tflite_file.Tensor) -> int | None:
    size = _ITEM_BYTES.get(tensor.dtype)
    return size * math.prod(tensor.shape) if size and min(tensor.shape, default=1) >= 0 else None


def _map(file: TfliteFile, index: int | None, giver: Operator | None = None) -> FeatureMap | None:
    """A tensor as a picture or feature map, NHWC; None for another one (a custom operator's floats are no map)."""
    if index is None or index < 0:
        return None
    tensor = file.tensor(index)
    if len(tensor.shape) != 4 or tensor.shape[0] != 1 or min(tensor.shape) < 1:
        return None
    if giver is not None and giver.is_custom and tensor.quantisation is None:
        return None
    return FeatureMap(tensor.shape[3], tensor.shape[1], tensor.shape[2])


def _layer(file: TfliteFile, number: int, sources: dict[int, int]) -> Layer:
    op = file.operators[number]
    constants = [index for index in op.inputs if index >= 0 and file.tensor(index).data is not None]
    writes = _map(file, op.outputs[0] if op.outputs else None, op)
    reads = _map(file, op.inputs[0] if op.inputs else None)
    convolution = _convolution(file, op)
    weights = constants if convolution or op.name == _DENSE else []
    return Layer(
        number=number,
        type=plain(op.name),
        # Operators stand in the order in which they run: one that reads a later one's result is damage.
        sources=tuple(dict.fromkeys(sources[index] for index in op.inputs if sources.get(index, number) < number)),
        file_name=plain(file.tensor(op.outputs[0]).name) if op.outputs else "",
        reads=reads,
        writes=writes,
        convolution=convolution,
        parameters=sum(math.prod(file.constant(index).shape) for index in weights),
        parameter_bytes=sum(file.tensor(index).data.size for index in constants),
        macs=_macs(file, op, convolution, writes),
        quantisation=_quantisation(file, op.outputs[0]) if op.outputs else None,
        details=_details(file, op, constants),
    )


def _convolution(file: TfliteFile, op: Operator) -> Convolution | None:
    if op.name not in (_CONV, _DEPTHWISE) or "stride" not in op.options or len(op.inputs) < 2:
        return None
    kernel = file.tensor(op.inputs[1]).shape
    if len(kernel) != 4:
        raise ModelFormatError(f"{file.where}: a {op.name} has a kernel of shape {kernel}")
    stride, dilation = op.options["stride"], op.options["dilation"]
    padding, activation = str(op.options["padding"]), str(op.options["activation"])
    return Convolution(kernel[1:3], stride, dilation, padding, activation + _implied(file, op), op.name == _DEPTHWISE)


def _implied(file: TfliteFile, op: Operator) -> str:
    """The range of an output in uint8, which saturates like an activation."""
    quantisation = _quantisation(file, op.outputs[0]) if op.outputs else None
    limits = quantisation.limits(file.tensor(op.outputs[0]).dtype) if quantisation else None
    return f", saturates at {limits[0]:.4g} and {limits[1]:.4g}" if limits else ""


def _macs(file: TfliteFile, op: Operator, convolution: Convolution | None, writes: FeatureMap | None) -> Macs | None:
    """Work of a convolution or matrix product: weights of one output channel times the numbers that it gives."""
    if convolution is None or writes is None:
        return None
    channels_first, height, width, channels = file.tensor(op.inputs[1]).shape
    taps = height * width * (1 if convolution.depthwise else channels)
    count = taps * writes.bytes if channels_first >= 0 else 0
    return Macs(count, count)


def _details(file: TfliteFile, op: Operator, constants: list[int]) -> dict[str, object]:
    details: dict[str, object] = {}
    if op.is_custom:
        details["custom options"] = custom_options.decode(op.custom_options)
    kernels = [index for index in constants if len(file.tensor(index).shape) == 4]
    quantisation = _quantisation(file, kernels[0]) if kernels else None
    if quantisation:
        details["kernel scale"], details["kernel zero point"] = quantisation.scale, quantisation.zero_point
    if "axis" in op.options:
        details["axis"] = op.options["axis"]
    return details


def _special(layer: Layer, file: TfliteFile) -> list[str]:
    op = file.operators[layer.number]
    if op.name == coral.EDGE_TPU:
        return [
            f"{len(op.custom_options):,} bytes are a program for the Edge TPU: the network is inside it and cannot be "
            f"read; take the same model without _edgetpu"
        ]
    if op.name == coral.DECODER:
        return [
            _decoder(op),
            _options(layer),
            "tf.lite.Interpreter has no such operator: cut it off to run the file there",
        ]
    if op.is_custom:
        return [f"the custom operator {plain(op.name)} runs only where somebody has registered it", _options(layer)]
    return []


def _options(layer: Layer) -> str:
    options = layer.details["custom options"]
    return f"options of {layer.type}: {', '.join(f'{name} = {value}' for name, value in options.items())}"


def _decoder(op: Operator) -> str:
    try:
        options = DecoderOptions.from_custom_options(op.custom_options)
    except ModelFormatError as error:
        return f"{op.name}: {error}"
    return (
        f"{op.name} decodes up to {options.max_detections} poses on the CPU, from score "
        f"{options.score_threshold:g}, with a radius of {options.nms_radius:g} px at stride {options.stride}"
    )
