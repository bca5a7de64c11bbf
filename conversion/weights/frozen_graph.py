"""A frozen TensorFlow graph (.pb): a GraphDef with its weights in Const nodes, as posenet-python writes it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from conversion.errors import ModelFormatError, UnsupportedModelError
from conversion.outside import reading
from conversion.outside.text import shown
from conversion.posenet_weights import FLOAT_NORMALISATION, ConvWeights, PoseNetWeights, checked
from conversion.weights import known, topology
from conversion.weights.graph_nodes import MAX_NODES, Graph, Node, check_input

FORM = "frozen graph"
# The protobuf wire format, and the fields GraphDef.node and NodeDef.name, which come first in their messages.
_VARINT, _LENGTH_DELIMITED = 0, 2
_MAX_VARINT = 10
_NODE_FIELD = _NAME_FIELD = 1
# A 1x1 kernel of the network with multiplier 1.0 has 4 MiB; there is room for its node so that it can be described.
_MAX_NODE_BYTES = 4 * 1024 * 1024 + 4096
_MAX_LIST = 8
_DT_FLOAT = 1


def recognises(head: bytes) -> bool:
    """Whether a file that begins with `head` may be a GraphDef: a node that begins with its name."""
    try:
        node, place = _varint(head, 0)
        _, place = _varint(head, place)
        name, _ = _varint(head, place)
    except IndexError:
        return False
    return node == _NODE_FIELD << 3 | _LENGTH_DELIMITED and name == _NAME_FIELD << 3 | _LENGTH_DELIMITED


def load(path: Path) -> PoseNetWeights:
    """The weights of a frozen graph for any input size, its heads named heatmap_2, offset_2, displacement_{fwd,bwd}_2.

    Raises ModelFormatError for a damaged file, UnsupportedModelError for another network.
    """
    data = reading.read_file(path)
    nodes, constants = read(data, path)
    where = str(path)
    graph = Graph(nodes, constants, where)
    body, heads = topology.body_and_heads(graph.convolutions(), graph.input(), where)
    head_weights = {
        role: ConvWeights(head.kernel, head.bias) for role, head in topology.heads_by_role(heads, where).items()
    }
    origin = known.origin(FORM, {path.name: reading.sha256(data)})
    return checked(body, head_weights, FLOAT_NORMALISATION, origin, where)


def read(data: bytes, path: Path) -> tuple[list[Node], dict[str, np.ndarray]]:
    """The nodes of a GraphDef, and its constants by name; ModelFormatError where it is damaged."""
    # TensorFlow takes seconds to import: only for the one form that needs its message definitions.
    from google.protobuf.message import DecodeError

    from conversion.quiet_tensorflow import tf

    nodes, constants = [], {}
    try:
        for record in node_records(data, path):
            node = tf.compat.v1.NodeDef.FromString(record)
            nodes.append(_node(node, path))
            if node.op == "Const":
                constants[node.name] = _constant(node, path)
    except (DecodeError, IndexError) as error:
        raise ModelFormatError(f"{path}: is not a TensorFlow graph, or is cut short ({shown(error)})") from error
    return nodes, constants


def node_records(data: bytes, path: Path) -> Iterator[memoryview]:
    """The bytes of each NodeDef in a GraphDef. IndexError where the data end too early.

    One by one, because a parsed message can take 50 times its bytes (an empty node is two bytes).
    """
    view, place, count = memoryview(data), 0, 0
    while place < len(data):
        key, place = _varint(data, place)
        size, place = _varint(data, place)
        if key & 7 == _VARINT:
            continue
        if key & 7 != _LENGTH_DELIMITED or size > len(data) - place:
            raise IndexError(f"a field of {size} bytes at byte {place}")
        if key >> 3 == _NODE_FIELD:
            count += 1
            if count > MAX_NODES or size > _MAX_NODE_BYTES:
                raise UnsupportedModelError(f"{path}: has too many nodes, or one of {size} bytes; {topology.EXPECTED}")
            yield view[place : place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """The protobuf integer at `place`, and the place behind it."""
    value = 0
    for number in range(_MAX_VARINT):
        byte = data[place + number]
        value |= (byte & 0x7F) << (7 * number)
        if byte < 0x80:
            return value, place + number + 1
    raise IndexError(f"no integer at byte {place}")


def _node(node: object, path: Path) -> Node:
    """A NodeDef as a Node, with the attributes that describe a convolution."""
    for key in ("T", "dtype"):
        if key in node.attr and node.attr[key].type != _DT_FLOAT:
            raise UnsupportedModelError(f"{path}: node {shown(node.name)} is not float32")
    if node.op == "Placeholder" and "shape" in node.attr:
        check_input([dim.size for dim in node.attr["shape"].shape.dim[:_MAX_LIST]], str(path))
    return Node(
        name=node.name,
        op=node.op,
        inputs=tuple(name for name in node.input if not name.startswith("^")),
        ints={key: tuple(node.attr[key].list.i[:_MAX_LIST]) for key in ("strides", "dilations") if key in node.attr},
        texts={
            key: node.attr[key].s.decode(errors="replace") for key in ("padding", "data_format") if key in node.attr
        },
    )


def _constant(node: object, path: Path) -> np.ndarray:
    tensor = node.attr["value"].tensor
    if tensor.dtype != _DT_FLOAT:
        raise UnsupportedModelError(f"{path}: the constant {shown(node.name)} is not float32")
    sizes = [dim.size for dim in tensor.tensor_shape.dim[:_MAX_LIST]]
    shape = reading.dimensions(sizes, f"the constant {shown(node.name)}", path)
    content = tensor.tensor_content
    values = np.frombuffer(content, "<f4") if len(content) % 4 == 0 and content else np.array(tensor.float_val, "<f4")
    if values.size != math.prod(shape):
        raise ModelFormatError(f"{path}: the constant {shown(node.name)} of shape {shape} has {values.size} numbers")
    return values.reshape(shape)
