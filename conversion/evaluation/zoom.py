"""What a board finds that takes a photo as its camera's frame, for each value of the setting `zoom`.

The windows are the firmware's own, the frame is warped as MaixPy warps it, the KPU is simulated, the decoder is the
board's, with its vote: no step is in floats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from conversion import camera_frame, letterbox
from conversion.decoding import board_decoder, board_zoom
from conversion.evaluation.chain import Zoomed

# What the others are compared with.
BASIS = board_zoom.pose_zoom.OFF
# A photo is a camera's frame held still: with `follow` a frame looks where the one before it said.
_FRAMES = {board_zoom.pose_zoom.FOLLOW: 2}

Network = Callable[[np.ndarray], Mapping[str, np.ndarray]]


class ZoomedBoard:
    """A kmodel as a board with a VGA camera runs it."""

    def __init__(self, network: Network, card: Mapping, modes: Sequence[int]) -> None:
        """`network` gives the kmodel's heads for planes uint8 [3, H, W], `modes` are values of the setting."""
        self._network, self._card, self._modes = network, card, modes

    def look(self, photo: Image.Image) -> dict[int, Zoomed]:
        """By zoom: the people on a photo, upright, and the single pose, in its pixels."""
        size = (self._card["input"]["width"], self._card["input"]["height"])
        frame = _Frame(self._network, camera_frame.of_photo(photo), size)
        return {mode: self._with(mode, frame, photo.size) for mode in self._modes}

    def _with(self, mode: int, frame: _Frame, size: letterbox.Size) -> Zoomed:
        vote = board_decoder.ON_BOARD["vote"]
        people = board_zoom.BoardZoom(self._card, mode, vote=vote, **board_decoder.EVALUATION)
        alone = board_zoom.BoardZoom(self._card, mode, single=True, vote=vote)
        for _ in range(_FRAMES.get(mode, 1)):
            poses, (single, *_) = people.look(frame.heads), alone.look(frame.heads)

        def placed(pose: board_decoder.BoardPose) -> board_decoder.BoardPose:
            in_frame = people.in_frame(pose.keypoints)
            return replace(pose, keypoints=letterbox.to_photo(in_frame, size, camera_frame.FRAME))

        return Zoomed([placed(pose) for pose in poses], placed(single), runs=len(people.windows()))


class _Frame:
    """A camera's frame, and the heads of what was looked at in it."""

    def __init__(self, network: Network, planes: np.ndarray, size: letterbox.Size) -> None:
        self._network, self._planes, self._size = network, planes, size
        self._known: dict[tuple[int, ...], Mapping[str, np.ndarray]] = {}

    def heads(self, window: Sequence[int]) -> Mapping[str, np.ndarray]:
        """Of a window (x0, y0, step)."""
        key = tuple(window)
        if key not in self._known:
            self._known[key] = self._network(camera_frame.warp(self._planes, key, self._size))
        return self._known[key]
