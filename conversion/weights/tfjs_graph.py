"""The tfjs graph model (model JSON and weight shards), the form that PoseNet is published in today."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from conversion.errors import ModelFormatError, UnsupportedModelError
from conversion.outside import reading
from conversion.outside.text import shown
from conversion.posenet_weights import FLOAT_NORMALISATION, ConvWeights, PoseNetWeights, checked
from conversion.weights import known, topology
from conversion.weights.graph_nodes import MAX_NODES, Graph, Node, check_input

FORM = "tfjs graph model"
MODEL_FILE = "model-stride16.json"
_FLOAT = "DT_FLOAT"


def recognises(document: Mapping[str, object]) -> bool:
    """Whether a JSON document is one of this form (a tfjs layers model is not)."""
    return "weightsManifest" in document and "modelTopology" in document


def load(path: Path) -> PoseNetWeights:
    """The weights of the graph model whose JSON is `path`; its shards lie beside it.

    Raises ModelFormatError for a damaged file, UnsupportedModelError for another network.
    """
    topology_json, constants, sums = read(path)
    where = str(path)
    nodes = nodes_of(topology_json, constants, path)
    graph = Graph(nodes, constants, where)
    body, heads = topology.body_and_heads(graph.convolutions(), graph.input(), where)
    by_role = topology.heads_by_role(heads, where)
    head_weights = {role: ConvWeights(head.kernel, head.bias) for role, head in by_role.items()}
    return checked(body, head_weights, FLOAT_NORMALISATION, known.origin(FORM, sums), where)


def published_graph(folder: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """The published graph itself: `modelTopology` (a GraphDef in JSON) and every constant, float32, by node name.

    `folder` holds a graph model (or is the path of its JSON). Raises as `load` does, without looking at the network.
    """
    path = folder if not folder.is_dir() else folder / MODEL_FILE
    topology_json, constants, _ = read(path)
    return topology_json, constants


def read(path: Path) -> tuple[dict, dict[str, np.ndarray], dict[str, str]]:
    """A model.json with its shards: modelTopology, the constants by name, and the SHA-256 of each file by name."""
    raw = reading.read_file(path, reading.MAX_JSON_BYTES)
    document = reading.parse_json(raw, path)
    topology_json, manifest = document.get("modelTopology"), document.get("weightsManifest")
    if not isinstance(topology_json, dict) or not isinstance(manifest, list):
        raise ModelFormatError(f"{path}: is not a tfjs graph model: no modelTopology with a weightsManifest")
    if "node" not in topology_json:
        raise UnsupportedModelError(f"{path}: is a tfjs layers model; take the graph model of PoseNet instead")
    constants: dict[str, np.ndarray] = {}
    sums = {path.name: reading.sha256(raw)}
    for group in manifest:
        _read_group(group, path, constants, sums)
    return topology_json, constants, sums


def _read_group(group: object, path: Path, constants: dict[str, np.ndarray], sums: dict[str, str]) -> None:
    """One group of the manifest: the weights one after another in the bytes of its shards, used exactly."""
    if not isinstance(group, dict) or not all(isinstance(group.get(key), list) for key in ("paths", "weights")):
        raise ModelFormatError(f"{path}: its weightsManifest is not a list of groups with paths and weights")
    entries = [_entry(entry, path) for entry in group["weights"]]
    shards = [path.parent / reading.plain_name(name, path) for name in group["paths"]]
    needed = sum(4 * math.prod(shape) for _, shape in entries)
    _check_sizes(shards, needed, path)
    data = b"".join(_shard(shard, sums, path) for shard in shards)
    start = 0
    for name, shape in entries:
        if name in constants:
            raise ModelFormatError(f"{path}: the manifest has the weights {shown(name)} twice")
        count = math.prod(shape)
        constants[name] = np.frombuffer(data, "<f4", count, start).reshape(shape)
        start += 4 * count


def _check_sizes(shards: list[Path], needed: int, path: Path) -> None:
    if len(set(shards)) != len(shards):
        raise ModelFormatError(f"{path}: its weightsManifest names a shard twice")
    held = sum(reading.file_size(shard) for shard in shards)
    if held != needed or needed > reading.MAX_FILE_BYTES:
        for shard in shards:
            reading.check_no_other(shard)
        raise ModelFormatError(f"{path}: the manifest needs {needed} bytes of weights, the shards hold {held}")


def _shard(shard: Path, sums: dict[str, str], path: Path) -> bytes:
    if shard.name in sums:
        raise ModelFormatError(f"{path}: its weightsManifest names {shard.name} twice")
    data = reading.read_file(shard)
    sums[shard.name] = reading.sha256(data)
    return data


def _entry(entry: object, path: Path) -> tuple[str, tuple[int, ...]]:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise ModelFormatError(f"{path}: an entry of its weightsManifest has no name")
    name = entry["name"]
    if entry.get("dtype") != "float32" or "quantization" in entry:
        raise UnsupportedModelError(f"{path}: the weights {shown(name)} are stored quantised; take the float model")
    return name, reading.dimensions(entry.get("shape"), f"the weights {shown(name)}", path)


def nodes_of(topology_json: Mapping, constants: Mapping[str, np.ndarray], path: Path) -> list[Node]:
    """The nodes of a modelTopology; ModelFormatError for a malformed one."""
    entries = topology_json["node"]
    if not isinstance(entries, list) or len(entries) > MAX_NODES:
        raise ModelFormatError(f"{path}: modelTopology is not a list of at most {MAX_NODES} nodes")
    try:
        nodes = [_node(entry, path) for entry in entries]
        _check_constants([entry for entry in entries if entry["op"] == "Const"], constants, path)
        return nodes
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFormatError(f"{path}: a node of modelTopology is malformed ({shown(repr(error))})") from error


def _node(entry: Mapping, path: Path) -> Node:
    attributes = entry.get("attr", {})
    node = Node(
        name=_text(entry["name"]),
        op=_text(entry["op"]),
        inputs=tuple(_text(name) for name in entry.get("input", ()) if not name.startswith("^")),
        ints={key: _ints(value["list"]) for key, value in attributes.items() if "list" in value},
        texts={key: _bytes_text(value["s"]) for key, value in attributes.items() if "s" in value},
    )
    for key in ("T", "dtype"):
        if key in attributes and attributes[key].get("type") != _FLOAT:
            raise UnsupportedModelError(f"{path}: node {shown(node.name)} is not float32")
    if node.op == "Placeholder" and "shape" in attributes:
        check_input(_shape(attributes["shape"]["shape"]), str(path))
    return node


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{shown(value)} where a text is expected")
    return value


def _bytes_text(value: str) -> str:
    return base64.b64decode(value, validate=True).decode()


def _ints(value: Mapping) -> tuple[int, ...]:
    """A list attribute of integers; JSON writes 64-bit integers as texts."""
    return tuple(int(item) for item in value.get("i", ()))


def _shape(value: Mapping) -> tuple[int, ...]:
    return tuple(int(dim["size"]) for dim in value.get("dim", ()))


def _check_constants(entries: list[Mapping], constants: Mapping[str, np.ndarray], path: Path) -> None:
    """Every Const node has exactly its weights in the manifest, with the shape that the node states."""
    stated = {entry["name"]: _shape(entry["attr"]["value"]["tensor"]["tensorShape"]) for entry in entries}
    if stated.keys() != constants.keys():
        odd = shown(", ".join(sorted(stated.keys() ^ constants.keys())))
        raise ModelFormatError(f"{path}: its Const nodes and its weightsManifest differ: {odd}")
    for name, shape in stated.items():
        if constants[name].shape != shape:
            raise ModelFormatError(
                f"{path}: {shown(name)} is {shape} in the graph, {constants[name].shape} in the manifest"
            )
