"""The frozen graph (.pb): its numbers through Identity nodes and two kinds of bias, and graphs of other networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from conversion import weights
from conversion.errors import ConversionError, ModelFormatError, UnsupportedModelError
from conversion.posenet_weights import PoseNetWeights
from conversion.weights import frozen_graph as importer
from tests.conversion.weights.memory import peak_of

import tensorflow as tf  # isort: skip

FIRST = "MobilenetV1/Conv2d_0/weights"


@pytest.fixture
def graph(frozen_graph: bytes) -> tf.compat.v1.GraphDef:
    return tf.compat.v1.GraphDef.FromString(frozen_graph)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "any-name"


def node(graph: tf.compat.v1.GraphDef, name: str) -> tf.compat.v1.NodeDef:
    return next(node for node in graph.node if node.name == name)


def test_numbers_arrive_unchanged(frozen_graph: bytes, path: Path, random_weights: PoseNetWeights) -> None:
    path.write_bytes(frozen_graph)
    loaded = weights.load(path)
    assert loaded.digest() == random_weights.digest()
    assert loaded.origin.form == "frozen graph"


def test_a_pb_made_from_the_checkpoint_is_the_checkpoint(published_models: Path, path: Path) -> None:
    from tests.conversion.weights import tf_files

    checkpoint = weights.load(published_models / "tfjs-checkpoint")
    path.write_bytes(tf_files.frozen_graph(checkpoint))
    assert weights.load(path).digest() == checkpoint.digest()


def test_numbers_in_the_other_field(graph: tf.compat.v1.GraphDef, path: Path, random_weights: PoseNetWeights) -> None:
    """Some writers put numbers into float_val rather than tensor_content."""
    tensor = node(graph, FIRST).attr["value"].tensor
    tensor.float_val.extend(np.frombuffer(tensor.tensor_content, "<f4").tolist())
    tensor.tensor_content = b""
    path.write_bytes(graph.SerializeToString())
    assert weights.load(path).digest() == random_weights.digest()


def strided(name: str) -> Callable[[tf.compat.v1.GraphDef], None]:
    def change(graph: tf.compat.v1.GraphDef) -> None:
        node(graph, name).attr["strides"].list.i[:] = (1, 2, 2, 1)

    return change


def short(graph: tf.compat.v1.GraphDef) -> None:
    tensor = node(graph, FIRST).attr["value"].tensor
    tensor.tensor_content = tensor.tensor_content[:-4]


def claim(*sizes: int) -> Callable[[tf.compat.v1.GraphDef], None]:
    """A constant that says it has this shape, one number given for all: TensorFlow would repeat it."""

    def change(graph: tf.compat.v1.GraphDef) -> None:
        value = node(graph, FIRST).attr["value"]
        value.tensor.Clear()
        value.tensor.dtype = 1
        value.tensor.float_val.append(1.0)
        for size in sizes:
            value.tensor.tensor_shape.dim.add().size = size

    return change


def add_node(op: str) -> Callable[[tf.compat.v1.GraphDef], None]:
    return lambda graph: graph.node.add(name="another", op=op, input=["image"])


def ring(graph: tf.compat.v1.GraphDef) -> None:
    node(graph, f"{FIRST}/read").input[0] = f"{FIRST}/read"


EDITS = {
    "stride": (strided("MobilenetV1/depthwise_11"), UnsupportedModelError, "output stride 32"),
    "pool": (add_node("MaxPool"), UnsupportedModelError, "operators that this network lacks (MaxPool)"),
    "batch norm": (add_node("FusedBatchNormV3"), UnsupportedModelError, "(FusedBatchNormV3)"),
    "two inputs": (add_node("Placeholder"), UnsupportedModelError, "has 2 inputs"),
    "short": (short, ModelFormatError, "of shape (3, 3, 3, 24) has 647 numbers"),
    "repeated": (claim(3, 3, 3, 24), ModelFormatError, "of shape (3, 3, 3, 24) has 1 numbers"),
    "huge": (claim(10**8, 10**8), ModelFormatError, "has 1 numbers"),
    "absurd": (claim(2**62, 2**62), ModelFormatError, "has the shape"),
    "negative": (claim(-1, 24), ModelFormatError, "has the shape"),
    "ring": (ring, ModelFormatError, "Identity nodes in a row"),
    "integers": (
        lambda graph: setattr(node(graph, FIRST).attr["value"].tensor, "dtype", 3),
        UnsupportedModelError,
        "is not float32",
    ),
    "head": (
        lambda graph: setattr(node(graph, "displacement_bwd_2"), "name", "elsewhere"),
        UnsupportedModelError,
        "has no name of this network's",
    ),
}


@pytest.mark.parametrize(("change", "error", "message"), EDITS.values(), ids=EDITS.keys())
def test_other_graphs_are_told(
    graph: tf.compat.v1.GraphDef,
    path: Path,
    change: Callable[[tf.compat.v1.GraphDef], object],
    error: type[ConversionError],
    message: str,
) -> None:
    change(graph)
    graph.ClearField("versions")
    path.write_bytes(graph.SerializeToString())

    def refuse() -> None:
        with pytest.raises(error) as caught:
            weights.load(path)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)

    assert peak_of(refuse) < 4 * len(graph.SerializeToString()) + 1_000_000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x0a\x05\x0a\x03abc", "operators that this network lacks"),
        (b"\x0a\x7f\x0a" + bytes(30), "cut short"),
        (b"\x0a\x03\x0a\x03x", "cut short"),
        (b"\x0a\x05\x0a\x03abc" + b"\xff" * 20, "cut short"),
        (b"\x0a\x05\x0a\x03abc" + b"\x0a\x00" * 1_000_000, "too many nodes"),
        (b"\x0a\xff\xff\xff\x03\x0a\x03abc" + bytes(9 << 20), "too many nodes, or one of 8388607 bytes"),
    ],
)
def test_what_only_begins_like_a_graph(path: Path, data: bytes, words: str) -> None:
    path.write_bytes(data)
    with pytest.raises(ConversionError, match=words):
        weights.load(path)


def test_a_graph_cut_short(frozen_graph: bytes, path: Path) -> None:
    path.write_bytes(frozen_graph[: len(frozen_graph) // 2])
    with pytest.raises(ModelFormatError, match="is not a TensorFlow graph, or is cut short"):
        weights.load(path)


def test_only_this_form_imports_tensorflow() -> None:
    import subprocess
    import sys

    code = "import sys; from conversion import weights; assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(importer.__file__).parents[2])
