"""Kmodels of networks run on the simulated KPU: all heads of some pictures as one string of bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from conversion.kmodel import v3
from conversion.kmodel.assemble import assemble
from conversion.kmodel.kpu_network import KpuNetwork
from conversion.kmodel.plan import plan
from conversion.kmodel.v3 import V3Model
from conversion.kpu.simulator import Kpu


def model(network: KpuNetwork, width: int, height: int) -> V3Model:
    """The kmodel as it reads back from its file."""
    return v3.read(v3.write(assemble(network, plan(network, width, height))), "test")


def heads(made: V3Model, pictures: Sequence[np.ndarray]) -> bytes:
    """All heads of all pictures, uint8 [C, H, W]."""
    kpu = Kpu(made)
    return b"".join(head.tobytes() for picture in pictures for head in kpu.run(picture)[1:])


def noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng([width, height]).integers(0, 256, (3, height, width), np.uint8)
