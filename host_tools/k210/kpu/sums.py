"""The one place where the emulated KPU meets the product's: layers, their arithmetic and time, and nothing else.

There is one implementation of the KPU's sums and of its time, that of `conversion.kpu`; the emulator only feeds it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import lru_cache

import numpy as np

from conversion.errors import ConversionError
from conversion.feature_map import LINE_BYTES, RAM_BYTES
from conversion.kmodel.layer import ACTIVATION_BYTES, BATCH_NORM_BYTES, KERNELS, POOL_FACTORS, KpuLayer
from conversion.kmodel.registers import WORDS, Registers
from conversion.kpu.arithmetic import LayerArithmetic
from conversion.kpu.time import cycles

__all__ = [
    "ACTIVATION_BYTES", "BATCH_NORM_BYTES", "KERNELS", "KNOWN_BITS", "LINE_BYTES", "POOL_FACTORS", "RAM_BYTES", "WORDS",
    "ConversionError", "Registers", "TimeModel", "compute", "cycles",
]  # fmt: skip

# A layer's registers -> cycles of the KPU's clock that it takes.
TimeModel = Callable[[Registers], float]

# The bits of each word that belong to a field.
KNOWN_BITS = [0] * WORDS
for _field in fields(Registers):
    _at = _field.metadata["at"]
    KNOWN_BITS[_at.word] |= (1 << _at.width) - 1 << _at.low

# Layers of a network or two, prepared: what a layer needs is proven once, not in every frame.
_PREPARED = 160


@lru_cache(_PREPARED)
def _prepared(registers: Registers, weights: bytes, batch_norm: bytes, activation: bytes) -> LayerArithmetic:
    return LayerArithmetic(KpuLayer(registers, weights, batch_norm, activation), "the KPU's layer")


@lru_cache(_PREPARED)
def _computed(
    registers: Registers, weights: bytes, batch_norm: bytes, activation: bytes, planes: bytes, shape: tuple[int, ...]
) -> np.ndarray:
    result = _prepared(registers, weights, batch_norm, activation)(np.frombuffer(planes, np.uint8).reshape(shape))
    result.flags.writeable = False
    return result


def compute(
    registers: Registers, weights: bytes, batch_norm: bytes, activation: bytes, planes: np.ndarray
) -> np.ndarray:
    """One layer of uint8 [C, H, W], not to be written to; ConversionError where its tables have no defined result.

    What the camera looks at is often the same for many frames, so the last layers' results are kept.
    """
    return _computed(registers, weights, batch_norm, activation, planes.tobytes(), planes.shape)
