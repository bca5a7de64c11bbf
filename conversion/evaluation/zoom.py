"""What a board finds that takes a photo as its camera's frame, for each value of the setting `zoom`.

The windows are the firmware's own, the frame is warped as MaixPy warps it, the KPU is simulated, the decoder is the
board's, with its vote: no step is in floats.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from conversion import camera_frame, letterbox
from conversion.decoding import board_decoder
from conversion.decoding.board_zoom import BoardZoom, pose_zoom
from conversion.decoding.pose import Pose
from conversion.evaluation.chain import Setup, Zoomed
from conversion.kmodel import v3
from conversion.kpu.posenet import Heads, Simulation

# What the others are compared with.
BASIS = pose_zoom.OFF
# A photo is a camera's frame held still: with `follow` a frame looks where the one before it said.
_FRAMES = {pose_zoom.FOLLOW: 2}


class ZoomedBoard:
    """A kmodel as a board with a VGA camera runs it."""

    def __init__(self, setup: Setup) -> None:
        self._card, self._modes = setup.card, setup.zoom
        self._machine = Simulation(v3.read(setup.kmodel, "the kmodel"), "the kmodel")

    def look(self, photo: Image.Image) -> dict[int, Zoomed]:
        """By zoom: the people on a photo, upright, and the single pose, in its pixels."""
        frame = _Frame(self._machine, camera_frame.of_photo(photo))
        return {mode: self._with(mode, frame, photo.size) for mode in self._modes}

    def _with(self, mode: int, frame: _Frame, size: letterbox.Size) -> Zoomed:
        vote = board_decoder.ON_BOARD["vote"]
        people = BoardZoom(self._card, mode, vote=vote, **board_decoder.EVALUATION)
        alone = BoardZoom(self._card, mode, single=True, vote=vote)
        for _ in range(_FRAMES.get(mode, 1)):
            poses, (single, *_) = people.look(frame.heads), alone.look(frame.heads)
        return Zoomed(
            poses=[_placed(pose, people, size) for pose in poses],
            single=_placed(single, alone, size),
            runs=len(people.windows()),
        )


class _Frame:
    """A camera's frame, and the heads of what was looked at in it."""

    def __init__(self, machine: Simulation, planes: np.ndarray) -> None:
        self._machine, self._planes = machine, planes
        self._known: dict[tuple[int, ...], Heads] = {}

    def heads(self, window: Sequence[int]) -> Heads:
        """Of a window (x0, y0, step)."""
        key = tuple(window)
        if key not in self._known:
            size = (self._machine.width, self._machine.height)
            self._known[key] = self._machine.heads(camera_frame.warp(self._planes, key, size))
        return self._known[key]


def _placed(pose: Pose, board: BoardZoom, size: letterbox.Size) -> Pose:
    return Pose(pose.score, letterbox.to_photo(board.in_frame(pose.keypoints), size, camera_frame.FRAME))
