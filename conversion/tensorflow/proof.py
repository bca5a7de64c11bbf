"""Proves, with numbers, that our graph is the published network and that what nncase gets is our graph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from conversion import network, photos
from conversion.errors import ProofError
from conversion.input_pixels import PAD_PIXEL
from conversion.metrics import sqnr_db
from conversion.posenet_weights import PoseNetWeights
from conversion.quiet_tensorflow import tf
from conversion.tensorflow import graph, published, published_tflite
from conversion.tensorflow.proof_result import QUANTISED_HEATMAP_DB, TFLITE_TOLERANCE, Differences, Proof


def prove(weights: PoseNetWeights, tflite: bytes, pads: graph.Pads = graph.SYMMETRIC_PADS) -> Proof:
    """Compare the published network with our graph, and ours with the TFLite file, on a photo; else ProofError.

    `pads` are the paddings of our graph; a test moves one of them and must see the proof fail.
    """
    original = published.published(weights)
    differing, quantised = {}, {}
    for width, height in original.sizes:
        photo = _photo(width, height)
        ours = graph.build(weights, width, height, pads)(photo)
        theirs = original.run(photo)
        if original.ranges is None:
            differing[f"{width}x{height}"] = differences(theirs, ours)
        else:
            quantised[f"{width}x{height}"] = _sqnr_within(original.ranges, ours, theirs)
    width, height, run = tflite_runner(tflite, weights)
    photo = _photo(width, height)
    ours = graph.build(weights, width, height, pads, PAD_PIXEL)(photo)
    proof = Proof(differing, original.tolerance, quantised, {f"{width}x{height}": differences(run(photo), ours)})
    _demand(proof.published, proof.tolerance, "the published network and the re-padded one")
    _demand_db(proof.published_db)
    _demand(proof.tflite, TFLITE_TOLERANCE, "the re-padded graph and the TFLite file for nncase")
    return proof


def differences(one: graph.Heads, other: graph.Heads) -> Differences:
    """Greatest absolute difference of each head."""
    return {name: float(np.abs(one[name] - other[name]).max()) for name in network.HEAD_NAMES}


def _sqnr_within(ranges: dict[str, tuple[float, float]], ours: graph.Heads, theirs: graph.Heads) -> dict[str, float]:
    """SQNR of a quantised file against our float graph, where its bytes can hold the value at all.

    The heatmap is clipped to the file's range on both sides; cells whose offsets or displacements the file clips are
    left out.
    """
    compared, reference = {}, {}
    for name, (low, high) in ranges.items():
        inside = (ours[name] > low) & (ours[name] < high) | (name == "heatmap")
        reference[name] = np.clip(ours[name], low, high)[inside]
        compared[name] = theirs[name][inside]
    return sqnr_db(reference, compared)


def tflite_runner(tflite: bytes, weights: PoseNetWeights) -> tuple[int, int, Callable[[np.ndarray], graph.Heads]]:
    """(width, height, function) of the TFLite file that `graph.to_tflite` made, run by tf.lite.Interpreter.

    The function takes uint8 [N, H, W, 3] and gives float32 [N, C, h, w] per head.
    """
    # The reference kernels: the optimised ones round more here, and differently on each processor.
    interpreter = published_tflite.interpreter(tflite, tf.lite.experimental.OpResolverType.BUILTIN_REF)
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


def _demand_db(measured: dict[str, dict[str, float]]) -> None:
    for size, heads in measured.items():
        if not heads["heatmap"] >= QUANTISED_HEATMAP_DB:
            raise ProofError(
                f"the published quantised file and the re-padded graph disagree at {size}: heatmap "
                f"{heads['heatmap']:.1f} dB, at least {QUANTISED_HEATMAP_DB:g} dB expected"
            )
