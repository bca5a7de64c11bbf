"""The tfjs checkpoint: its numbers, its unused heads, and a manifest that lies."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from conversion import weights
from conversion.errors import ConversionError, ModelFormatError, UnsupportedModelError
from conversion.posenet_weights import PoseNetWeights
from conversion.weights import tfjs_checkpoint

FIRST = "MobilenetV1/Conv2d_0/weights"


@pytest.fixture
def copy(checkpoint_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoint_folder, tmp_path / "copy"))


def edit(folder: Path, change: Callable[[dict], object]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_numbers_arrive_unchanged(checkpoint_folder: Path, random_weights: PoseNetWeights) -> None:
    loaded = weights.load(checkpoint_folder)
    assert loaded.digest() == random_weights.digest()
    assert loaded.origin.form == "tfjs checkpoint"
    assert str(loaded.origin).startswith("unknown, 63 files, sha256 ")


def test_the_form_is_told_from_the_content(copy: Path, random_weights: PoseNetWeights) -> None:
    (copy / "manifest.json").rename(copy / "anything")
    assert weights.load(copy / "anything").digest() == random_weights.digest()


def test_unused_heads_need_not_be_there(copy: Path, random_weights: PoseNetWeights) -> None:
    for path in copy.glob("*_1_*"):
        if "Conv2d" not in path.name:
            path.unlink()
    edit(copy, lambda m: [m.pop(name) for name in list(m) if "_1/" in name and "Conv2d" not in name])
    assert weights.load(copy).digest() == random_weights.digest()


def test_the_published_checkpoint_is_known(published_models: Path) -> None:
    loaded = weights.load(published_models / "tfjs-checkpoint", known_only=True)
    assert str(loaded.origin) == "known: tfjs-checkpoint-075"
    assert len(loaded.origin.files) == 63


EDITS = {
    "missing": (lambda m: m.pop(FIRST), UnsupportedModelError, f"lacks the variable {FIRST}"),
    "another network": (
        lambda m: m.update({"resnet/conv1/weights": m.pop(FIRST)}),
        UnsupportedModelError,
        "has the variable resnet/conv1/weights; expected PoseNet MobileNetV1 0.75",
    ),
    "multiplier 1.0": (lambda m: m[FIRST].update(shape=[3, 3, 3, 32]), UnsupportedModelError, "shape (3, 3, 3, 32)"),
    "parent": (lambda m: m[FIRST].update(filename="../x"), ModelFormatError, "not a plain file name"),
    "absolute": (lambda m: m[FIRST].update(filename="/etc/passwd"), ModelFormatError, "not a plain file name"),
    "no text": (lambda m: m[FIRST].update(filename=7), ModelFormatError, "not a plain file name"),
    "itself": (lambda m: m[FIRST].update(filename="manifest.json"), ModelFormatError, "names the file manifest.json"),
    "twice": (
        lambda m: m[FIRST].update(filename="MobilenetV1_Conv2d_1_depthwise_depthwise_weights"),
        ModelFormatError,
        "bytes, the manifest needs 2592",
    ),
    "absent": (lambda m: m[FIRST].update(filename="absent"), ModelFormatError, "No such file"),
    "no entry": (lambda m: m.update({FIRST: None}), ConversionError, "accepted: "),
    "no shape": (lambda m: m[FIRST].update(shape=None), ModelFormatError, "has the shape None"),
    "huge": (lambda m: m[FIRST].update(shape=[10**12]), ModelFormatError, "has the shape"),
}


@pytest.mark.parametrize(("change", "error", "message"), EDITS.values(), ids=EDITS.keys())
def test_each_lie_in_the_manifest_is_told(
    copy: Path, change: Callable[[dict], object], error: type[ConversionError], message: str
) -> None:
    edit(copy, change)
    with pytest.raises(error) as caught:
        weights.load(copy)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\0", lambda data: b""])
def test_a_variable_of_another_length(copy: Path, change: Callable[[bytes], bytes]) -> None:
    path = copy / "MobilenetV1_Conv2d_0_weights"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ModelFormatError, match="bytes, the manifest needs 2592"):
        weights.load(copy)


def test_an_entry_that_is_none_below_recognition(copy: Path) -> None:
    edit(copy, lambda m: m.update({FIRST: None}))
    with pytest.raises(ModelFormatError, match="has no file name and shape"):
        tfjs_checkpoint.load(copy / "manifest.json")


def test_numbers_that_are_none(copy: Path) -> None:
    path = copy / "MobilenetV1_heatmap_2_biases"
    numbers = np.fromfile(path, "<f4")
    numbers[3] = np.nan
    numbers.tofile(path)
    with pytest.raises(ModelFormatError, match="layer heatmap holds the number nan"):
        weights.load(copy)
