"""Describes the TensorFlow forms, whose size is open: tfjs graph model, frozen graph, tfjs checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np

from conversion import network
from conversion.errors import UnsupportedModelError
from conversion.feature_map import FeatureMap
from conversion.inspection import model, naming
from conversion.inspection.model import (
    INPUT,
    Convolution,
    FilePart,
    Inspection,
    Layer,
    Shape,
    Tensor,
    plain,
)
from conversion.outside import reading
from conversion.posenet_weights import PoseNetWeights
from conversion.weights import frozen_graph, tfjs_checkpoint, tfjs_graph, topology
from conversion.weights.graph_nodes import Graph

# Shapes and MACs of a network that takes any size are given for this one: the default size of a kmodel, 320x240, at
# PoseNet's own 16n + 1.
WIDTH, HEIGHT = 321, 241
_TYPES = {"conv": "Conv2D", "depthwise": "DepthwiseConv2dNative"}
_FLOAT_BYTES = 4
_SMALL_NODE = 4096
_ANY = (1, None, None, network.INPUT_CHANNELS)


def describe(importer: ModuleType, path: Path) -> Inspection:
    """The network in the file that an importer of the three forms takes; errors as its `load` raises them."""
    if importer is tfjs_checkpoint:
        return _checkpoint(path)
    weights, refusal = _imported(importer, path)
    if importer is tfjs_graph:
        graph, parts, shape, nodes = _tfjs(path)
    else:
        graph, parts, shape, nodes = _frozen(path)
    convolutions = _in_order(graph.convolutions(), graph.input())
    size = _size(shape)
    layers = _layers(convolutions, plain(graph.input()), size)
    named, called = naming.named(layers)
    return Inspection(
        path=path,
        form=importer.FORM,
        files=parts,
        inputs=(Tensor(plain(graph.input()), "float32", shape, "NHWC"),),
        outputs=naming.with_roles(_outputs(convolutions, named, None not in shape), named),
        layers=named,
        network=called,
        facts=(("nodes", nodes),),
        assumed_size=size if None in shape else None,
        **_origin(weights, refusal),
    )


def _imported(importer: ModuleType, path: Path) -> tuple[PoseNetWeights | None, str | None]:
    """The weights, or why `make kmodel` would not take them; damage is raised."""
    try:
        return importer.load(path), None
    except UnsupportedModelError as error:
        return None, str(error).removeprefix(f"{path}: ")


def _origin(weights: PoseNetWeights | None, refusal: str | None) -> dict:
    if weights is None:
        return {"refusal": refusal}
    return {
        "known": weights.origin.name,
        "normalisation": weights.normalisation,
        "remarks": weights.origin.notes,
    }


def _tfjs(path: Path) -> tuple[Graph, tuple[FilePart, ...], Shape, str]:
    document, constants, sums = tfjs_graph.read(path)
    nodes = tfjs_graph.nodes_of(document, constants, path)
    entry = next((node for node in document["node"] if node.get("op") == "Placeholder"), {})
    dims = entry.get("attr", {}).get("shape", {}).get("shape", {}).get("dim", [])
    parts = tuple(FilePart(name, reading.file_size(path.parent / name), digest) for name, digest in sums.items())
    return Graph(nodes, constants, str(path)), parts, _shape([int(dim["size"]) for dim in dims]), _counts(nodes)


def _frozen(path: Path) -> tuple[Graph, tuple[FilePart, ...], Shape, str]:
    data = reading.read_file(path)
    nodes, constants = frozen_graph.read(data, path)
    parts = (FilePart(path.name, len(data), reading.sha256(data)),)
    return Graph(nodes, constants, str(path)), parts, _shape(_placeholder(data, path)), _counts(nodes)


def _placeholder(data: bytes, path: Path) -> list[int]:
    """The sides of the frozen graph's input, of which the importer keeps none."""
    from tensorflow.core.framework.node_def_pb2 import NodeDef

    for record in frozen_graph.node_records(data, path):
        # Only constants are large.
        node = NodeDef.FromString(record) if len(record) < _SMALL_NODE else None
        if node is not None and node.op == "Placeholder":
            return [dim.size for dim in node.attr["shape"].shape.dim[:4]]
    return []


def _counts(nodes: Sequence) -> str:
    names: dict[str, int] = {}
    for node in nodes:
        names[node.op] = names.get(node.op, 0) + 1
    return ", ".join(f"{count} {plain(name)}" for name, count in sorted(names.items(), key=lambda pair: -pair[1]))


def _shape(sides: Sequence[int]) -> Shape:
    """NHWC as stated, unknown sides None; any size where nothing is stated."""
    if len(sides) != len(_ANY):
        return _ANY
    return tuple(side if side > 0 else None for side in sides)


def _size(shape: Shape) -> tuple[int, int]:
    """(width, height) to compute shapes for."""
    return shape[2] or WIDTH, shape[1] or HEIGHT


def _in_order(convolutions: Sequence[topology.Convolution], source: str) -> list[topology.Convolution]:
    """Each behind the one that it reads (a GraphDef may list nodes in any order), what nothing reaches at the end."""
    waiting, ordered, known = list(convolutions), [], {source}
    while ready := [one for one in waiting if one.source in known]:
        waiting = [one for one in waiting if one.source not in known]
        ordered += ready
        known |= {one.result for one in ready}
    return ordered + waiting


def _layers(convolutions: Sequence[topology.Convolution], source: str, size: tuple[int, int]) -> list[Layer]:
    width, height = size
    maps: dict[str, tuple[int, FeatureMap]] = {source: (INPUT, FeatureMap(network.INPUT_CHANNELS, height, width))}
    layers = []
    for number, one in enumerate(convolutions):
        giver, reads = maps.get(one.source, (None, None))
        layer = _layer(number, one.names[0], _convolution(one), one.kernel, one.bias, reads)
        layers.append(replace(layer, type=_TYPES[one.kind], sources=() if giver is None else (giver,)))
        if layer.writes:
            maps[one.result] = (number, layer.writes)
    return layers


def _convolution(one: topology.Convolution) -> Convolution:
    kernel = one.kernel.shape[:2]
    return Convolution(kernel, one.stride, one.dilation, one.padding, one.activation, one.kind == "depthwise")


def _layer(
    number: int, name: str, convolution: Convolution, kernel: np.ndarray, bias: np.ndarray, reads: FeatureMap | None
) -> Layer:
    """`kernel` HWIO (depthwise [H, W, C, 1]), `bias` [C_out]; `reads` None where the source is not known."""
    writes = _result(convolution, bias.size, reads) if reads and kernel.ndim == 4 else None
    return Layer(
        number=number,
        type="",
        file_name=plain(name),
        reads=reads,
        writes=writes,
        convolution=convolution,
        parameters=kernel.size + bias.size,
        parameter_bytes=_FLOAT_BYTES * (kernel.size + bias.size),
        macs=model.conv_macs(convolution, reads, writes) if writes else None,
    )


def _result(convolution: Convolution, channels: int, reads: FeatureMap) -> FeatureMap:
    """SAME gives size / stride rounded up."""
    sides = []
    for axis, side in enumerate((reads.height, reads.width)):
        kernel, stride = convolution.kernel[axis], max(1, convolution.stride[axis])
        same = -(-side // stride)
        valid = model.conv_side(side, kernel, stride, convolution.dilation[axis], 0)
        sides.append(same if convolution.padding == "SAME" else valid)
    return FeatureMap(channels, *sides)


def _outputs(convolutions: Sequence[topology.Convolution], layers: Sequence[Layer], fixed: bool) -> list[Tensor]:
    """What no other convolution reads; of any size unless the input's is `fixed`."""
    read = {one.source for one in convolutions}
    ends = [(one, layer) for one, layer in zip(convolutions, layers, strict=True) if one.result not in read]
    return [_output(plain(one.result), layer, fixed) for one, layer in ends]


def _output(name: str, layer: Layer, fixed: bool) -> Tensor:
    grid = (layer.writes.height, layer.writes.width) if fixed and layer.writes else (None, None)
    channels = layer.writes.channels if layer.writes else None
    return Tensor(name, "float32", (1, *grid, channels), "NHWC", layer=layer.number)


def _checkpoint(path: Path) -> Inspection:
    """A checkpoint has no graph: its variables are those of PoseNet's layers, which the importer has checked."""
    weights = tfjs_checkpoint.load(path)
    manifest = reading.parse_json(reading.read_file(path, reading.MAX_JSON_BYTES), path)
    parts, unused = _checkpoint_files(path, manifest, weights)
    layers, called = naming.named(_checkpoint_layers(weights))
    outputs = [_output(layer.file_name, layer, False) for layer in layers[len(network.BODY) :]]
    remarks = [f"not used by any published decoder: {', '.join(dict.fromkeys(unused))}"]
    return Inspection(
        path=path,
        form=tfjs_checkpoint.FORM,
        files=parts,
        inputs=(Tensor("(unnamed)", "float32", _ANY, "NHWC"),),
        outputs=naming.with_roles(outputs, layers),
        layers=layers,
        network=called,
        assumed_size=(WIDTH, HEIGHT),
        facts=(("variables", f"{len(manifest)}; the file has no graph, the layers' order is the published one"),),
        **{**_origin(weights, None), "remarks": (*weights.origin.notes, *(remarks if unused else ()))},
    )


def _checkpoint_files(
    path: Path, manifest: Mapping[str, Mapping], weights: PoseNetWeights
) -> tuple[tuple[FilePart, ...], list[str]]:
    """Every file that the manifest names, and the layers of those that are not used."""
    sums = weights.origin.files
    parts = [FilePart(name, reading.file_size(path.parent / name), digest) for name, digest in sums.items()]
    unused = []
    for variable, entry in manifest.items():
        name = reading.plain_name(entry.get("filename"), path)
        if name not in sums:
            unused.append(plain(variable.rpartition("/")[0]))
            file = path.parent / name
            if file.is_file():
                parts.append(FilePart(name, reading.file_size(file), reading.file_sha256(file), used=False))
    return tuple(parts), unused


def _checkpoint_layers(weights: PoseNetWeights) -> list[Layer]:
    reads = FeatureMap(network.INPUT_CHANNELS, HEIGHT, WIDTH)
    layers: list[Layer] = []
    for number, spec in enumerate(network.BODY):
        layer, stride = weights.body[spec.name], (spec.stride, spec.stride)
        convolution = Convolution((spec.kernel, spec.kernel), stride, (1, 1), "SAME", "relu6", spec.kind == "depthwise")
        name = tfjs_checkpoint.body_names(spec)[0].rpartition("/")[0]
        described = _layer(number, name, convolution, layer.kernel, layer.bias, reads)
        layers.append(replace(described, type=_TYPES.get(spec.kind, "Conv2D"), sources=(number - 1,)))
        reads = layers[-1].writes
    end = len(layers) - 1
    for number, (head, layer) in enumerate(weights.heads.items(), start=len(layers)):
        convolution = Convolution((1, 1), (1, 1), (1, 1), "SAME", "none")
        name = tfjs_checkpoint.head_names(head)[0].rpartition("/")[0]
        described = _layer(number, name, convolution, layer.kernel, layer.bias, reads)
        layers.append(replace(described, type="Conv2D", sources=(end,)))
    return layers
