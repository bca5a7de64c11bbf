"""Person ids: who of this frame is who of the frames before, by the likeness of their keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from host_tools.serial_link import Pose

# COCO's standard deviations of keypoints, as shares of a person's size (cocoapi, pycocotools' Params.kpt_oks_sigmas).
SIGMAS = np.array(
    [.026, .025, .025, .035, .035, .079, .079, .072, .072, .062, .062, .107, .107, .087, .087, .089, .089]
)  # fmt: skip
# tfjs-models pose-detection, default configuration of the keypoint tracker: keypointConfidenceThreshold 0.3 (here in
# 1/255), minNumberOfKeypoints 4, minSimilarity 0.2, maxAge 1000 ms, maxTracks 18.
LEAST_SCORE = 77
LEAST_KEYPOINTS = 4
LEAST_SIMILARITY = 0.2
LONGEST_ABSENCE_MS = 1000
MOST_PEOPLE = 18
# A person seen from the side, or of whom only a face is seen, has a thin box: it counts as at least so wide.
_LEAST_ASPECT = 0.5
# The way of a person is followed on for so long while nothing is seen of them; of each new sight a quarter counts.
_LONGEST_WAY_MS = 400
_NEWEST = 0.25


@dataclass
class _Track:
    """A person as seen last: `way` is in units of the keypoints a millisecond."""

    id: int
    colour: int
    keypoints: np.ndarray
    seen_ms: int
    way: np.ndarray

    def expected(self, t_ms: int) -> np.ndarray:
        """Where the person should be by now."""
        moved = self.keypoints.copy()
        moved[:, :2] += np.rint(self.way * min(t_ms - self.seen_ms, _LONGEST_WAY_MS)).astype(int)
        return moved

    def see(self, keypoints: np.ndarray, t_ms: int) -> None:
        """Take a new sight of this person."""
        both = (keypoints[:, 2] >= LEAST_SCORE) & (self.keypoints[:, 2] >= LEAST_SCORE)
        moved = (keypoints[both, :2] - self.keypoints[both, :2]).mean(axis=0) / max(1, t_ms - self.seen_ms)
        self.way = (1 - _NEWEST) * self.way + _NEWEST * moved
        self.keypoints, self.seen_ms = keypoints, t_ms


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Object keypoint similarity of two persons, int [17, 3] (x, y, score), 0..1; the size is that of `b`.

    The mean of exp(-d² / (2 · area · (2 sigma)²)) (cocodataset.org, "keypoints eval") over the keypoints that both
    have; 0 if those are fewer than four.
    """
    both = (a[:, 2] >= LEAST_SCORE) & (b[:, 2] >= LEAST_SCORE)
    if np.count_nonzero(both) < LEAST_KEYPOINTS:
        return 0.0
    squared = ((a[both, :2] - b[both, :2]) ** 2).sum(axis=1)
    return float(np.exp(-squared / (2 * _area(b) * (2 * SIGMAS[both]) ** 2)).mean())


def _area(keypoints: np.ndarray) -> float:
    """The area of the box around the keypoints that are seen, made less thin."""
    seen = keypoints[keypoints[:, 2] >= LEAST_SCORE, :2]
    sides = seen.max(axis=0) - seen.min(axis=0)
    longest = max(1.0, float(sides.max()))
    return longest * max(float(sides.min()), _LEAST_ASPECT * longest)


class People:
    """Gives ids, from 1, to the people of one board, frame after frame.

    `colours` are those of the last frame's people, numbers from 0: each has the least one that nobody else has.
    """

    def __init__(self) -> None:
        self.colours: tuple[int, ...] = ()
        self._tracks: list[_Track] = []
        self._given = 0
        self._now_ms = 0

    def identify(self, poses: Sequence[Pose], t_ms: int) -> tuple[int, ...]:
        """An id for each pose of a frame at the board's time `t_ms`; somebody not seen before gets a new one.

        The most alike pair is matched first, each person where their way has led them meanwhile. Somebody unseen for a
        second, or a board that has started again (its time goes back), is forgotten.
        """
        if t_ms < self._now_ms:
            self._tracks.clear()
        self._now_ms = t_ms
        self._tracks = [track for track in self._tracks if t_ms - track.seen_ms <= LONGEST_ABSENCE_MS]
        people = [np.array(pose.keypoints) for pose in poses]
        found = self._matched(people, t_ms)
        for index, keypoints in enumerate(people):
            if index in found:
                found[index].see(keypoints, t_ms)
            else:
                found[index] = self._new_track(keypoints, t_ms)
        self._forget_the_oldest()
        self.colours = tuple(found[index].colour for index in range(len(people)))
        return tuple(found[index].id for index in range(len(people)))

    def _matched(self, people: list[np.ndarray], t_ms: int) -> dict[int, _Track]:
        """The track of each person that has one."""
        expected = [(track, track.expected(t_ms)) for track in self._tracks]
        pairs = [
            (similarity(keypoints, place), index, track)
            for index, keypoints in enumerate(people)
            for track, place in expected
        ]
        found: dict[int, _Track] = {}
        taken: set[int] = set()
        for alike, index, track in sorted(pairs, key=lambda pair: -pair[0]):
            if alike >= LEAST_SIMILARITY and index not in found and track.id not in taken:
                found[index] = track
                taken.add(track.id)
        return found

    def _new_track(self, keypoints: np.ndarray, t_ms: int) -> _Track:
        self._given += 1
        taken = {track.colour for track in self._tracks}
        colour = next(number for number in range(len(taken) + 1) if number not in taken)
        track = _Track(self._given, colour, keypoints, t_ms, np.zeros(2))
        self._tracks.append(track)
        return track

    def _forget_the_oldest(self) -> None:
        self._tracks.sort(key=lambda track: -track.seen_ms)
        del self._tracks[MOST_PEOPLE:]
