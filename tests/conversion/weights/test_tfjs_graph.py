"""The tfjs graph model: sound files give their numbers, every lie in the JSON or the shards is told in one line."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from conversion import weights
from conversion.errors import ConversionError, ModelFormatError, UnsupportedModelError
from conversion.posenet_weights import PoseNetWeights
from conversion.weights import tfjs_graph
from tests.conversion.weights.memory import peak_of

JSON = "model-stride16.json"
SHARDS = ("group1-shard1of2.bin", "group1-shard2of2.bin")


@pytest.fixture
def copy(tfjs_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tfjs_folder, tmp_path / "copy"))


def test_numbers_arrive_unchanged(tfjs_folder: Path, random_weights: PoseNetWeights) -> None:
    loaded = weights.load(tfjs_folder)
    assert loaded.digest() == random_weights.digest()
    assert loaded.normalisation.scale * 255 + loaded.normalisation.offset == 1
    assert loaded.origin.form == "tfjs graph model"
    assert loaded.origin.name is None
    assert set(loaded.origin.files) == {JSON, *SHARDS}
    assert str(loaded.origin).startswith("unknown, model-stride16.json sha256 ")


def test_folder_and_json_are_the_same(tfjs_folder: Path) -> None:
    assert weights.load(tfjs_folder / JSON).digest() == weights.load(tfjs_folder).digest()


def test_the_form_is_told_from_the_content(copy: Path, random_weights: PoseNetWeights) -> None:
    (copy / JSON).rename(copy / "no-extension")
    assert weights.load(copy).digest() == random_weights.digest()
    assert weights.load(copy / "no-extension").digest() == random_weights.digest()


def test_known_only_refuses_unknown_files_with_their_sums(tfjs_folder: Path) -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        weights.load(tfjs_folder, known_only=True)
    assert str(caught.value).count("sha256 ") == 3
    assert "\n" not in str(caught.value)


def test_the_published_files_are_known(published_models: Path) -> None:
    loaded = weights.load(published_models / "tfjs-graph", known_only=True)
    assert str(loaded.origin) == "known: tfjs-graph-075-stride16"
    assert loaded.body["depthwise1"].kernel.max() == pytest.approx(224, abs=1)


def test_the_published_graph_is_given_whole(tfjs_folder: Path, random_weights: PoseNetWeights) -> None:
    nodes, constants = tfjs_graph.published_graph(tfjs_folder)
    assert sum(node["op"] == "Const" for node in nodes["node"]) == len(constants) == 62
    kernel = constants["MobilenetV1/Conv2d_0/weights"]
    assert np.array_equal(kernel, random_weights.body["conv0"].kernel)
    assert tfjs_graph.published_graph(tfjs_folder / JSON)[0] == nodes


def edit(folder: Path, change: Callable[[dict], object]) -> None:
    document = json.loads((folder / JSON).read_text())
    change(document)
    (folder / JSON).write_text(json.dumps(document))


def node(document: dict, name: str) -> dict:
    return next(node for node in document["modelTopology"]["node"] if node["name"].endswith(name))


def entry(document: dict, name: str) -> dict:
    return next(entry for entry in document["weightsManifest"][0]["weights"] if entry["name"].endswith(name))


def ints(*values: int) -> dict:
    return {"list": {"i": list(values)}}


EDITS = {
    "no topology": (lambda d: d.update(modelTopology=None), ModelFormatError, "no modelTopology"),
    "layers model": (lambda d: d["modelTopology"].pop("node"), UnsupportedModelError, "layers model"),
    "no manifest": (lambda d: d.update(weightsManifest=3), ModelFormatError, "no modelTopology"),
    "group": (lambda d: d["weightsManifest"].append(7), ModelFormatError, "list of groups"),
    "parent": (lambda d: d["weightsManifest"][0].update(paths=["../x"]), ModelFormatError, "not a plain file name"),
    "absolute": (lambda d: d["weightsManifest"][0].update(paths=["/etc/x"]), ModelFormatError, "not a plain file name"),
    "dot": (lambda d: d["weightsManifest"][0].update(paths=["."]), ModelFormatError, "not a plain file name"),
    "nul": (lambda d: d["weightsManifest"][0].update(paths=["a\0b"]), ModelFormatError, "not a plain file name"),
    "number": (lambda d: d["weightsManifest"][0].update(paths=[1]), ModelFormatError, "not a plain file name"),
    "absent": (lambda d: d["weightsManifest"][0].update(paths=["absent"]), ModelFormatError, "No such file"),
    "twice": (lambda d: d["weightsManifest"][0].update(paths=[SHARDS[0]] * 2), ModelFormatError, "twice"),
    "one shard": (lambda d: d["weightsManifest"][0].update(paths=[SHARDS[0]]), ModelFormatError, "the shards hold"),
    "shape": (lambda d: entry(d, "Conv2d_0/weights").update(shape=[3, 3, 24]), ModelFormatError, "the shards hold"),
    "huge": (lambda d: entry(d, "Conv2d_0/weights").update(shape=[10**8] * 4), ModelFormatError, "the shards hold"),
    "beyond": (lambda d: entry(d, "Conv2d_0/weights").update(shape=[10**9]), ModelFormatError, "has the shape"),
    "negative": (lambda d: entry(d, "Conv2d_0/weights").update(shape=[-1, 3]), ModelFormatError, "has the shape"),
    "fraction": (lambda d: entry(d, "Conv2d_0/weights").update(shape=[3.0, 3]), ModelFormatError, "has the shape"),
    "turned": (lambda d: entry(d, "Conv2d_0/weights").update(shape=[24, 3, 3, 3]), ModelFormatError, "in the manifest"),
    "quantised": (
        lambda d: entry(d, "Conv2d_0/weights").update(quantization={"dtype": "uint8"}),
        UnsupportedModelError,
        "take the float model",
    ),
    "int32": (lambda d: entry(d, "Conv2d_0/weights").update(dtype="int32"), UnsupportedModelError, "take the float"),
    "renamed": (lambda d: entry(d, "Conv2d_0/weights").update(name="other"), ModelFormatError, "differ: MobilenetV1/"),
    "same name": (
        lambda d: entry(d, "heatmap_2/weights").update(name="MobilenetV1/Conv2d_0/weights"),
        ModelFormatError,
        "twice",
    ),
    "stride 2": (
        lambda d: node(d, "Conv2d_12_depthwise/BiasAdd/conv")["attr"].update(strides=ints(1, 2, 2, 1)),
        UnsupportedModelError,
        "output stride 32 (MobilenetV1/MobilenetV1/Conv2d_12_depthwise/BiasAdd/conv has stride (2, 2), not 1)",
    ),
    "stride 1": (
        lambda d: node(d, "Conv2d_0/BiasAdd/conv")["attr"].update(strides=ints(1, 1, 1, 1)),
        UnsupportedModelError,
        "output stride 8",
    ),
    "dilated": (
        lambda d: node(d, "Conv2d_13_depthwise/BiasAdd/conv")["attr"].update(dilations=ints(1, 2, 2, 1)),
        UnsupportedModelError,
        "is dilated by (2, 2)",
    ),
    "valid": (
        lambda d: node(d, "Conv2d_0/BiasAdd/conv")["attr"].update(padding={"s": "VkFMSUQ="}),
        UnsupportedModelError,
        "padding VALID, expected SAME",
    ),
    "nchw": (
        lambda d: node(d, "Conv2d_0/BiasAdd/conv")["attr"].update(data_format={"s": "TkNIVw=="}),
        UnsupportedModelError,
        "not in NHWC order",
    ),
    "relu": (lambda d: node(d, "Conv2d_5_depthwise/Relu6").update(op="Relu"), UnsupportedModelError, "(Relu)"),
    "max pool": (
        lambda d: d["modelTopology"]["node"].append({"name": "p", "op": "MaxPool", "input": ["sub_2"]}),
        UnsupportedModelError,
        "holds 18 Conv2D, 13 DepthwiseConv2dNative and operators that this network lacks (MaxPool)",
    ),
    "loose": (
        lambda d: d["modelTopology"]["node"].append({"name": "p", "op": "Relu6", "input": ["sub_2"]}),
        UnsupportedModelError,
        "1 operators belong to no convolution",
    ),
    "same node": (
        lambda d: d["modelTopology"]["node"].append(dict(d["modelTopology"]["node"][-1])),
        ModelFormatError,
        "two nodes have the same name",
    ),
    "no input": (lambda d: node(d, "sub_2").update(op="NoOp"), UnsupportedModelError, "has 0 inputs"),
    "grey": (
        lambda d: node(d, "sub_2")["attr"]["shape"]["shape"]["dim"][3].update(size="1"),
        UnsupportedModelError,
        "expected [1, H, W, 3]",
    ),
    "dangling": (
        lambda d: node(d, "Conv2d_3_depthwise/BiasAdd/conv")["input"].__setitem__(0, "nowhere"),
        ModelFormatError,
        "an input names nowhere",
    ),
    "skipped block": (
        lambda d: node(d, "Conv2d_9_depthwise/BiasAdd/conv")["input"].__setitem__(
            0, "MobilenetV1/MobilenetV1/Conv2d_7_pointwise/Relu6"
        ),
        UnsupportedModelError,
        "2 convolutions at the place of depthwise8",
    ),
    "kernels exchanged": (
        lambda d: node(d, "Conv2d_0/BiasAdd/conv")["input"].__setitem__(1, "MobilenetV1/heatmap_2/weights"),
        UnsupportedModelError,
        "Conv2d_0/BiasAdd/conv is a conv layer of shape 1x1x384x17",
    ),
    "unknown head": (
        lambda d: rename_head(d, "displacement_fwd"),
        UnsupportedModelError,
        "elsewhere/BiasAdd/conv of 32 channels has no name of this network's",
    ),
    "half precision": (
        lambda d: node(d, "Conv2d_0/BiasAdd/conv")["attr"].update(T={"type": "DT_HALF"}),
        UnsupportedModelError,
        "is not float32",
    ),
    "malformed": (lambda d: node(d, "Conv2d_0/BiasAdd/conv").update(attr=[]), ModelFormatError, "malformed"),
    "bad base64": (
        lambda d: node(d, "Conv2d_0/BiasAdd/conv")["attr"].update(padding={"s": "?"}),
        ModelFormatError,
        "malformed",
    ),
}


def rename_head(document: dict, head: str) -> None:
    for name in (f"{head}_2/BiasAdd/conv", f"{head}_2/BiasAdd"):
        node(document, name)["name"] = name.replace(f"{head}_2", "elsewhere")
    node(document, "elsewhere/BiasAdd")["input"][0] = "elsewhere/BiasAdd/conv"


@pytest.mark.parametrize("head", ["heatmap", "offset"])
def test_a_head_without_a_name_is_told_by_its_channels(copy: Path, tfjs_folder: Path, head: str) -> None:
    edit(copy, lambda document: rename_head(document, head))
    assert weights.load(copy).digest() == weights.load(tfjs_folder).digest()


@pytest.mark.parametrize(("change", "error", "message"), EDITS.values(), ids=EDITS.keys())
def test_each_lie_in_the_json_is_told(
    copy: Path, change: Callable[[dict], object], error: type[ConversionError], message: str
) -> None:
    edit(copy, change)
    with pytest.raises(error) as caught:
        weights.load(copy)
    assert message in str(caught.value)
    assert str(copy / JSON) in str(caught.value) or "absent" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no model in this folder"),
        (b"{", "is not valid JSON"),
        (b'{"a": 1}', "no model in this folder"),
        (b"[" * 100_000, "no model in this folder"),
        (b'{"a":' * 100_000, "is not valid JSON"),
        (b"{" + b" " * (4 << 20), "more than any file of this kind"),
        (b'{"weightsManifest": [], "modelTopology": {"node": []}}', "has 0 inputs"),
    ],
)
def test_a_json_that_is_none(copy: Path, content: bytes, message: str) -> None:
    (copy / JSON).write_bytes(content)
    with pytest.raises(ConversionError, match=message):
        weights.load(copy)


@pytest.mark.parametrize("change", [lambda data: data[:-4], lambda data: data + b"\0\0\0\0", lambda data: b""])
@pytest.mark.parametrize("shard", SHARDS)
def test_a_shard_of_another_length(copy: Path, shard: str, change: Callable[[bytes], bytes]) -> None:
    data = (copy / shard).read_bytes()
    (copy / shard).write_bytes(change(data))
    with pytest.raises(ModelFormatError, match="the manifest needs 5032780 bytes of weights, the shards hold"):
        weights.load(copy)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e30])
def test_numbers_that_no_network_has(copy: Path, number: float) -> None:
    data = np.fromfile(copy / SHARDS[1], "<f4")
    data[77] = number
    data.tofile(copy / SHARDS[1])
    with pytest.raises(ModelFormatError, match=r"layer \w+ holds"):
        weights.load(copy)


def test_a_manifest_that_lies_about_sizes_takes_no_memory(copy: Path) -> None:
    size = sum(path.stat().st_size for path in copy.iterdir())
    edit(copy, lambda d: entry(d, "Conv2d_0/weights").update(shape=[10**8] * 4))

    def refuse() -> None:
        with pytest.raises(ModelFormatError):
            weights.load(copy)

    assert peak_of(refuse) < size


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(bytes(1000), mtime=0), "is a gzip archive, not weights: unpack it"),
        (b"<!DOCTYPE html><title>404</title>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
    ],
    ids=["gzip", "page", "pointer"],
)
def test_a_shard_that_is_something_else_is_named(copy: Path, content: bytes, said: str) -> None:
    (copy / SHARDS[1]).write_bytes(content)
    with pytest.raises(ModelFormatError, match=rf"{SHARDS[1]}: {said}"):
        weights.load(copy)


def test_a_quantised_model_is_named(copy: Path) -> None:
    document = json.loads((copy / JSON).read_text())
    for one in document["weightsManifest"][0]["weights"]:
        one["quantization"] = {"dtype": "uint8", "min": -1.0, "scale": 0.01}
    (copy / JSON).write_text(json.dumps(document))
    with pytest.raises(UnsupportedModelError, match=rf"{JSON}: .*quantised.*take the float model"):
        weights.load(copy)
