"""Windows by `copy` and `pix_to_ai` in place of the warp: AP of `zoom` 0 to 2 with each, on the same photos.

    python -m tests.conversion.decoding.near_windows MODEL.kmodel ANNOTATIONS.json IMAGES

MaixPy's `copy(roi, x_scale=, y_scale=, copy_to_fb=)` takes whole pixels of RGB565, three times as fast.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from conversion import camera_frame, photos
from conversion.decoding.board_zoom import pose_zoom
from conversion.evaluation import bootstrap, coco, oks
from conversion.evaluation.zoom import BASIS, ZoomedBoard
from conversion.kpu import posenet
from conversion.letterbox import Size

MODES = (BASIS, pose_zoom.FOLLOW, pose_zoom.FOLLOW + 1)
# Of the eight bits of red, green and blue those that RGB565 keeps.
KEPT = np.array([0xF8, 0xFC, 0xF8], np.uint8)[:, None, None]


def near(planes: np.ndarray, window: Sequence[int], size: Size) -> np.ndarray:
    """As `camera_frame.warp`, with whole pixels; beyond the frame, where `copy` cannot go, black all the same."""
    _, height, width = planes.shape
    x0, y0, step = map(int, window)
    xs, ys = (at + step * np.arange(pixels) >> 8 for at, pixels in zip((x0, y0), size, strict=True))
    inside = ((xs >= 0) & (xs < width))[None, :] & ((ys >= 0) & (ys < height))[:, None]
    taken = (planes & KEPT)[:, np.clip(ys, 0, height - 1)][:, :, np.clip(xs, 0, width - 1)]
    return np.where(inside, taken, 0).astype(np.uint8)


def rankings(model: posenet.Described, the_set: coco.CocoSet) -> dict[int, oks.Ranking]:
    """By zoom, what a board finds on the photos of a set."""
    board = ZoomedBoard(model.simulation.heads, model.card, MODES)
    found = {photo.id: board.look(photos.read(photo.path)) for photo in the_set.photos}
    return {mode: oks.ranking(the_set, {photo: seen[mode].poses for photo, seen in found.items()}) for mode in MODES}


def main(kmodel: Path, annotations: Path, images: Path) -> None:
    """Print both APs of each zoom, and between what 95 % of paired draws of their difference lie."""
    model, the_set = posenet.read_described(kmodel), coco.read(annotations, images)
    warped = rankings(model, the_set)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(camera_frame, "warp", near)
        copied = rankings(model, the_set)
    for mode in MODES:
        change = bootstrap.differences({mode: copied[mode]}, warped[mode])[mode].to_list()
        print(
            f"zoom {mode}: AP {warped[mode].ap():.3f} warped, {copied[mode].ap():.3f} copied, "
            f"{change[0]:+.3f} [{change[1]:+.3f}, {change[2]:+.3f}]",
            flush=True,
        )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
