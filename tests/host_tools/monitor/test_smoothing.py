"""The one-euro filter: who stands stays, nothing leaves the bounds of what came, integers stay integers."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.monitor.smoothing import BETA, LEAST_CUTOFF_HZ, SPEED_CUTOFF_HZ, Smoother
from host_tools.serial_link.sentences import Pose
from tests.host_tools.monitor.actors import SIZE, person

coordinates = st.integers(-(1 << 15), (1 << 15) - 1)
steps = st.integers(1, 1000)


def pose(x16: int, y16: int = 0) -> Pose:
    return Pose(200, ((x16, y16, 99),) * 17)


def smoothed(values: list[tuple[int, int]]) -> list[Pose]:
    """Poses of one person whose keypoints are all at x16, so many ms after one another."""
    smoother, t_ms, found = Smoother(), 0, []
    for x16, step in values:
        t_ms += step
        found += smoother.smooth([pose(x16)], [1], t_ms, SIZE)
    return found


@given(coordinates, st.lists(steps, min_size=1, max_size=20))
def test_who_stands_still_stays_exactly_there(x16: int, times: list[int]) -> None:
    assert smoothed([(x16, step) for step in times]) == [pose(x16)] * len(times)


@given(st.lists(st.tuples(coordinates, steps), min_size=1, max_size=30))
def test_it_never_leaves_the_range_of_what_came(values: list[tuple[int, int]]) -> None:
    for count, after in enumerate(smoothed(values), start=1):
        came = [x16 for x16, _ in values[:count]]
        for x16, y16, score in after.keypoints:
            assert min(came) <= x16 <= max(came)
            assert (type(x16), type(y16), y16, score) == (int, int, 0, 99)


def test_it_is_the_filter_of_the_paper() -> None:
    """The second and third value by hand: speeds in picture widths a second, 0.1 s apart."""
    width16, step = 16 * SIZE[0], 0.1
    raw = [0, 512, 400]

    def share(cutoff: float) -> float:
        return 1 / (1 + 1 / (2 * math.pi * cutoff * step))

    speed, value = 0.0, 0.0
    for before, now in itertools.pairwise(raw):
        speed += ((now - before) / width16 / step - speed) * share(SPEED_CUTOFF_HZ)
        value += (now - value) * share(LEAST_CUTOFF_HZ + BETA * abs(speed))
    assert smoothed([(x16, 100) for x16 in raw])[-1].keypoints[0][0] == round(value)


def test_trembling_becomes_smaller_and_a_walk_is_followed() -> None:
    """Half a pixel to and fro; then a quarter of the picture a second, ten frames a second."""
    trembling = smoothed([(1600 + (-4 if number % 2 else 4), 100) for number in range(40)])
    places = [after.keypoints[0][0] for after in trembling[20:]]
    assert max(places) - min(places) < 8
    walk = [(128 * number, 100) for number in range(40)]
    lag = [x16 - after.keypoints[0][0] for (x16, _), after in zip(walk, smoothed(walk), strict=True)]
    assert max(lag[10:]) < 16


@pytest.mark.parametrize("t_ms", [100, 50, 2000])
def test_time_that_stands_still_goes_back_or_jumps_begins_anew(t_ms: int) -> None:
    smoother = Smoother()
    smoother.smooth([pose(0)], [1], 100, SIZE)
    assert smoother.smooth([pose(999)], [1], t_ms, SIZE) == (pose(999),)


def test_persons_are_not_mixed() -> None:
    smoother = Smoother()
    left, right = person(50, 50), person(250, 50)
    smoother.smooth([left, right], [1, 2], 100, SIZE)
    assert smoother.smooth([right, left], [2, 1], 200, SIZE) == (right, left)


def test_who_has_gone_is_forgotten() -> None:
    smoother = Smoother()
    for number in range(100):
        smoother.smooth([pose(0)], [number], 100 * number, SIZE)
    assert len(smoother._states) <= 11
