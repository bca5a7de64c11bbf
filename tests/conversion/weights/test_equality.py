"""Each published form, run by its own runtime, against our graph of the imported weights: the same network."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from conversion import network, photos, weights
from conversion.posenet_weights import ConvWeights, PoseNetWeights
from conversion.tensorflow import graph
from conversion.weights import tfjs_graph
from tests.conversion.weights import runtimes, tf_files, tflite_edits, weight_files

# A size 16n + 1, where TensorFlow's SAME padding and our symmetric padding are the same; the float TFLite's own.
WIDTH, HEIGHT = tf_files.TFLITE_WIDTH, tf_files.TFLITE_HEIGHT
CORAL_WIDTH, CORAL_HEIGHT = 481, 353
TOLERANCE = 1e-3
PB_OUTPUTS = {name: f"{name}_2" for name in network.HEAD_NAMES}
TFJS_OUTPUTS = {name: f"MobilenetV1/{name}_2/BiasAdd" for name in network.HEAD_NAMES}

Run = Callable[[np.ndarray, PoseNetWeights], runtimes.Heads]


def picture(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    return photos.letterbox(photos.bundled(photos.SAMPLE), width, height)[None]


def ours(imported: PoseNetWeights, pixels: np.ndarray) -> runtimes.Heads:
    _, height, width, _ = pixels.shape
    return {name: head[0] for name, head in graph.build(imported, width, height)(pixels).items()}


def largest_difference(imported: PoseNetWeights, run: Run) -> dict[str, float]:
    """Largest absolute difference per head, in logits and pixels, on one photo."""
    pixels = picture()
    theirs = run(pixels, imported)
    found = ours(imported, pixels)
    assert all(np.ptp(head) > 1 for head in theirs.values())
    return {name: float(np.abs(found[name] - theirs[name]).max()) for name in network.HEAD_NAMES}


def checkpoint_runner(folder: Path) -> Run:
    """The checkpoint's numbers, read raw, in the published graph: a checkpoint has no graph of its own."""
    scope = "MobilenetV1"

    def constant(name: str) -> np.ndarray:
        variable = name.removeprefix(f"{scope}/{scope}/").removeprefix(f"{scope}/")
        variable = variable.replace("Conv2D_bias", "biases").replace("depthwise_bias", "biases")
        return np.fromfile(folder / f"{scope}_{variable.replace('/', '_')}", "<f4")

    def run(pixels: np.ndarray, imported: PoseNetWeights) -> runtimes.Heads:
        nodes, shaped = weight_files.graph(imported)
        constants = {name: constant(name).reshape(array.shape) for name, array in shaped.items()}
        definition = runtimes.tfjs_graph({"node": nodes}, constants)
        return runtimes.run_graph(definition, "sub_2", TFJS_OUTPUTS, pixels, imported.normalisation)

    return run


def tfjs_runner(folder: Path) -> Run:
    definition = runtimes.tfjs_graph(*tfjs_graph.published_graph(folder))
    return lambda pixels, imported: runtimes.run_graph(
        definition, "sub_2", TFJS_OUTPUTS, pixels, imported.normalisation
    )


def pb_runner(data: bytes) -> Run:
    definition = runtimes.parsed_graph(data)
    return lambda pixels, imported: runtimes.run_graph(definition, "image", PB_OUTPUTS, pixels, imported.normalisation)


def tflite_runner(data: bytes) -> Run:
    return lambda pixels, imported: runtimes.run_tflite(data, pixels, imported.normalisation)[0]


@pytest.fixture(params=["random", "real"])
def source(request: pytest.FixtureRequest) -> PoseNetWeights:
    """Random weights; and, where the published files are at hand, those of the real checkpoint."""
    if request.param == "random":
        return request.getfixturevalue("random_weights")
    return weights.load(request.getfixturevalue("published_models") / "tfjs-checkpoint")


def loaded(path: Path, data: bytes) -> PoseNetWeights:
    path.write_bytes(data)
    return weights.load(path)


def test_tfjs_graph_model(source: PoseNetWeights, tmp_path: Path) -> None:
    weight_files.write_tfjs_graph(tmp_path, source)
    assert max(largest_difference(weights.load(tmp_path), tfjs_runner(tmp_path)).values()) < TOLERANCE


def test_the_published_tfjs_graph_model(published_models: Path) -> None:
    folder = published_models / "tfjs-graph"
    assert max(largest_difference(weights.load(folder), tfjs_runner(folder)).values()) < TOLERANCE


def test_tfjs_checkpoint(source: PoseNetWeights, tmp_path: Path) -> None:
    weight_files.write_tfjs_checkpoint(tmp_path, source)
    assert max(largest_difference(weights.load(tmp_path), checkpoint_runner(tmp_path)).values()) < TOLERANCE


def test_the_published_tfjs_checkpoint(published_models: Path) -> None:
    folder = published_models / "tfjs-checkpoint"
    assert max(largest_difference(weights.load(folder), checkpoint_runner(folder)).values()) < TOLERANCE


def test_frozen_graph(source: PoseNetWeights, tmp_path: Path) -> None:
    data = tf_files.frozen_graph(source)
    imported = loaded(tmp_path / "model", data)
    assert imported.digest() == source.digest()
    assert max(largest_difference(imported, pb_runner(data)).values()) < TOLERANCE


def test_float_tflite(source: PoseNetWeights, tmp_path: Path) -> None:
    data = tf_files.float_tflite(source)
    imported = loaded(tmp_path / "model", data)
    assert imported.digest() == source.digest()
    assert max(largest_difference(imported, tflite_runner(data)).values()) < TOLERANCE


def test_another_number_anywhere_is_seen(random_weights: PoseNetWeights, float_tflite: bytes) -> None:
    """The negative control: the comparison fails where a layer, a head or the pixels' normalisation differ."""
    run = tflite_runner(float_tflite)
    layer = random_weights.body["depthwise7"]
    changed = ConvWeights(layer.kernel[::-1], layer.bias)
    wrong_body = dataclasses.replace(random_weights, body={**random_weights.body, "depthwise7": changed})
    forward, backward = (random_weights.heads[name] for name in ("displacement_fwd", "displacement_bwd"))
    exchanged = {**random_weights.heads, "displacement_fwd": backward, "displacement_bwd": forward}
    wrong_heads = dataclasses.replace(random_weights, heads=exchanged)
    for wrong in (wrong_body, wrong_heads):
        assert max(largest_difference(wrong, run).values()) > 0.1


def decibel(imported: PoseNetWeights, data: bytes, pixels: np.ndarray) -> dict[str, float]:
    """SQNR per head of a quantised file's outputs against our float graph.

    The heatmap is clipped to the file's range on both sides (the rest is certainly no keypoint); the others are
    compared where the float network stays inside that range.
    """
    theirs, ranges = runtimes.run_tflite(data, pixels, imported.normalisation)
    found = ours(imported, pixels)
    result = {}
    for name in network.HEAD_NAMES:
        low, high = ranges[name]
        inside = np.ones(found[name].shape, bool) if name == "heatmap" else (found[name] > low) & (found[name] < high)
        assert inside.mean() > 0.5
        signal = np.clip(found[name], low, high)[inside]
        noise = signal - theirs[name][inside]
        result[name] = float(10 * np.log10((signal**2).sum() / (noise**2).sum()))
    return result


def test_coral_of_random_weights(coral_tflite: bytes, tmp_path: Path) -> None:
    imported = loaded(tmp_path / "model", coral_tflite)
    measured = decibel(imported, tflite_edits.without_decoder(coral_tflite), picture())
    assert min(measured.values()) > 15, measured


def test_coral_as_published(published_models: Path) -> None:
    path = published_models / "coral" / "posenet_mobilenet_v1_075_353_481_quant_decoder.tflite"
    photo = photos.read(published_models / "coral" / "test_couple.jpg")
    pixels = photos.letterbox(photo, CORAL_WIDTH, CORAL_HEIGHT)[None]
    measured = decibel(weights.load(path), tflite_edits.without_decoder(path.read_bytes()), pixels)
    assert measured["heatmap"] >= 35, measured
    assert min(measured.values()) >= 20, measured


def test_checkpoint_and_graph_model_are_nearly_the_same(published_models: Path) -> None:
    graph_model = weights.load(published_models / "tfjs-graph")
    checkpoint = weights.load(published_models / "tfjs-checkpoint")
    pairs = [
        (one, getattr(checkpoint_part[name], kind))
        for part, checkpoint_part in ((graph_model.body, checkpoint.body), (graph_model.heads, checkpoint.heads))
        for name, layer in part.items()
        for kind, one in (("kernel", layer.kernel), ("bias", layer.bias))
    ]
    differences = np.concatenate([np.abs(one - other).ravel() for one, other in pairs])
    assert differences.size == 1_258_195
    assert 0 < np.count_nonzero(differences) < 300_000
    assert differences.max() < 1e-5
