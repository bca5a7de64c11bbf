"""The plan that is chosen for its time: the fewest layers that are about as fast as the best."""

from __future__ import annotations

import pytest

from conversion import card
from conversion.errors import KpuMemoryError, SizeError
from conversion.kmodel import plan as planning
from conversion.kmodel import sampling
from conversion.kmodel.plan import RamPlan, placed_registers
from conversion.kpu import fastest, time
from tests.conversion.kmodel.networks import as_compiled, posenet_like

NETWORK = posenet_like()


def seconds(the_plan: RamPlan) -> float:
    return time.estimate(placed_registers(NETWORK, the_plan), 0).kpu


@pytest.mark.parametrize("size", [(96, 80), (256, 192), (320, 240), (512, 224)])
def test_the_parts_are_the_fewest_that_are_about_as_fast_as_the_best(size: tuple[int, int]) -> None:
    plans = [planning.plan(NETWORK, *size, part_channels=count) for count in sampling.part_sizes(NETWORK)]
    chosen = fastest.plan(NETWORK, *size)
    enough = fastest.AS_FAST * min(map(seconds, plans))
    assert seconds(chosen) <= enough
    fewer = [seconds(one) for one in plans if len(one.steps) < len(chosen.steps)]
    assert fewer
    assert min(fewer) > enough


@pytest.mark.parametrize(
    ("size", "parts"), [((320, 240), [3, 6, 12]), ((256, 192), [3, 6, 12]), ((512, 224), [4, 8, 16])]
)
def test_known_parts(size: tuple[int, int], parts: list[int]) -> None:
    assert list(fastest.plan(NETWORK, *size).split_layers.values()) == parts


def test_a_camera_frame_takes_a_fifth_less_than_as_nncase_compiles_it() -> None:
    late = as_compiled()
    before = card.expected_time(late, fastest.plan(late, 320, 240)).total
    after = card.expected_time(NETWORK, fastest.plan(NETWORK, 320, 240)).total
    assert (round(1000 * before, 1), round(1000 * after, 1)) == (50.0, 40.0)


def test_a_network_without_such_layers_has_the_one_plan_that_there_is() -> None:
    late = as_compiled()
    assert sampling.part_sizes(late) == [0]
    assert fastest.plan(late, 320, 240) == planning.plan(late, 320, 240)


def test_what_does_not_fit_is_refused_as_by_the_planner() -> None:
    with pytest.raises(KpuMemoryError, match=r"512x256 .* is 512x224"):
        fastest.plan(NETWORK, 512, 256)
    with pytest.raises(SizeError, match="nearest such size"):
        fastest.plan(NETWORK, 100, 100)
