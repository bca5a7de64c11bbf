"""Smooth keypoints: a one-euro filter for each coordinate of each person.

Casiez, Roussel, Vogel: "1€ Filter", CHI 2012: a low-pass filter whose cutoff rises with the speed, so that who stands
does not tremble and who moves does not lag.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from host_tools.monitor.people import LONGEST_ABSENCE_MS
from host_tools.serial_link import Pose, units

# tfjs-models pose-detection, movenet/constants.ts, KEYPOINT_FILTER_CONFIG: minCutOff 2.5 Hz, derivateCutOff 2.5 Hz,
# beta 300 for coordinates that are 1 at the far side of the picture. Its dead band (thresholdCutOff) is not in the
# paper and can overshoot: left out.
LEAST_CUTOFF_HZ = 2.5
SPEED_CUTOFF_HZ = 2.5
BETA = 300.0


@dataclass
class _State:
    """Of one person: float64 [17, 2] each, in picture widths and heights, and widths a second."""

    raw: np.ndarray
    smooth: np.ndarray
    speed: np.ndarray
    t_ms: int


def _share(cutoff: np.ndarray | float, seconds: float) -> np.ndarray | float:
    """How much of a new value a low-pass filter of that cutoff (Hz) takes over after `seconds`, 0..1."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff * seconds))


def _advanced(state: _State, raw: np.ndarray, t_ms: int) -> _State:
    seconds = (t_ms - state.t_ms) / 1000
    speed = (raw - state.raw) / seconds
    speed = state.speed + (speed - state.speed) * _share(SPEED_CUTOFF_HZ, seconds)
    share = _share(LEAST_CUTOFF_HZ + BETA * np.abs(speed), seconds)
    return _State(raw, state.smooth + (raw - state.smooth) * share, speed, t_ms)


class Smoother:
    """Smooths the poses of one board. Somebody unseen for a second begins anew."""

    def __init__(self) -> None:
        self._states: dict[int, _State] = {}

    def smooth(self, poses: Sequence[Pose], ids: Sequence[int], t_ms: int, size: tuple[int, int]) -> tuple[Pose, ...]:
        """The poses of a frame at the board's time `t_ms`, coordinates smoothed, integers in 1/16 pixel as before.

        `ids` are the people's, of `People`; `size` is the picture's width and height. Scores stay as they are. A time
        that stands still or goes back starts anew: the poses come back as they are.
        """
        scale = np.array(size) * units.PER_PIXEL
        smoothed = tuple(self._one(pose, person, t_ms, scale) for pose, person in zip(poses, ids, strict=True))
        self._states = {
            person: state for person, state in self._states.items() if 0 <= t_ms - state.t_ms <= LONGEST_ABSENCE_MS
        }
        return smoothed

    def _one(self, pose: Pose, person: int, t_ms: int, scale: np.ndarray) -> Pose:
        keypoints = np.array(pose.keypoints)
        raw = keypoints[:, :2] / scale
        before = self._states.get(person)
        if before is None or not 0 < t_ms - before.t_ms <= LONGEST_ABSENCE_MS:
            self._states[person] = _State(raw, raw, np.zeros_like(raw), t_ms)
            return pose
        after = _advanced(before, raw, t_ms)
        self._states[person] = after
        places = np.rint(after.smooth * scale).astype(int)
        triples = zip(places[:, 0].tolist(), places[:, 1].tolist(), keypoints[:, 2].tolist(), strict=True)
        return Pose(pose.score, tuple(triples))
