"""The TensorFlow forms looked into: any size, published names, heads that nothing uses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from conversion import network
from conversion.errors import ModelFormatError, UnsupportedModelError
from conversion.feature_map import FeatureMap
from conversion.inspection import inspect
from conversion.inspection.model import INPUT, Inspection


def check_posenet(found: Inspection) -> None:
    """What holds for all three forms."""
    assert found.network == "PoseNet MobileNetV1 0.75, output stride 16"
    assert found.refusal is None
    assert [layer.name for layer in found.layers[:27]] == [spec.name for spec in network.BODY]
    assert {layer.name for layer in found.layers[27:]} == set(network.HEAD_NAMES)
    assert (found.parameters, found.parameter_bytes) == (1_258_195, 5_032_780)
    assert found.assumed_size == (321, 241)
    assert found.inputs[0].shape == (1, None, None, 3)
    assert found.layers[0].writes == FeatureMap(24, 121, 161)
    assert found.layers[27].writes.height == network.resolution(241)
    assert [layer.sources for layer in found.layers[:27]] == [(number - 1,) for number in range(27)]
    assert found.layers[0].sources == (INPUT,)
    assert {layer.sources for layer in found.layers[27:]} == {(26,)}
    assert all(layer.convolution.dilation == (1, 1) for layer in found.layers)


def test_a_tfjs_graph_model(tfjs_folder: Path) -> None:
    found = inspect(tfjs_folder)
    check_posenet(found)
    assert found.form == "tfjs graph model"
    assert [part.name for part in found.files] == [
        "model-stride16.json", "group1-shard1of2.bin", "group1-shard2of2.bin",
    ]  # fmt: skip
    assert found.bytes == sum(path.stat().st_size for path in tfjs_folder.iterdir())
    assert [(output.name, output.role) for output in found.outputs] == [
        ("MobilenetV1/offset_2/BiasAdd", "offset"),
        ("MobilenetV1/heatmap_2/BiasAdd", "heatmap"),
        ("MobilenetV1/displacement_fwd_2/BiasAdd", "displacement_fwd"),
        ("MobilenetV1/displacement_bwd_2/BiasAdd", "displacement_bwd"),
    ]
    assert found.outputs[0].shape == (1, None, None, 34)


def test_a_checkpoint_and_its_unused_heads(checkpoint_folder: Path) -> None:
    found = inspect(checkpoint_folder)
    check_posenet(found)
    assert found.form == "tfjs checkpoint"
    assert len(found.files) == 71
    assert {part.name for part in found.files if not part.used} == {
        f"MobilenetV1_{head}_1_{what}" for head in network.HEAD_NAMES for what in ("weights", "biases")
    }
    (remark,) = found.remarks
    assert all(f"MobilenetV1/{head}_1" in remark for head in network.HEAD_NAMES)
    assert found.layers[3].file_name == "MobilenetV1/Conv2d_2_depthwise"


def test_a_checkpoint_whose_unused_heads_are_not_there(checkpoint_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(checkpoint_folder, folder)
    for path in folder.glob("*_1_*"):
        if path.name.removeprefix("MobilenetV1_").startswith(("heatmap", "offset", "displacement")):
            path.unlink()
    found = inspect(folder)
    assert len(found.files) == 63
    assert all(part.used for part in found.files)


def test_a_frozen_graph(frozen_graph: bytes, tmp_path: Path) -> None:
    path = tmp_path / "whatever.bin"
    path.write_bytes(frozen_graph)
    found = inspect(path)
    check_posenet(found)
    assert found.form == "frozen graph"
    assert [output.name for output in found.outputs] == [f"{name}_2" for name in network.HEAD_NAMES]
    assert found.inputs[0].name == "image"


def test_a_graph_of_a_fixed_size(tfjs_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "fixed"
    shutil.copytree(tfjs_folder, folder)
    path = folder / "model-stride16.json"
    document = json.loads(path.read_text())
    placeholder = document["modelTopology"]["node"][0]
    placeholder["attr"]["shape"]["shape"]["dim"] = [{"size": size} for size in ("1", "353", "257", "3")]
    path.write_text(json.dumps(document))
    found = inspect(folder)
    assert found.assumed_size is None
    assert found.inputs[0].map == FeatureMap(3, 353, 257)
    assert found.outputs[0].shape == (1, 23, 17, 34)


def test_nodes_in_any_order(tfjs_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reversed"
    shutil.copytree(tfjs_folder, folder)
    path = folder / "model-stride16.json"
    document = json.loads(path.read_text())
    document["modelTopology"]["node"].reverse()
    path.write_text(json.dumps(document))
    check_posenet(inspect(folder))


def test_damage_and_other_networks_are_one_line(tfjs_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    shutil.copytree(tfjs_folder, folder)
    (folder / "group1-shard2of2.bin").write_bytes(b"short")
    with pytest.raises(ModelFormatError) as caught:
        inspect(folder)
    assert "\n" not in str(caught.value)
    path = folder / "model-stride16.json"
    document = json.loads(path.read_text())
    document["modelTopology"]["node"][-1]["op"] = "Softmax"
    shutil.copy(tfjs_folder / "group1-shard2of2.bin", folder)
    path.write_text(json.dumps(document))
    with pytest.raises(UnsupportedModelError, match="Softmax"):
        inspect(folder)


def test_what_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    with pytest.raises(UnsupportedModelError, match=r"or a kmodel V3, V4 or V5, or a firmware for the K210$"):
        inspect(path)
    with pytest.raises(ModelFormatError, match="cannot be read"):
        inspect(tmp_path / "nothing")
    path.write_bytes(b"")
    with pytest.raises(ModelFormatError, match="is empty"):
        inspect(path)


def test_the_published_files(published_models: Path) -> None:
    graph, checkpoint = inspect(published_models / "tfjs-graph"), inspect(published_models / "tfjs-checkpoint")
    assert (graph.known, checkpoint.known) == ("tfjs-graph-075-stride16", "tfjs-checkpoint-075")
    assert graph.macs == checkpoint.macs
    assert graph.macs.useful == 582_693_264
