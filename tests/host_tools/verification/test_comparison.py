"""Any difference is found, and named as it is."""

from __future__ import annotations

import copy

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from conversion import network
from host_tools.serial_link.sentences import Pose
from host_tools.verification import comparison

ROWS, COLUMNS = 5, 6


def heads(seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {spec.name: random.integers(0, 256, (spec.channels, ROWS, COLUMNS), np.uint8) for spec in network.HEADS}


def poses(count: int) -> list[dict]:
    random = np.random.default_rng(count)
    return [
        {"score": int(random.integers(256)), "keypoints": random.integers(-99, 256, (17, 3)).tolist()}
        for _ in range(count)
    ]


def sent(decoded: list[dict]) -> tuple[Pose, ...]:
    return tuple(Pose(pose["score"], tuple(map(tuple, pose["keypoints"]))) for pose in decoded)


places = st.sampled_from(network.HEADS).flatmap(
    lambda spec: st.tuples(
        st.just(spec.name),
        st.integers(0, spec.channels - 1),
        st.integers(0, ROWS - 1),
        st.integers(0, COLUMNS - 1),
    )
)


@given(places, st.integers(1, 255))
def test_any_single_byte_is_found_and_named(place: tuple[str, int, int, int], change: int) -> None:
    expected, found = heads(), heads()
    name, *cell = place
    found[name][tuple(cell)] ^= change
    difference = comparison.compare_heads(expected, found)
    first = difference.first
    assert (first.head, first.channel, first.row, first.column) == place
    assert (first.expected, first.found) == (expected[name][tuple(cell)], found[name][tuple(cell)])
    flat, other = (np.concatenate([head.reshape(-1) for head in these.values()]) for these in (expected, found))
    assert flat[first.at] != other[first.at]
    assert np.array_equal(flat[: first.at], other[: first.at])
    (head,) = difference.heads
    off = abs(first.found - first.expected)
    assert (head.name, head.differing, head.channels, head.largest) == (name, 1, (cell[0],), off)
    assert (head.rows, head.columns) == ((cell[1],) * 2, (cell[2],) * 2)
    assert difference.differing == sum(head.sizes.values()) == 1
    assert head.sizes["by 1"] == (off == 1)
    assert head.sizes["by 2 to 4"] == (off in (2, 3, 4))


@given(st.sets(places, min_size=1, max_size=40))
def test_many_bytes_are_counted_and_framed(changed: set[tuple[str, int, int, int]]) -> None:
    expected, found = heads(), heads()
    for name, *cell in changed:
        found[name][tuple(cell)] ^= 7
    difference = comparison.compare_heads(expected, found)
    assert difference.differing == comparison.differing_bytes(expected, found) == len(changed)
    order = network.HEAD_NAMES.index
    first = min(changed, key=lambda place: (order(place[0]), *place[1:]))
    assert (difference.first.head, difference.first.channel, difference.first.row, difference.first.column) == first
    for head in difference.heads:
        cells = [place[1:] for place in changed if place[0] == head.name]
        assert head.channels == tuple(sorted({channel for channel, _, _ in cells}))
        assert head.rows == (min(row for _, row, _ in cells), max(row for _, row, _ in cells))
        assert head.columns == (min(column for _, _, column in cells), max(column for _, _, column in cells))
    assert {head.name for head in difference.heads} == {place[0] for place in changed}


def test_equal_heads_and_poses_differ_in_nothing() -> None:
    assert comparison.compare_heads(heads(), heads()) is None
    assert comparison.compare_poses(poses(3), sent(poses(3))) is None
    assert comparison.compare_poses([], ()) is None


def test_a_constant_offset_is_seen() -> None:
    expected, found = heads(), heads()
    expected["offset"][3] = 10
    found["offset"][3] = 12
    assert comparison.compare_heads(expected, found).heads[0].offset == 2
    found["offset"][3, 0, 0] = 13
    assert comparison.compare_heads(expected, found).heads[0].offset is None


@given(st.integers(0, 2), st.integers(0, 16), st.integers(0, 2), st.integers(1, 50))
def test_any_single_integer_of_a_keypoint_is_found_and_named(number: int, part: int, axis: int, change: int) -> None:
    expected = poses(3)
    board = copy.deepcopy(expected)
    board[number]["keypoints"][part][axis] += change
    difference = comparison.compare_poses(expected, sent(board))
    was = expected[number]["keypoints"][part][axis]
    assert difference.first.what == f"pose {number}, {network.KEYPOINTS[part]} {('x', 'y', 'score')[axis]}"
    assert (difference.first.expected, difference.first.found) == (was, was + change)
    assert (difference.positions, difference.keypoint_scores, difference.pose_scores) == (
        (0, 1, 0) if axis == 2 else (1, 0, 0)
    )
    assert difference.farthest == (0 if axis == 2 else change)


def test_a_score_of_a_pose_is_found_and_named() -> None:
    board = poses(2)
    board[1]["score"] ^= 1
    difference = comparison.compare_poses(poses(2), sent(board))
    assert difference.first.what == "pose 1, score"
    assert (difference.positions, difference.keypoint_scores, difference.pose_scores) == (0, 0, 1)


def test_a_pose_too_few_or_too_many_is_named() -> None:
    three = poses(3)
    less = comparison.compare_poses(three, sent(three[:2]))
    assert (less.first.what, less.first.expected, less.first.found) == ("pose 2, score", three[2]["score"], None)
    more = comparison.compare_poses(three[:1], sent(three[:2]))
    assert (more.first.what, more.first.expected, more.first.found) == ("pose 1, score", None, three[1]["score"])
    assert (more.expected_count, more.found_count) == (1, 2)
