"""Shows that our KPU simulator computes what nncase's own does: the same bytes for the same compiled network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from conversion import cache
from conversion.errors import ProofError
from conversion.kmodel import assemble
from conversion.kmodel.kpu_network import Head, KpuNetwork
from conversion.kmodel.plan import plan
from conversion.kpu.simulator import Kpu
from conversion.nncase import compiler

_SOURCES = (
    "kpu/simulator.py",
    "kpu/arithmetic.py",
    "kpu/activation.py",
    "kpu/memory.py",
    "kmodel/plan.py",
    "kmodel/assemble.py",
    "kmodel/v5.py",
    "kmodel/v5_code.py",
    "kmodel/v5_stackvm.py",
)


@dataclass(frozen=True)
class Agreement:
    """How many head bytes were compared with nncase's simulator, at which size; none of them differed."""

    size: str
    pictures: int
    values: int


def check(kmodel: bytes, network: KpuNetwork, planes: np.ndarray) -> Agreement:
    """Relink the network at its own size, run uint8 [N, 3, H, W] pictures, compare every byte with nncase.Simulator.

    ProofError if one differs. Kept by content.
    """
    digest = cache.key(kmodel, planes.tobytes(), *cache.sources(*_SOURCES))
    kept = cache.cached("agreement", digest, lambda: json.dumps(asdict(_compare(kmodel, network, planes))).encode())
    return Agreement(**json.loads(kept))


def _compare(kmodel: bytes, network: KpuNetwork, planes: np.ndarray) -> Agreement:
    source = network.source
    kpu = Kpu(assemble.assemble(network, plan(network, source.width, source.height)))
    expected = head_bytes(compiler.simulate(kmodel, planes), network.heads)
    for number, picture in enumerate(planes):
        for name, ours, theirs in zip(range(len(expected)), kpu.run(picture)[1:], expected, strict=True):
            different = int((ours != theirs[number].ravel()).sum())
            if different:
                raise ProofError(
                    f"the KPU simulator and nncase's differ in {different} of {ours.size} bytes of head {name} on "
                    f"picture {number}; nothing is written"
                )
    return Agreement(f"{source.width}x{source.height}", len(planes), sum(head.size for head in expected))


def head_bytes(dequantised: Sequence[np.ndarray], heads: Sequence[Head]) -> list[np.ndarray]:
    """The bytes behind nncase's float32 outputs; ProofError if they are not exactly byte * scale + bias."""
    return [_bytes_behind(output, head) for output, head in zip(dequantised, heads, strict=True)]


def _bytes_behind(output: np.ndarray, head: Head) -> np.ndarray:
    exact = output.astype(np.float64) / head.scale + head.zero_point
    nearest = np.rint(exact)
    inside = nearest.min() >= 0 and nearest.max() <= 255
    if not (inside and np.abs(exact - nearest).max() < 1e-3):
        raise ProofError("nncase's simulator gave values that no byte stands for")
    return nearest.astype(np.uint8)
