"""What TensorFlow says about weights: TFLite export, proof, float heads. Kept by content, so that it is asked once.

TensorFlow takes seconds to import: everything here is looked up in the cache first.
"""

from __future__ import annotations

import io
from importlib import metadata

import numpy as np

from conversion import cache
from conversion.tensorflow.proof_result import Proof
from conversion.weights.model import PoseNetWeights

_GRAPH_SOURCES = ("tensorflow/graph.py", "network.py", "kpu/input.py")
_PROOF_SOURCES = (*_GRAPH_SOURCES, "tensorflow/proof.py", "tensorflow/published.py", "tensorflow/published_tflite.py")


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

    def make() -> bytes:
        from conversion.tensorflow import graph

        return graph.to_tflite(weights, width, height)

    digest = cache.key(weights.digest(), f"{width}x{height}", _version(_GRAPH_SOURCES))
    return cache.cached("tflite", digest, make)


def proof(weights: PoseNetWeights, tflite_file: bytes) -> Proof:
    """The proof that published graph, our graph and TFLite file agree; ProofError if they do not."""

    def make() -> bytes:
        from conversion.tensorflow import proof as proving

        return proving.prove(weights, tflite_file).to_json()

    digest = cache.key(weights.digest(), repr(weights.origin.files), tflite_file, _version(_PROOF_SOURCES))
    return Proof.from_json(cache.cached("proof", digest, make))


def float_heads(weights: PoseNetWeights, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """Heads of the float network: uint8 [N, H, W, 3] -> float32 [N, C, h, w] by name, in real units."""

    def make() -> bytes:
        from conversion.tensorflow import graph

        _, height, width, _ = pictures.shape
        packed = io.BytesIO()
        np.savez(packed, **graph.build(weights, width, height)(pictures))
        return packed.getvalue()

    digest = cache.key(weights.digest(), repr(pictures.shape), pictures.tobytes(), _version(_GRAPH_SOURCES))
    with np.load(io.BytesIO(cache.cached("float-heads", digest, make))) as heads:
        return dict(heads)


def _version(sources: tuple[str, ...]) -> str:
    return cache.key(tensorflow_version(), *cache.sources(*sources))
