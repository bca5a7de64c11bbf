"""The photos that measure, and the figures that two networks' heads give on them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from conversion import metrics, photos
from conversion.evaluation import displacement
from conversion.evaluation.displacement import Displacement

SIZE = (320, 240)
ANNOTATIONS = "eval/person_keypoints.json"


def pictures(shared: Path) -> np.ndarray:
    """The photos of COCO val2017 among the shared ones, letterboxed: uint8 [60, 240, 320, 3]."""
    images = json.loads((shared / ANNOTATIONS).read_text())["images"]
    names = [image["file_name"] for image in images if image["dataset"] == "coco2017-val"]
    return np.stack([photos.letterbox(photos.read(shared / "eval" / "images" / name), *SIZE) for name in names])


def figures(wanted: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray]) -> tuple[dict[str, float], Displacement]:
    """SQNR by head, and how far sure keypoints move; real heads [N, C, h, w] of the float network and of another."""
    moves = [
        displacement.moved(*({name: head[photo] for name, head in heads.items()} for heads in (wanted, found)))
        for photo in range(len(wanted["offset"]))
    ]
    return metrics.sqnr_db(wanted, found), displacement.pooled(moves)
