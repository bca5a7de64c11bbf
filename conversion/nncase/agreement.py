"""Shows that our KPU simulator computes what nncase's own does: the same bytes for the same compiled network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from conversion.errors import ProofError
from conversion.keeping import kept
from conversion.kmodel import assemble, v5
from conversion.kmodel.kpu_network import Head
from conversion.kmodel.plan import plan
from conversion.kpu.simulator import Kpu
from conversion.nncase import compiler


@dataclass(frozen=True)
class Agreement:
    """How many head bytes were compared with nncase's simulator, at which size; none of them differed."""

    size: str
    pictures: int
    values: int


def check(kmodel: bytes, planes: np.ndarray) -> Agreement:
    """Relink nncase's V5 file at its own size, run uint8 [N, 3, H, W] pictures, compare every byte with its simulator.

    ProofError if one differs. Kept by content.
    """
    return kept("agreement", _compare, kmodel, planes, read=_agreement)


def _agreement(data: bytes) -> Agreement:
    """What `_compare` has kept; ValueError or TypeError for anything else."""
    found = Agreement(**json.loads(data))
    if [type(value) for value in asdict(found).values()] != [str, int, int]:
        raise ValueError("no agreement")
    return found


def _compare(kmodel: bytes, planes: np.ndarray) -> bytes:
    network = v5.read(kmodel, "nncase's kmodel")
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
    values = sum(head.size for head in expected)
    return json.dumps(asdict(Agreement(f"{source.width}x{source.height}", len(planes), values))).encode()


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
