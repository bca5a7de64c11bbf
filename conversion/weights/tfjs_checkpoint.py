"""The older tfjs checkpoint: manifest.json and one file of float32 numbers per variable."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from conversion import network
from conversion.errors import ModelFormatError, UnsupportedModelError
from conversion.network import LayerSpec
from conversion.outside import reading
from conversion.outside.text import shown
from conversion.posenet_weights import FLOAT_NORMALISATION, ConvWeights, PoseNetWeights, checked
from conversion.weights import known
from conversion.weights.topology import EXPECTED

FORM = "tfjs checkpoint"
_SCOPE = "MobilenetV1"


def recognises(document: Mapping[str, object]) -> bool:
    """Whether a JSON document is the manifest of this form: every entry is a variable with file name and shape."""
    return bool(document) and all(
        isinstance(entry, dict) and {"filename", "shape"} <= entry.keys() for entry in document.values()
    )


def load(path: Path) -> PoseNetWeights:
    """The weights of the checkpoint whose manifest is `path`; the variables' files lie beside it.

    The `*_1` heads, which no published decoder uses, are not read. Raises ModelFormatError for a damaged file,
    UnsupportedModelError for another network.
    """
    raw = reading.read_file(path, reading.MAX_JSON_BYTES)
    manifest = reading.parse_json(raw, path)
    shapes = _shapes()
    _check_names(manifest, shapes, path)
    sums = {path.name: reading.sha256(raw)}
    variables = {name: _variable(name, shape, manifest[name], path, sums) for name, shape in shapes.items()}
    body = {spec.name: ConvWeights(*(variables[name] for name in body_names(spec))) for spec in network.BODY}
    heads = {head: ConvWeights(*(variables[name] for name in head_names(head))) for head in network.HEAD_NAMES}
    return checked(body, heads, FLOAT_NORMALISATION, known.origin(FORM, sums), str(path))


def body_names(spec: LayerSpec) -> tuple[str, str]:
    """The published names of a layer's kernel and bias."""
    if spec.kind == "conv":
        return f"{_SCOPE}/Conv2d_0/weights", f"{_SCOPE}/Conv2d_0/biases"
    block = f"{_SCOPE}/Conv2d_{spec.name.removeprefix(spec.kind)}_{spec.kind}"
    return f"{block}/{'depthwise_weights' if spec.kind == 'depthwise' else 'weights'}", f"{block}/biases"


def head_names(head: str, version: int = 2) -> tuple[str, str]:
    """The published names of a head's kernel and bias: version 2 is in use, version 1 lies beside it unused."""
    return f"{_SCOPE}/{head}_{version}/weights", f"{_SCOPE}/{head}_{version}/biases"


def _shapes() -> dict[str, tuple[int, ...]]:
    """Every variable that is read, with its shape."""
    shapes: dict[str, tuple[int, ...]] = {}
    for spec in network.BODY:
        kernel, bias = body_names(spec)
        shapes |= {kernel: spec.kernel_shape, bias: (spec.out_channels,)}
    for head in network.HEADS:
        kernel, bias = head_names(head.name)
        shapes |= {kernel: (1, 1, network.FEATURE_CHANNELS, head.channels), bias: (head.channels,)}
    return shapes


def _check_names(manifest: Mapping[str, object], shapes: Mapping[str, object], path: Path) -> None:
    unused = {name for head in network.HEAD_NAMES for name in head_names(head, 1)}
    odd = sorted(manifest.keys() - shapes.keys() - unused)
    missing = sorted(shapes.keys() - manifest.keys())
    if odd or missing:
        what = f"has the variable {shown(odd[0])}" if odd else f"lacks the variable {missing[0]}"
        raise UnsupportedModelError(f"{path}: {what}; {EXPECTED}")


def _variable(name: str, shape: tuple[int, ...], entry: object, path: Path, sums: dict[str, str]) -> np.ndarray:
    if not isinstance(entry, dict):
        raise ModelFormatError(f"{path}: the variable {name} has no file name and shape")
    stated = reading.dimensions(entry.get("shape"), f"the variable {name}", path)
    if stated != shape:
        raise UnsupportedModelError(f"{path}: the variable {name} has the shape {stated}, not {shape}; {EXPECTED}")
    file = path.parent / reading.plain_name(entry.get("filename"), path)
    if file.name in sums:
        raise ModelFormatError(f"{path}: names the file {file.name} twice")
    needed = 4 * math.prod(shape)
    if reading.file_size(file) != needed:
        reading.check_no_other(file)
        raise ModelFormatError(f"{file}: has {reading.file_size(file)} bytes, the manifest needs {needed}")
    data = reading.read_file(file, needed)
    sums[file.name] = reading.sha256(data)
    return np.frombuffer(data, "<f4").reshape(shape)
