"""Weights and photos in, nncase's compiled network out, with the proofs that belong to it; kept by content."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata

import numpy as np

from conversion import input_pixels, photos
from conversion.errors import CompilerError
from conversion.keeping import kept
from conversion.kmodel import v5
from conversion.kmodel.kpu_network import KpuNetwork
from conversion.nncase import agreement, compiler
from conversion.nncase.agreement import Agreement
from conversion.posenet_weights import PoseNetWeights
from conversion.progress import Talk, bar
from conversion.quantisation import quantise
from conversion.quantisation.quantise import QuantisedNetwork
from conversion.tensorflow import reference
from conversion.tensorflow.proof_result import Proof

# Where nncase compiles and calibrates when we plan the KPU's RAM: its own planner fails above about 256x256. The
# layers do not depend on the size.
COMPILE_SIZE = (256, 192)


_WHERE = "nncase's kmodel"


@dataclass(frozen=True)
class Compiled:
    """nncase's V5 file (uninitialised bits masked), the network in it, and what was proved on the way.

    `codes` is how many weights were read back from the file and found to be those that our rounding chose; None
    where nncase rounded them itself.
    """

    kmodel: bytes
    network: KpuNetwork
    proof: Proof
    agreement: Agreement
    codes: int | None


def nncase_version() -> str:
    """The version of nncase here, without importing it."""
    try:
        return metadata.version("nncase")
    except metadata.PackageNotFoundError:
        raise CompilerError("nncase is not installed in this Python; run `make setup` (CPython 3.10)") from None


def compile_weights(
    weights: PoseNetWeights,
    pictures: np.ndarray,
    calibrated: bool,
    talk: Talk,
    progress: bool = False,
    quantised: QuantisedNetwork | None = None,
) -> Compiled:
    """Export, prove, round, compile, compare: `pictures` are uint8 [N, H, W, 3], at the size to compile for.

    `calibrated` rounds the weights by `quantise`, or takes the network that has been `quantised`; else nncase rounds.
    `progress` allows a progress bar. Raises ProofError where a proof fails and CompilerError where nncase does.
    """
    _, height, width, _ = pictures.shape
    talk("proving that our graph is the published network")
    tflite = reference.tflite(weights, width, height)
    proof = reference.proof(weights, tflite)
    planes = photos.planes(pictures)
    if calibrated:
        if quantised is None:
            talk(f"rounding the weights, calibrated on {len(pictures)} pictures")
            quantised = _quantised(weights, pictures, progress)
        else:
            talk("rounding the weights as is shipped for them")
        talk(f"compiling with nncase at {width}x{height}")
        graph = kept("tflite", quantise.to_tflite, quantised, width, height, read=compiler.checked_tflite)
        kmodel = _compiled(graph, quantise.planes(quantised), quantise.input_range(quantised))
        network = v5.read(kmodel, _WHERE)
        codes = quantise.verify(network, quantised)
        network = quantise.with_head_scales(network, quantised)
    else:
        talk(f"compiling with nncase at {width}x{height}, calibrated on {len(pictures)} pictures")
        kmodel = _compiled(tflite, planes, input_pixels.value_range(weights.normalisation))
        network, codes = v5.read(kmodel, _WHERE), None
    talk("comparing our KPU simulator with nncase's")
    agreed = agreement.check(kmodel, planes[:1])
    return Compiled(kmodel, network, proof, agreed, codes)


def _quantised(weights: PoseNetWeights, pictures: np.ndarray, progress: bool) -> QuantisedNetwork:
    with bar(progress) as report:
        read = QuantisedNetwork.from_bytes
        return kept("quantised", quantise.quantise_to_bytes, weights, pictures, read=read, report=report)


def _compiled(tflite: bytes, planes: np.ndarray, input_range: tuple[float, float]) -> bytes:
    def read(data: bytes) -> bytes:
        return v5.masked(data, _WHERE)

    return kept("kmodel-v5", compiler.compile_kmodel, tflite, planes, input_range, read=read)
