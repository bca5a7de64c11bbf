"""tfjs's decoders in floats, on drawn tensors with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from conversion import network
from conversion.decoding.dialects import tfjs
from tests.firmware import synthetic

CARD = synthetic.card(320, 240)


def blank() -> synthetic.Heads:
    return synthetic.drawn([], CARD)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_drawn_people_are_found_exactly(count: int) -> None:
    people = synthetic.crowd(320, 240, count)
    poses = tfjs.decode(synthetic.drawn(people, CARD))
    assert len(poses) == count
    for pose, person in zip(sorted(poses, key=lambda pose: pose.keypoints[0, 0]), people, strict=True):
        assert np.allclose(pose.keypoints[:, :2], person)
        assert pose.score > 0.9


def test_single_pose_is_the_argmax_of_each_part() -> None:
    person = synthetic.person(150, 8, 215)
    pose = tfjs.decode_single(synthetic.drawn([person], CARD))
    assert np.allclose(pose.keypoints[:, :2], person)
    assert pose.score == pytest.approx(pose.keypoints[:, 2].mean())


def test_single_pose_takes_the_first_maximum() -> None:
    heads = blank()
    heads["heatmap"][3, 4, 5] = heads["heatmap"][3, 4, 9] = heads["heatmap"][3, 7, 1] = 3.0
    assert tfjs.decode_single(heads).keypoints[3, :2].tolist() == [80, 64]


def test_roots_come_by_score_then_part_then_row_then_column() -> None:
    heatmap = blank()["heatmap"]
    for part, row, column in ((5, 12, 3), (5, 2, 17), (5, 2, 10), (2, 13, 18)):
        heatmap[part, row, column] = 1.5
    heatmap[9, 7, 7] = 1.6
    assert tfjs.roots(heatmap, 0.5) == [(9, 7, 7), (2, 13, 18), (5, 2, 10), (5, 2, 17), (5, 12, 3)]


def test_a_plateau_has_one_root_and_its_edge_none() -> None:
    heatmap = blank()["heatmap"]
    heatmap[0, 4:7, 4:7] = 2.0
    heatmap[1, 0, :] = 2.0
    assert tfjs.roots(heatmap, 0.5) == [(0, 4, 4), (1, 0, 0)]


def test_the_threshold_is_inclusive_and_a_score() -> None:
    heatmap = blank()["heatmap"]
    heatmap[0, 4, 4] = 0.0
    assert tfjs.roots(heatmap, 0.5) == [(0, 4, 4)]
    assert tfjs.roots(heatmap, 0.501) == []


def test_the_radius_is_inclusive() -> None:
    heads = blank()
    heads["heatmap"][0, 5, 5], heads["heatmap"][0, 5, 7] = 3.0, 2.0
    assert len(tfjs.decode(heads, nms_radius=32)) == 1
    assert len(tfjs.decode(heads, nms_radius=31.9)) == 2


def test_claimed_parts_do_not_count_for_later_poses() -> None:
    people = synthetic.crowd(320, 240, 2)
    people[1][11:] = people[0][11:]
    first, second = tfjs.decode(synthetic.drawn(people, CARD))
    assert first.score > 0.9
    assert second.score == pytest.approx(second.keypoints[:11, 2].sum() / 17)


def test_edges_and_skeleton_name_the_same_parts() -> None:
    """The chain reaches every part; the drawn skeleton uses body parts only."""
    assert {part for edge in tfjs.CHAIN for part in edge} == set(range(len(network.KEYPOINTS)))
    assert {part for line in network.SKELETON for part in line} == set(range(5, 17))
    mirrored = {tuple(network.KEYPOINTS[part].replace("left", "right") for part in edge) for edge in tfjs.CHAIN}
    assert len(mirrored) == len(tfjs.CHAIN) // 2


def test_sigmoid_is_exact_in_the_middle_and_safe_at_the_ends() -> None:
    assert tfjs.sigmoid(0.0) == 0.5
    assert tfjs.sigmoid(-1e6) == 0.0
    assert tfjs.sigmoid(1e6) == 1.0
    assert tfjs.sigmoid(1.0) == pytest.approx(1 / (1 + np.exp(-1)))
