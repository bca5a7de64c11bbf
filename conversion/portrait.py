"""Pictures that lie on their side in memory: rows and columns exchanged, from upright to memory and back.

The exchange is its own inverse; what it is good for says `kmodel/turning.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from conversion import network

# Heads in pixels hold y in the first half of their channels, x in the second.
HAS_AXES = {spec.name: spec.unit == "px" for spec in network.HEADS}


def transposed(planes: np.ndarray) -> np.ndarray:
    """Planes [..., H, W] as [..., W, H]."""
    return np.ascontiguousarray(np.swapaxes(planes, -1, -2))


def axes_exchanged(channels: np.ndarray) -> np.ndarray:
    """Channels [C, ...], the halves for y and x changed over."""
    return np.roll(channels, len(channels) // 2, axis=0)


def heads(found: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Heads [C, h, w] by name of a picture as those of the transposed one, [C, w, h]."""
    return {name: transposed(axes_exchanged(head) if HAS_AXES[name] else head) for name, head in found.items()}


def keypoints(found: np.ndarray) -> np.ndarray:
    """Keypoints [..., 3] (x, y, score), x and y exchanged."""
    return found[..., [1, 0, 2]]


def wire(pose: Mapping) -> dict:
    """A pose as a board sends it, {score, keypoints [[x16, y16, s255] x 17]}, x and y exchanged."""
    return {**pose, "keypoints": [[y, x, score] for x, y, score in pose["keypoints"]]}


def size(of: Sequence[int]) -> tuple[int, int]:
    """(width, height) exchanged."""
    return of[1], of[0]
