"""People keep their numbers, hence colours, from frame to frame: as they walk, cross, are missed, and come back."""

from __future__ import annotations

import importlib
import random
from types import SimpleNamespace

import pytest

from tests.firmware.app.board import Board

with Board().modules():
    PEOPLE = importlib.import_module("pose_identity")
MOST_POSES = 32
# A standing person of 100 pixels, from the nose: x and y of the 17 keypoints.
FIGURE = (
    (0, 0), (2, -2), (-2, -2), (5, 0), (-5, 0), (12, 15), (-12, 15), (16, 35), (-16, 35), (18, 52), (-18, 52),
    (8, 50), (-8, 50), (9, 75), (-9, 75), (9, 98), (-9, 98),
)  # fmt: skip


def pose(
    x: float, y: float = 60, size: float = 1.0, score: int = 200, shake: random.Random | None = None
) -> SimpleNamespace:
    """A person whose nose is at (x, y) pixels; `shake` moves each keypoint by up to two pixels."""
    moved = [(0.0, 0.0) if shake is None else (shake.uniform(-2, 2), shake.uniform(-2, 2)) for _ in FIGURE]
    return SimpleNamespace(
        x16=[round(16 * (x + size * dx + mx)) for (dx, _), (mx, _) in zip(FIGURE, moved, strict=True)],
        y16=[round(16 * (y + size * dy + my)) for (_, dy), (_, my) in zip(FIGURE, moved, strict=True)],
        scores=bytes([score] * len(FIGURE)),
    )


def numbers(frames: list[list]) -> list[list[int]]:
    """The numbers that the poses of each frame get."""
    people = PEOPLE.People(MOST_POSES)
    found = []
    for poses in frames:
        people.identify(poses, len(poses))
        found.append(list(people.numbers[: len(poses)]))
    return found


def test_people_are_numbered_in_their_order() -> None:
    assert numbers([[pose(60), pose(160), pose(260)]]) == [[0, 1, 2]]


def test_who_stands_there_keeps_the_number_whatever_the_order() -> None:
    shake = random.Random(1)
    frames = [[pose(60, shake=shake), pose(160, shake=shake), pose(260, shake=shake)] for _ in range(40)]
    orders = [random.Random(n).sample(range(3), 3) for n in range(40)]
    found = numbers([frames[0]] + [[frame[n] for n in order] for frame, order in zip(frames[1:], orders, strict=False)])
    assert found[1:] == orders[:-1]


def test_who_walks_keeps_the_number() -> None:
    assert {tuple(each) for each in numbers([[pose(20 + 12 * n)] for n in range(25)])} == {(0,)}


@pytest.mark.parametrize("speed", [2, 4, 8, 12])
@pytest.mark.parametrize("seed", range(5))
def test_two_who_cross_keep_theirs(speed: int, seed: int) -> None:
    """They walk through each other, both seen in every frame, in an order that changes."""
    shake = random.Random(seed)
    steps = 240 // speed
    found = []
    people = PEOPLE.People(MOST_POSES)
    for n in range(steps):
        pair = [pose(40 + speed * n, 60, shake=shake), pose(281 - speed * n, 61, shake=shake)]
        order = shake.sample(range(2), 2) if n else [0, 1]
        people.identify([pair[each] for each in order], 2)
        # Where they are nearer than they shake, nobody can tell them apart.
        if abs(241 - 2 * speed * n) > 4:
            found.append([people.numbers[order.index(each)] for each in range(2)])
    assert len(found) >= steps - 2
    assert found == [[0, 1]] * len(found)


def test_of_two_who_cross_one_may_be_hidden_for_some_frames() -> None:
    people = PEOPLE.People(MOST_POSES)
    for n in range(60):
        pair = [pose(40 + 4 * n), pose(281 - 4 * n, 61)]
        shown = pair[:1] if 28 <= n <= 32 else pair
        people.identify(shown, len(shown))
        assert list(people.numbers[: len(shown)]) == list(range(len(shown))), n


def test_who_is_missed_for_some_frames_comes_back_as_the_same() -> None:
    frames = [[pose(100), pose(200)], *[[pose(100)]] * 20, [pose(200), pose(100)]]
    assert numbers(frames)[-1] == [1, 0]


def test_who_is_away_for_long_is_forgotten_and_the_number_is_free_again() -> None:
    away = PEOPLE.LONGEST_ABSENCE
    assert numbers([[pose(100), pose(200)], *[[pose(200)]] * (away + 1), [pose(20), pose(200)]])[-1] == [0, 1]
    assert numbers([[pose(100), pose(200)], *[[pose(200)]] * (away - 1), [pose(20), pose(200)]])[-1] == [2, 1]


def test_somebody_else_elsewhere_is_somebody_else() -> None:
    assert numbers([[pose(60)], [pose(260)]])[-1] == [1]


def test_who_has_too_few_sure_keypoints_is_nobody_known() -> None:
    """Numbers are given all the same, and nothing fails."""
    vague = pose(60, score=PEOPLE.LEAST_SCORE - 1)
    assert numbers([[pose(60)], [vague], [pose(60)]]) == [[0], [1], [0]]


def test_more_people_than_are_remembered() -> None:
    crowd = [pose(10 * n, 5 * n, 0.3) for n in range(MOST_POSES)]
    for found in numbers([crowd] * 3):
        assert found[: PEOPLE.MOST] == list(range(PEOPLE.MOST))
        assert all(number < PEOPLE.MOST for number in found)


def test_extreme_coordinates_are_borne() -> None:
    corner = SimpleNamespace(x16=[-32768, 32767] * 8 + [0], y16=[32767, -32768] * 8 + [0], scores=bytes([255] * 17))
    assert numbers([[corner], [corner], [pose(100), corner]])[-1] == [1, 0]
