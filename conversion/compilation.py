"""Weights and photos in, nncase's compiled network out, with the proofs that belong to it; kept by content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

import numpy as np

from conversion import agreement, cache, compiler, kpu_input, photos, reference
from conversion.agreement import Agreement
from conversion.errors import CompilerError
from conversion.kmodel import v5
from conversion.kmodel.kpu_network import KpuNetwork
from conversion.proof_result import Proof
from conversion.weights.model import PoseNetWeights

# Where nncase compiles and calibrates when we plan the KPU's RAM: its own planner fails above about 256x256. The
# layers do not depend on the size.
COMPILE_SIZE = (256, 192)

_WHERE = "nncase's kmodel"
_SOURCES = ("compiler.py", "nncase_worker.py", "kmodel/v5.py", "kmodel/v5_code.py", "kmodel/v5_container.py")


@dataclass(frozen=True)
class Compiled:
    """nncase's V5 file (uninitialised bits masked), the network in it, and what was proved on the way."""

    kmodel: bytes
    network: KpuNetwork
    proof: Proof
    agreement: Agreement


def nncase_version() -> str:
    """The version of nncase here, without importing it."""
    try:
        return metadata.version("nncase")
    except metadata.PackageNotFoundError:
        raise CompilerError("nncase is not installed in this Python; run `make setup` (CPython 3.10)") from None


def compile_weights(weights: PoseNetWeights, pictures: np.ndarray, talk: Callable[[str], None]) -> Compiled:
    """Export, prove, compile, compare: `pictures` are uint8 [N, H, W, 3], at the size to compile for.

    Raises ProofError where a proof fails and CompilerError where nncase does.
    """
    _, height, width, _ = pictures.shape
    talk("proving that our graph is the published network")
    tflite = reference.tflite(weights, width, height)
    proof = reference.proof(weights, tflite)
    talk(f"compiling with nncase at {width}x{height}, calibrated on {len(pictures)} pictures")
    planes = photos.planes(pictures)
    kmodel = _compiled(weights, tflite, planes)
    network = v5.read(kmodel, _WHERE)
    talk("comparing our KPU simulator with nncase's")
    return Compiled(kmodel, network, proof, agreement.check(kmodel, network, planes[:1]))


def _compiled(weights: PoseNetWeights, tflite: bytes, planes: np.ndarray) -> bytes:
    input_range = kpu_input.value_range(weights.normalisation)

    def make() -> bytes:
        return v5.masked(compiler.compile_kmodel(tflite, planes, input_range), _WHERE)

    version = cache.key(nncase_version(), *cache.sources(*_SOURCES))
    digest = cache.key(tflite, repr(planes.shape), planes.tobytes(), repr(input_range), version)
    return cache.cached("kmodel-v5", digest, make)
