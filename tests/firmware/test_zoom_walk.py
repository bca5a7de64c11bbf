"""Somebody who walks, jumps and leaves, followed by the rule over 300 frames, on heads as a perfect network gives them.

`tests/conversion/evaluation/test_zoom_walk.py` has the same walk drawn, through a real kmodel.
"""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from conversion.decoding.board_zoom import pose_zoom
from tests import walk
from tests.firmware import synthetic
from tests.firmware.zoom_scene import Scene
from tests.samples import sample

# In the network's pixels: how wrong its offsets are. Somebody of 75 pixels or more is seen.
NOISE, LEAST = 1.5, 30
# Further off than this, in pixels of the frame, a pose is somebody else's.
ELSEWHERE = 40


def watched(mode: int, frames: int = walk.FRAMES, **how: int) -> walk.Watched:
    """The walk with one value of zoom. The network is a quick one of 160x128."""
    scene, found = Scene(mode, (160, 128), noise=NOISE, least=LEAST, **how), walk.Watched()
    for place in islice(walk.places(), frames):
        person = synthetic.person(*place, walk.HEIGHT)
        windows = scene.look([person])
        errors = [np.linalg.norm(each - person, axis=1).mean() for each in scene.found]
        nearest = min(errors, default=ELSEWHERE)
        found.saw(place, windows[0], nearest if nearest < ELSEWHERE else None)
    return found


@pytest.mark.parametrize("smooth", sample([0, 1], 0))
def test_follow_loses_nobody_and_trembles_little(smooth: int) -> None:
    off = watched(pose_zoom.OFF, frames=60)
    follow = watched(pose_zoom.FOLLOW, smooth=smooth)
    assert len(off.errors) == 60
    assert follow.longest_lost <= 2
    assert follow.until_found <= 17
    assert follow.window_changes <= walk.FRAMES // 6
    assert np.median(follow.errors) <= np.median(off.errors) / 2
