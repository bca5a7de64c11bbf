"""The firmware's own zoom on the host: the windows that a board looks at, and the people it finds in its frame."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType

import numpy as np

from conversion import network
from conversion.decoding.board_decoder import BoardPose, decoder_for
from conversion.decoding.fixed_point import SCORE_ONE


def _flat(name: str) -> ModuleType:
    """A module of the firmware, known by the name that it has on the board, where there are no folders."""
    module = importlib.import_module(f"firmware.{name}")
    return sys.modules.setdefault(name, module)


# Each may import those before it.
pose_decoder = _flat("pose_decoder")
pose_view = _flat("pose_view")
pose_people = _flat("pose_people")
pose_smooth = _flat("pose_smooth")
pose_zoom = _flat("pose_zoom")

# The values of the setting: 0 off, 1 follow, 2 to 4 full frame and 1 to 3 windows.
MODES = range(pose_zoom.OFF, pose_zoom.MOST + 1)


class BoardZoom:
    """The firmware's rule and decoder for one model, as a board has them that takes VGA frames."""

    def __init__(
        self, card: Mapping, mode: int, smooth: bool = False, single: bool = False, **parameters: float
    ) -> None:
        """`mode` is one of MODES, `single` decodes one pose a run; `parameters` are those of `decoder_for`."""
        self._decoder = decoder_for(card, **parameters)
        self._single = single
        self.rule = pose_zoom.Zoom(card["input"]["width"], card["input"]["height"])
        self.rule.configure(mode, int(smooth), self._decoder.max_poses)

    def look(self, heads_of: Callable[[Sequence[int]], Mapping[str, np.ndarray]]) -> list[BoardPose]:
        """One frame: the people in it, in pixels of the full window's picture.

        `heads_of` gives the network's heads for a window (x0, y0, step), in 1/256 pixel of the frame.
        """
        decoder = self._decoder
        decode = decoder.decode_single if self._single else decoder.decode
        self.rule.begin()
        while self.rule.more():
            heads = heads_of(tuple(self.rule.window))
            self.rule.take(decoder.poses, decode([heads[name].tobytes() for name in network.HEAD_NAMES]))
        count = self.rule.finish()
        return [_board_pose(person, self.rule.view.full) for person in self.rule.poses[:count]]

    def windows(self) -> list[tuple[int, int, int]]:
        """The windows of the last frame's runs, in their order."""
        return windows_of(self.rule)

    def in_frame(self, keypoints: np.ndarray) -> np.ndarray:
        """Keypoints [..., 3] (x, y, score) of what `look` gave, in pixels of the frame."""
        x0, y0, step = self.rule.view.full
        result = np.array(keypoints, np.float64)
        result[..., :2] = (result[..., :2] * step + (x0, y0)) / pose_view.PIXEL
        return result


def windows_of(rule: pose_zoom.Zoom) -> list[tuple[int, int, int]]:
    """The windows (x0, y0, step) of a rule's last frame, in the order of its runs."""
    flat = rule.windows[: 3 * rule.runs]
    return [tuple(flat[at : at + 3]) for at in range(0, len(flat), 3)]


def wire(person: pose_people.Person) -> dict:
    """Somebody as a board sends them, {score, keypoints [[x16, y16, s255] x 17]}."""
    keypoints = zip(person.x16, person.y16, person.scores, strict=True)
    return {"score": person.score, "keypoints": [list(keypoint) for keypoint in keypoints]}


def _board_pose(person: pose_people.Person, full: Sequence[int]) -> BoardPose:
    positions = [
        (np.array(axis, float) - begin) / full[2] for axis, begin in zip((person.xs, person.ys), full, strict=False)
    ]
    return BoardPose(
        score=person.score_sum / (pose_decoder.PARTS * SCORE_ONE),
        keypoints=np.stack([*positions, np.array(person.scores) / 255], axis=1),
        wire=wire(person),
    )
