"""The drawn person who walks, jumps and leaves, 300 frames through a real kmodel: what `zoom 1` is held to."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from conversion import run_sequence
from conversion import weights as weights_files
from conversion.decoding.pose import Pose
from conversion.kpu import posenet
from conversion.kpu.posenet import Described
from tests import drawn_people, walk
from tests.conversion.evaluation import plain_kmodel

# The same figure as large as a frame allows, where the network sees it as well as it can, in the mean over some places
# and heights, since each falls on the network's grid in another way: what is right.
LARGE = [(300 + 9 * n, 10 + 3 * n, 440 - 7 * n) for n in range(8)]
# Mean distance of the keypoints, in pixels of the frame, from which on a pose is somebody else's.
ELSEWHERE = 40


def reference(model: Described) -> np.ndarray:
    """[17, 2]: where the figure's keypoints are from the top of its middle, for a height of 1."""
    frames = run_sequence.watch(model, [drawn_people.frame([place]) for place in LARGE], zoom=0)
    return np.mean(
        [(frame.poses[0].keypoints[:, :2] - (x, y)) / tall for frame, (x, y, tall) in zip(frames, LARGE, strict=True)],
        axis=0,
    )


def error(poses: Iterable[Pose], person: np.ndarray) -> float | None:
    """How far the nearest pose is from a person [17, 2], on average; None if that is somebody else."""
    errors = [float(np.linalg.norm(pose.keypoints[:, :2] - person, axis=1).mean()) for pose in poses]
    nearest = min(errors, default=ELSEWHERE)
    return nearest if nearest < ELSEWHERE else None


def watched(model: Described, zoom: int, frames: int = walk.FRAMES, smooth: bool = False) -> walk.Watched:
    """The walk with one value of `zoom`."""
    figure = reference(model) * walk.HEIGHT
    found = walk.Watched()
    places = list(islice(walk.places(), frames))
    pictures = (drawn_people.frame([(*place, walk.HEIGHT)], seed) for seed, place in enumerate(places))
    for place, frame in zip(places, run_sequence.watch(model, pictures, zoom, smooth), strict=True):
        found.saw(place, frame.windows[0], error(frame.poses, figure + place))
    return found


@pytest.mark.soak
def test_follow_loses_nobody_and_halves_the_error(tfjs_graph_dir: Path, tmp_path: Path) -> None:
    weights = weights_files.load(tfjs_graph_dir)
    model = posenet.read_described(plain_kmodel.write(tmp_path, weights, 320, 240, weights.origin.files))
    off, follow = watched(model, 0), watched(model, 1)
    assert len(off.errors) > 200
    assert follow.longest_lost <= 2
    assert follow.until_found <= 17
    assert follow.window_changes <= walk.FRAMES // 6
    assert np.median(follow.errors) <= np.median(off.errors) / 2
