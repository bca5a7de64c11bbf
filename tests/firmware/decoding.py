"""Decoding drawn heads with the firmware's decoder, as its tests do it."""

from __future__ import annotations

import numpy as np

from firmware.pose_decoder import Pose, PoseDecoder
from tests.firmware import synthetic

CARD = synthetic.card(320, 240)


def blank(card: dict = CARD) -> synthetic.Heads:
    """Heads that say nothing: every score low, every vector zero."""
    return synthetic.quantised(synthetic.drawn([], card), card)


def run(heads: synthetic.Heads, card: dict = CARD, **parameters: int) -> list[Pose]:
    """The poses that a new decoder finds."""
    decoder = PoseDecoder(card)
    decoder.configure(**parameters)
    return decoder.poses[: decoder.decode(synthetic.buffers(heads))]


def positions(pose: Pose) -> np.ndarray:
    """[17, 2] (x, y) in 1/16 pixel."""
    return np.stack([np.array(pose.x16), np.array(pose.y16)], axis=1)
