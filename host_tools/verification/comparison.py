"""Compares a board's heads and poses with the host's, and describes how they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from conversion import network
from host_tools.serial_link import Pose

# How large differences are: the highest of each class.
_SIZES = {"by 1": 1, "by 2 to 4": 4, "by 5 or more": 255}


@dataclass(frozen=True)
class FirstByte:
    """The first byte that differs: where it stands in its head and in all heads one after another, and its values."""

    head: str
    channel: int
    row: int
    column: int
    at: int
    expected: int
    found: int


@dataclass(frozen=True)
class HeadDifference:
    """How one head differs. `rows` and `columns` are the first and last cell that differ; `sizes` counts the bytes by
    how far they are off, `offset` is the difference if it is the same for all of them, else None."""

    name: str
    size: int
    differing: int
    channels: tuple[int, ...]
    rows: tuple[int, int]
    columns: tuple[int, int]
    largest: int
    sizes: dict[str, int]
    offset: int | None


@dataclass(frozen=True)
class HeadsDifference:
    """How the heads of two runs differ: the first byte, and the heads that are not equal."""

    first: FirstByte
    heads: tuple[HeadDifference, ...]
    size: int

    @property
    def differing(self) -> int:
        """Bytes that differ."""
        return sum(head.differing for head in self.heads)

    @property
    def largest(self) -> int:
        """The largest difference of two bytes."""
        return max(head.largest for head in self.heads)

    @property
    def names(self) -> tuple[str, ...]:
        """The heads that differ."""
        return tuple(head.name for head in self.heads)


@dataclass(frozen=True)
class FirstInteger:
    """The first integer of the poses that differs: `what` says which, None stands for a pose that is not there."""

    what: str
    expected: int | None
    found: int | None


@dataclass(frozen=True)
class PosesDifference:
    """How the poses of two decodings differ. `positions`, `keypoint_scores` and `pose_scores` count the integers of
    each kind that differ in poses that both have; `farthest` is the largest difference of a coordinate in 1/16 pixel.
    """

    first: FirstInteger
    expected_count: int
    found_count: int
    positions: int
    keypoint_scores: int
    pose_scores: int
    farthest: int


def compare_heads(expected: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray]) -> HeadsDifference | None:
    """How the heads, uint8 [C, h, w] by name and of the same shapes, differ; None if no byte does."""
    differing = tuple(
        _head_difference(name, expected[name], found[name])
        for name in network.HEAD_NAMES
        if not np.array_equal(expected[name], found[name])
    )
    if not differing:
        return None
    first = _first_byte(differing[0].name, expected, found)
    return HeadsDifference(first, differing, sum(head.size for head in expected.values()))


def differing_bytes(expected: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray]) -> int:
    """How many bytes of all heads differ."""
    return sum(int(np.count_nonzero(expected[name] != found[name])) for name in network.HEAD_NAMES)


def _first_byte(name: str, expected: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray]) -> FirstByte:
    at = int(np.flatnonzero(expected[name] != found[name])[0])
    channel, row, column = (int(index) for index in np.unravel_index(at, expected[name].shape))
    before = sum(expected[earlier].size for earlier in network.HEAD_NAMES[: network.HEAD_NAMES.index(name)])
    values = int(expected[name][channel, row, column]), int(found[name][channel, row, column])
    return FirstByte(name, channel, row, column, before + at, *values)


def _head_difference(name: str, expected: np.ndarray, found: np.ndarray) -> HeadDifference:
    channels, rows, columns = np.nonzero(expected != found)
    off = (found.astype(int) - expected)[channels, rows, columns]
    sizes, below = {}, 0
    for label, highest in _SIZES.items():
        sizes[label] = int(np.count_nonzero((np.abs(off) > below) & (np.abs(off) <= highest)))
        below = highest
    return HeadDifference(
        name=name,
        size=expected.size,
        differing=len(off),
        channels=tuple(int(channel) for channel in np.unique(channels)),
        rows=(int(rows.min()), int(rows.max())),
        columns=(int(columns.min()), int(columns.max())),
        largest=int(np.abs(off).max()),
        sizes=sizes,
        offset=int(off[0]) if np.all(off == off[0]) else None,
    )


def compare_poses(expected: Sequence[Mapping], found: Sequence[Pose]) -> PosesDifference | None:
    """How poses as the host decodes them ({score, keypoints}) and as a board sent them differ; None if not at all."""
    pairs = [(_integers(mine), _integers(_wire(its))) for mine, its in zip(expected, found, strict=False)]
    first = _first_integer(pairs)
    if first is None and len(expected) == len(found):
        return None
    if first is None:
        first = _missing(expected, found)
    wrong = [name for mine, its in pairs for name, value in mine.items() if its[name] != value]
    far = [abs(mine[name] - its[name]) for mine, its in pairs for name in mine if name[-1] in "xy"]
    return PosesDifference(
        first=first,
        expected_count=len(expected),
        found_count=len(found),
        positions=sum(name[-1] in "xy" for name in wrong),
        keypoint_scores=sum(len(name) == 2 and name[-1] == "score" for name in wrong),
        pose_scores=sum(name == ("score",) for name in wrong),
        farthest=max(far, default=0),
    )


def _wire(pose: Pose) -> dict:
    return {"score": pose.score, "keypoints": pose.keypoints}


def _integers(pose: Mapping) -> dict[tuple[str, ...], int]:
    """All 52 integers of a pose by what they are: ("score",), (keypoint, "x"), (keypoint, "y"), (keypoint, "score")."""
    named = {("score",): pose["score"]}
    for name, values in zip(network.KEYPOINTS, pose["keypoints"], strict=True):
        named.update({(name, axis): value for axis, value in zip(("x", "y", "score"), values, strict=True)})
    return named


def _first_integer(pairs: Sequence[tuple[dict, dict]]) -> FirstInteger | None:
    for number, (mine, its) in enumerate(pairs):
        for name, value in mine.items():
            if its[name] != value:
                return FirstInteger(f"pose {number}, {' '.join(name)}", value, its[name])
    return None


def _missing(expected: Sequence[Mapping], found: Sequence[Pose]) -> FirstInteger:
    number = min(len(expected), len(found))
    if number < len(expected):
        return FirstInteger(f"pose {number}, score", expected[number]["score"], None)
    return FirstInteger(f"pose {number}, score", None, found[number].score)
