"""Person ids: the same person keeps the number, whatever the order; nobody gets somebody else's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.monitor import people
from host_tools.monitor.people import People
from host_tools.serial_link.sentences import Pose
from tests.host_tools.monitor.actors import person

APART = [person(50, 50), person(150, 60), person(260, 55)]


def test_the_sigmas_are_cocos() -> None:
    params = pytest.importorskip("pycocotools.cocoeval").Params(iouType="keypoints")
    assert people.SIGMAS.tolist() == pytest.approx(params.kpt_oks_sigmas.tolist())


def test_similarity_by_hand() -> None:
    """Two keypoints at distance d of a square of side s: exp(-d² / (2 s² (2 sigma)²)), the others where they were."""
    square = np.zeros((17, 3), int)
    square[[0, 5, 6, 11]] = [[0, 0, 255], [1600, 0, 255], [0, 1600, 255], [1600, 1600, 255]]
    moved = square.copy()
    moved[11, 0] += 160
    expected = (3 + np.exp(-(160**2) / (2 * 1600**2 * (2 * 0.107) ** 2))) / 4
    assert people.similarity(moved, square) == pytest.approx(expected)
    assert people.similarity(square, square) == 1


def test_too_few_keypoints_in_common_are_no_likeness() -> None:
    one = np.array(person(100, 100).keypoints)
    other = one.copy()
    other[3:, 2] = people.LEAST_SCORE - 1
    assert people.similarity(one, other) == 0


@given(st.permutations(APART), st.permutations(APART))
def test_any_order_of_the_same_people_gives_each_the_same_id(first: list[Pose], second: list[Pose]) -> None:
    ids = People()
    before = dict(zip(map(id, first), ids.identify(first, 100), strict=True))
    after = dict(zip(map(id, second), ids.identify(second, 200), strict=True))
    assert before == after
    assert sorted(before.values()) == [1, 2, 3]


@given(st.lists(st.sampled_from(APART), max_size=6), st.lists(st.sampled_from(APART), max_size=6))
def test_no_id_is_given_twice_in_a_frame(first: list[Pose], second: list[Pose]) -> None:
    ids = People()
    for t_ms, poses in enumerate((first, second), start=1):
        given_ids = ids.identify(poses, 100 * t_ms)
        assert len(set(given_ids)) == len(poses)


def test_who_walks_keeps_the_id_and_who_comes_gets_a_new_one() -> None:
    ids = People()
    for step in range(30):
        assert ids.identify([person(60 + 4 * step, 60)], 100 * step) == (1,)
    assert ids.identify([person(260, 60), person(60 + 4 * 29, 60)], 3000) == (2, 1)


def test_a_short_absence_is_forgiven_and_a_long_one_is_not() -> None:
    ids = People()
    assert ids.identify([APART[0]], 0) == (1,)
    ids.identify([], 500)
    assert ids.identify([APART[0]], 1000) == (1,)
    ids.identify([], 1500)
    assert ids.identify([APART[0]], 2001) == (2,)


def test_a_restarted_board_begins_anew() -> None:
    ids = People()
    assert ids.identify([APART[0]], 5000) == (1,)
    assert ids.identify([APART[0]], 100) == (2,)


def test_people_who_come_and_go_all_the_time_are_not_kept() -> None:
    ids = People()
    for number in range(200):
        ids.identify([person(30 + 97 * number % 260, 30 + 53 * number % 180, 20)], number)
    assert len(ids._tracks) <= people.MOST_PEOPLE


@pytest.mark.parametrize("speed", [2, 4, 8, 12])
def test_two_who_cross_keep_theirs(speed: int) -> None:
    """They walk through each other at ten frames a second, named in an order that changes."""
    ids = People()
    for step in range(240 // speed):
        pair = [person(40 + speed * step, 60), person(281 - speed * step, 61)]
        order = [step % 3 == 1, step % 3 != 1]
        found = ids.identify([pair[each] for each in order], 100 * step)
        assert [found[order.index(each)] for each in range(2)] == [1, 2]


def test_colours_are_the_least_that_nobody_else_has_and_stay() -> None:
    ids = People()
    ids.identify([APART[0], APART[1]], 0)
    assert ids.colours == (0, 1)
    ids.identify([APART[1], APART[2]], 900)
    assert ids.colours == (1, 2)
    # The first is forgotten, and the colour free again.
    assert ids.identify([APART[2], APART[0], APART[1]], 1500) == (3, 4, 2)
    assert ids.colours == (2, 0, 1)
