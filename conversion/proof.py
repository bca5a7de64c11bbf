"""Proves, with numbers, that our graph is the published network and that what nncase gets is our graph."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from conversion import graph, network, photos, published
from conversion.errors import ProofError
from conversion.kpu_input import PAD_PIXEL
from conversion.proof_result import PUBLISHED_TOLERANCE, TFLITE_TOLERANCE, Differences, Proof
from conversion.weights.model import PoseNetWeights

import tensorflow as tf  # isort: skip  (after conversion.graph, which sets its environment)

# Sizes 16n + 1, where SAME pads evenly and both paddings are the same network.
PUBLISHED_SIZES = ((321, 241), (225, 225))


def prove(weights: PoseNetWeights, tflite: bytes, pads: graph.Pads = graph.SYMMETRIC_PADS) -> Proof:
    """Compare published graph with ours, and ours with the TFLite file, on a photo; ProofError if they disagree.

    `pads` are the paddings of our graph; a test moves one of them and must see the proof fail.
    """
    original = published.runner(weights)
    against_published = {}
    for width, height in PUBLISHED_SIZES:
        photo = _photo(width, height)
        ours = graph.build(weights, width, height, pads)
        against_published[f"{width}x{height}"] = differences(original(photo), ours(photo))
    width, height, run = tflite_runner(tflite, weights)
    photo = _photo(width, height)
    ours = graph.build(weights, width, height, pads, PAD_PIXEL)
    proof = Proof(against_published, {f"{width}x{height}": differences(run(photo), ours(photo))})
    _demand(proof.published, PUBLISHED_TOLERANCE, "the published graph and the re-padded one")
    _demand(proof.tflite, TFLITE_TOLERANCE, "the re-padded graph and the TFLite file for nncase")
    return proof


def differences(one: graph.Heads, other: graph.Heads) -> Differences:
    """Greatest absolute difference of each head."""
    return {name: float(np.abs(one[name] - other[name]).max()) for name in network.HEAD_NAMES}


def tflite_runner(tflite: bytes, weights: PoseNetWeights) -> tuple[int, int, Callable[[np.ndarray], graph.Heads]]:
    """(width, height, function) of the TFLite file that `graph.to_tflite` made, run by tf.lite.Interpreter.

    The function takes uint8 [N, H, W, 3] and gives float32 [N, C, h, w] per head.
    """
    # The reference kernels: the optimised ones round more, and differently on each processor.
    kernels = tf.lite.experimental.OpResolverType.BUILTIN_REF
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated")
        interpreter = tf.lite.Interpreter(model_content=tflite, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    (image,) = interpreter.get_input_details()
    outputs = sorted(interpreter.get_output_details(), key=lambda output: output["name"])
    _, height, width, _ = image["shape"]

    def run(pictures: np.ndarray) -> graph.Heads:
        results: dict[str, list[np.ndarray]] = {name: [] for name in network.HEAD_NAMES}
        for picture in pictures:
            centred = (picture[None].astype(np.float32) - PAD_PIXEL) * np.float32(weights.normalisation.scale)
            interpreter.set_tensor(image["index"], centred)
            interpreter.invoke()
            for name, output in zip(network.HEAD_NAMES, outputs, strict=True):
                results[name].append(np.moveaxis(interpreter.get_tensor(output["index"])[0], -1, 0))
        return {name: np.stack(heads) for name, heads in results.items()}

    return int(width), int(height), run


def _photo(width: int, height: int) -> np.ndarray:
    return photos.letterbox(photos.bundled(photos.SAMPLE), width, height)[None]


def _demand(measured: dict[str, Differences], tolerance: float, what: str) -> None:
    for size, heads in measured.items():
        name, worst = max(heads.items(), key=lambda head: head[1])
        if not worst <= tolerance:
            raise ProofError(f"{what} disagree at {size}: {name} by {worst:.3g}, allowed {tolerance:g}")
