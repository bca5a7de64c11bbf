"""What TensorFlow says about weights: TFLite export, proof, float heads. Kept by content, so that it is asked once.

TensorFlow takes seconds to import: everything here is looked up in the cache first.
"""

from __future__ import annotations

import io
from importlib import metadata

import numpy as np

from conversion import network
from conversion.keeping import kept
from conversion.posenet_weights import PoseNetWeights
from conversion.tensorflow.proof_result import Proof


def tensorflow_version() -> str:
    """The version of TensorFlow here, without importing it; its CPU-only package has another name."""
    for package in ("tensorflow-cpu", "tensorflow"):
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return "not installed"


def tflite(weights: PoseNetWeights, width: int, height: int) -> bytes:
    """The graph that nncase compiles, at one size."""
    return kept("tflite", _tflite, weights, width, height, read=_checked_tflite)


def _checked_tflite(data: bytes) -> bytes:
    if data[4:8] != b"TFL3":
        raise ValueError("no TFLite file")
    return data


def proof(weights: PoseNetWeights, tflite_file: bytes) -> Proof:
    """The proof that published graph, our graph and TFLite file agree; ProofError if they do not."""
    return kept("proof", _proof, weights, tflite_file, read=Proof.from_json)


def float_heads(weights: PoseNetWeights, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """Heads of the float network: uint8 [N, H, W, 3] -> float32 [N, C, h, w] by name, in real units."""
    return kept("float-heads", _float_heads, weights, pictures, read=lambda data: _heads(data, len(pictures)))


def _heads(data: bytes, count: int) -> dict[str, np.ndarray]:
    """The heads of `count` pictures; ValueError for anything else."""
    with np.load(io.BytesIO(data)) as arrays:
        heads = dict(arrays)
    shapes = {spec.name: (count, spec.channels) for spec in network.HEADS}
    if {name: head.shape[:2] for name, head in heads.items()} != shapes:
        raise ValueError("other heads")
    return heads


def _tflite(weights: PoseNetWeights, width: int, height: int) -> bytes:
    from conversion.tensorflow import graph

    return graph.to_tflite(weights, width, height)


def _proof(weights: PoseNetWeights, tflite_file: bytes) -> bytes:
    from conversion.tensorflow import proof as proving

    return proving.prove(weights, tflite_file).to_json()


def _float_heads(weights: PoseNetWeights, pictures: np.ndarray) -> bytes:
    from conversion.tensorflow import graph

    _, height, width, _ = pictures.shape
    packed = io.BytesIO()
    np.savez(packed, **graph.build(weights, width, height)(pictures))
    return packed.getvalue()
