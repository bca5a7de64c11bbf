"""The firmware's decoder against tfjs's algorithm in floats, on the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from conversion.decoding import board_decoder
from conversion.decoding.dialects import tfjs
from conversion.decoding.pose import Pose
from tests.firmware import synthetic

# What rounding to 1/64 pixel and then to 1/16 may cost; further off, a position was rounded into another cell.
TOLERANCE_PX = 1 / 16


@dataclass
class Agreement:
    """`flips` are keypoints, of `keypoints`, that landed in another cell, and all of poses that only one side has."""

    keypoints: int = 0
    flips: int = 0
    worst_px: float = 0.0
    worst_score: float = 0.0

    def add(self, ours: list[board_decoder.BoardPose], theirs: list[Pose]) -> None:
        """Count one picture's poses, which come in the same order."""
        missing = abs(len(ours) - len(theirs)) * tfjs.PARTS
        self.keypoints += max(len(ours), len(theirs)) * tfjs.PARTS
        self.flips += missing
        for pose, other in zip(ours, theirs, strict=False):
            wire = np.array(pose.wire["keypoints"], float) / (16, 16, 255)
            off = np.abs(wire[:, :2] - other.keypoints[:, :2]).max(axis=1)
            near = off <= TOLERANCE_PX
            self.flips += int((~near).sum())
            self.worst_px = max(self.worst_px, off[near].max(initial=0))
            if near.all():
                self.worst_score = max(self.worst_score, abs(pose.score - other.score))

    @property
    def share(self) -> float:
        """Flips among all keypoints."""
        return self.flips / max(self.keypoints, 1)


def compare(frames: Iterable[synthetic.Heads], card: Mapping, max_poses: int, root_score: float) -> Agreement:
    """Over many frames of bytes with one card."""
    decoder = board_decoder.decoder_for(card, max_poses=max_poses, root_score=root_score)
    agreement = Agreement()
    for heads in frames:
        real = synthetic.dequantised(heads, card)
        agreement.add(board_decoder.poses_of(decoder, heads), tfjs.decode(real, max_poses, root_score))
    return agreement
