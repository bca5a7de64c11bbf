"""The chain from the published network to the board: its stages by name, what worker processes get and give back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from conversion.decoding.pose import Pose
from conversion.metrics import Noise
from conversion.posenet_weights import PoseNetWeights

FLOAT, PADDED, ROUNDED, KMODEL, INTEGER, VOTED = "float", "padded", "rounded", "kmodel", "kmodel+integer", "board"
FLOAT_STAGES = (FLOAT, PADDED)
KMODEL_STAGES = (FLOAT, PADDED, ROUNDED, KMODEL, INTEGER, VOTED)


@dataclass(frozen=True)
class Setup:
    """What is evaluated; `kmodel` (a V3 file) and `card` are None for floats. `zoom` are the settings to compare."""

    weights: PoseNetWeights
    width: int
    height: int
    kmodel: bytes | None = None
    card: Mapping | None = None
    zoom: tuple[int, ...] = ()

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that there are, in the order of the chain."""
        return FLOAT_STAGES if self.kmodel is None else KMODEL_STAGES


@dataclass(frozen=True)
class Zoomed:
    """One photo as a board sees it with one value of `zoom`: poses and the single pose in pixels of the photo, and how
    often the network ran."""

    poses: Sequence[Pose]
    single: Pose
    runs: int


@dataclass(frozen=True)
class Findings:
    """One photo: by stage the poses and the single pose, keypoints in pixels of the photo; and what the kmodel loses.

    `heads` is the kmodel's noise by head, `moved` and `layers` are what `displacement.pooled` and `layers.losses` sum
    up; all are empty for floats. `zoomed`, by the value of `zoom`, and `larger`, the poses of the published network by
    the size (width, height) of its picture, are there where zoom was asked for.
    """

    photo: int
    poses: Mapping[str, Sequence[Pose]]
    singles: Mapping[str, Pose]
    heads: Mapping[str, Noise]
    moved: np.ndarray
    layers: Sequence[np.ndarray]
    zoomed: Mapping[int, Zoomed] = field(default_factory=dict)
    larger: Mapping[tuple[int, int], Sequence[Pose]] = field(default_factory=dict)
