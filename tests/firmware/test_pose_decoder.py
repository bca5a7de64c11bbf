"""The integer decoder on drawn heads with known answers, and its rules one by one."""

from __future__ import annotations

import numpy as np
import pytest

from conversion.decoding.dialects.tfjs import CHAIN
from firmware import pose_decoder
from firmware.pose_decoder import PARTS, PoseDecoder
from tests.firmware import synthetic
from tests.firmware.decoding import CARD, blank, positions, run

# Half a step of the offset head in 1/16 pixel, and rounding.
POSITION_TOLERANCE_16 = 0.392 / 2 * 16 + 1


def roots(poses: list[pose_decoder.Pose], byte: int) -> list[tuple[int, int, int]]:
    """(part, y, x) in pixels of the one part in each pose that has this heatmap byte."""
    parts = [list(pose.heat).index(byte) for pose in poses]
    return [(part, pose.y64[part] // 64, pose.x64[part] // 64) for part, pose in zip(parts, poses, strict=True)]


@pytest.mark.parametrize(("width", "height", "count"), [(320, 240, 3), (320, 240, 1), (256, 192, 2), (64, 256, 1)])
def test_drawn_people_are_found_where_they_are(width: int, height: int, count: int) -> None:
    card = synthetic.card(width, height)
    people = synthetic.crowd(width, height, count)
    poses = run(synthetic.quantised(synthetic.drawn(people, card), card), card)
    assert len(poses) == count
    left_to_right = sorted(poses, key=lambda pose: pose.x16[0])
    for pose, person in zip(left_to_right, people, strict=True):
        assert np.abs(positions(pose) - person * 16).max() <= POSITION_TOLERANCE_16
        assert min(pose.scores) > 240
        assert pose.score > 240


def test_single_pose_finds_the_one_person() -> None:
    person = synthetic.person(150, 8, 215)
    decoder = PoseDecoder(CARD)
    heads = synthetic.quantised(synthetic.drawn([person], CARD), CARD)
    assert decoder.decode_single(synthetic.buffers(heads)) == 1
    assert np.abs(positions(decoder.poses[0]) - person * 16).max() <= POSITION_TOLERANCE_16


def test_single_pose_takes_the_first_of_equal_cells() -> None:
    heads = blank()
    heads["heatmap"][3, 4, 5] = heads["heatmap"][3, 4, 9] = heads["heatmap"][3, 7, 1] = 200
    heads["heatmap"][3, 1, 1] = 199
    decoder = PoseDecoder(CARD)
    decoder.decode_single(synthetic.buffers(heads))
    pose = decoder.poses[0]
    assert (pose.y16[3], pose.x16[3]) == (4 * 256, 5 * 256)
    assert (pose.y16[4], pose.x16[4]) == (0, 0)


def test_single_pose_below_the_pose_score_is_no_pose() -> None:
    decoder = PoseDecoder(CARD)
    decoder.configure(pose_score=3000)
    assert decoder.decode_single(synthetic.buffers(blank())) == 0


def test_nobody_is_found_where_nobody_is() -> None:
    assert run(blank()) == []


def test_poses_come_by_byte_then_part_then_row_then_column() -> None:
    heads = blank()
    places = [(5, 12, 3), (5, 2, 10), (5, 2, 17), (2, 13, 18), (9, 7, 7)]
    for part, row, column in places[:4]:
        heads["heatmap"][part, row, column] = 200
    heads["heatmap"][9, 7, 7] = 201
    found = run(heads, nms_radius=0)
    assert roots(found[:1], 201) == [(9, 112, 112)]
    assert roots(found[1:], 200) == [(2, 208, 288), (5, 32, 160), (5, 32, 272), (5, 192, 48)]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({(4, 4): 200, (4, 5): 200}, [(4, 4)]),
        ({(4, 4): 200, (5, 4): 200}, [(4, 4)]),
        ({(4, 5): 200, (5, 4): 200}, [(4, 5)]),
        # As in tfjs, a cell with an equal neighbour is a root though that neighbour is none.
        ({(4, 4): 200, (4, 5): 200, (4, 6): 201}, [(4, 6), (4, 4)]),
        ({(4, 4): 200, (4, 5): 200, (4, 6): 200, (5, 4): 200, (6, 4): 200}, [(4, 4)]),
        ({(4, 4): 200, (4, 6): 200}, [(4, 4), (4, 6)]),
        ({(5, 5): 201, (4, 4): 200}, [(5, 5)]),
        ({(5, 5): 201, (6, 6): 200, (6, 4): 200, (5, 6): 200}, [(5, 5)]),
        ({(0, 0): 200, (14, 19): 200, (0, 19): 200, (14, 0): 200}, [(0, 0), (0, 19), (14, 0), (14, 19)]),
        ({(0, 0): 200, (0, 1): 201, (14, 18): 202, (14, 19): 200}, [(14, 18), (0, 1)]),
        # The end of one row, and of one part's heatmap, does not touch the beginning of the next.
        ({(3, 19): 200, (4, 0): 200}, [(3, 19), (4, 0)]),
    ],
)
def test_local_maxima_and_plateaus(cells: dict[tuple[int, int], int], expected: list[tuple[int, int]]) -> None:
    """A plateau has one root, its first cell in row-major order."""
    heads = blank()
    for (row, column), byte in cells.items():
        heads["heatmap"][6, row, column] = byte
    poses = run(heads, nms_radius=0, max_poses=20)
    assert [(pose.y64[6] // 1024, pose.x64[6] // 1024) for pose in poses] == expected


def test_parts_do_not_compete_with_each_other() -> None:
    heads = blank()
    heads["heatmap"][3, 14, :] = 180
    heads["heatmap"][4, 0, :] = 255
    poses = run(heads, nms_radius=0, max_poses=20)
    assert [list(pose.heat).index(max(pose.heat)) for pose in poses][:1] == [4]
    assert len(poses) == 2


def test_the_whole_heatmap_as_one_plateau() -> None:
    heads = blank()
    heads["heatmap"][:] = 255
    assert len(run(heads, max_poses=32)) == 1
    assert len(run(heads, max_poses=32, nms_radius=0)) == 1


def test_byte_zero_is_no_root_however_low_the_threshold() -> None:
    heads = blank()
    heads["heatmap"][:] = 0
    assert run(heads, root_score=1) == []
    heads["heatmap"][0, 3, 3] = 1
    assert len(run(heads, root_score=1)) == 1


def test_the_threshold_is_a_byte_of_the_sigmoid_table() -> None:
    """Byte 134 is logit 0 in CARD: exactly 0.5."""
    heads = blank()
    heads["heatmap"][0, 3, 3] = 134
    assert CARD["sigmoid"][134] == 16384
    assert len(run(heads)) == 1
    assert run(heads, root_score=16385) == []
    heads["heatmap"][0, 3, 3] = 133
    assert run(heads) == []
    assert run(heads, root_score=pose_decoder.ONE) == []


@pytest.mark.parametrize(("apart", "found"), [(19, 1), (20, 1), (21, 2)])
def test_the_nms_radius_is_inclusive(apart: int, found: int) -> None:
    """Two roots of one part, moved to a distance of `apart` pixels by their offsets."""
    card = synthetic.card(320, 240, {**synthetic.EXACT, "offset": (1.0, 128)})
    heads = blank(card)
    heads["heatmap"][0, 5, 5], heads["heatmap"][0, 5, 7] = 220, 210
    heads["offset"][17, 5, 7] = 128 - 32 + apart
    assert len(run(heads, card)) == found


def test_nms_measures_in_two_dimensions_and_in_64ths() -> None:
    card = synthetic.card(320, 240, {**synthetic.EXACT, "offset": (1.0, 128)})
    heads = blank(card)
    heads["heatmap"][0, 5, 5], heads["heatmap"][0, 5, 7] = 220, 210
    heads["offset"][17, 5, 7], heads["offset"][0, 5, 7] = 128 - 32 + 12, 128 + 16
    assert len(run(heads, card)) == 1
    heads["offset"][0, 5, 7] = 128 + 17
    assert len(run(heads, card)) == 2


def test_nms_compares_with_the_same_part_only() -> None:
    heads = blank()
    heads["heatmap"][0, 5, 5] = 220
    heads["heatmap"][7, 5, 5] = 210
    # Without displacements every part of the first pose lies at its root.
    assert len(run(heads)) == 1
    heads["displacement_fwd"][5, :] = 200
    assert len(run(heads)) == 2


def test_claimed_parts_do_not_count_for_later_poses() -> None:
    people = synthetic.crowd(320, 240, 2)
    people[1][11:] = people[0][11:]
    poses = run(synthetic.quantised(synthetic.drawn(people, CARD), CARD))
    assert poses[0].score > 240
    assert poses[1].score == pytest.approx(poses[0].score * 11 / 17, abs=6)
    assert poses[1].score_sum == sum(CARD["sigmoid"][byte] for byte in list(poses[1].heat)[:11])
    assert min(poses[1].scores) > 240


def test_a_pose_grows_from_any_part() -> None:
    """Whichever part is seen best, the other 16 are reached, backward and forward."""
    person = synthetic.person(160, 10, 215)
    for root in range(PARTS):
        heads = synthetic.quantised(synthetic.drawn([person], CARD), CARD)
        weak = heads["heatmap"] > 140
        heads["heatmap"][weak] = 140
        row, column = np.round(person[root, ::-1] / 16).astype(int)
        heads["heatmap"][root, row, column] = 250
        poses = run(heads)
        assert len(poses) == 1
        assert np.abs(positions(poses[0]) - person * 16).max() <= POSITION_TOLERANCE_16
        assert list(poses[0].heat).count(250) == 1


def test_a_refinement_replaces_the_displaced_position() -> None:
    """From the nose to the left eye: 20 px to the right of the nose, then twice what the offsets say."""
    card = synthetic.card(320, 240, dict.fromkeys(synthetic.EXACT, (1.0, 100)))
    heads = {name: np.full_like(values, 100) for name, values in blank(card).items()}
    heads["heatmap"][:] = 0
    heads["heatmap"][0, 4, 4] = 255
    heads["displacement_fwd"][0 + 16, 4, 4] = 120
    heads["offset"][1 + 17, 4, 5] = 100 + 30
    heads["offset"][1 + 17, 4, 7] = 100 + 3
    heads["heatmap"][1, 4, 7] = 77
    pose = run(heads, card)[0]
    # x: 64 + 20 = 84 -> cell 5; 80 + 30 = 110 -> cell 7; 112 + 3 = 115 -> cell 7.
    assert (pose.x64[1], pose.y64[1], pose.heat[1]) == (115 * 64, 64 * 64, 77)


@pytest.mark.parametrize(("distance", "cell"), [(8, 5), (7, 4), (-8, 4), (-9, 3)])
def test_half_a_cell_rounds_up(distance: int, cell: int) -> None:
    card = synthetic.card(320, 240, dict.fromkeys(synthetic.EXACT, (1.0, 100)))
    heads = {name: np.full_like(values, 100) for name, values in blank(card).items()}
    heads["heatmap"][:] = 0
    heads["heatmap"][0, 4, 4] = 255
    heads["displacement_fwd"][0 + 16, 4, 4] = 100 + distance
    assert run(heads, card)[0].x64[1] == cell * 1024


def test_positions_leave_the_picture_but_cells_do_not() -> None:
    card = synthetic.card(320, 240, dict.fromkeys(synthetic.EXACT, (1.0, 100)))
    heads = {name: np.full_like(values, 100) for name, values in blank(card).items()}
    heads["heatmap"][:] = 0
    heads["heatmap"][0, 0, 0] = 255
    heads["offset"][0, 0, 0] = heads["offset"][17, 0, 0] = 0
    heads["displacement_fwd"][0 + 16, 0, 0] = 0
    heads["offset"][1, 0, 0] = heads["offset"][1 + 17, 0, 0] = 2
    heads["heatmap"][1, 0, 0] = 33
    pose = run(heads, card)[0]
    assert (pose.x16[0], pose.y16[0]) == (-1600, -1600)
    assert (pose.x16[1], pose.y16[1], pose.heat[1]) == (-98 * 16, -98 * 16, 33)


@pytest.mark.parametrize(("byte", "sixty_fourths"), [(129, 2), (127, -1), (130, 3), (126, -3), (131, 5), (125, -4)])
def test_distances_round_half_up(byte: int, sixty_fourths: int) -> None:
    """A step of 1.5/64 px: every odd multiple is a tie."""
    card = synthetic.card(320, 240, {**synthetic.EXACT, "offset": (1.5 / 64, 128)})
    heads = blank(card)
    heads["heatmap"][0, 5, 5] = 220
    heads["offset"][0, 5, 5] = heads["offset"][17, 5, 5] = byte
    pose = run(heads, card)[0]
    assert (pose.y64[0], pose.x64[0]) == (5 * 1024 + sixty_fourths, 5 * 1024 + sixty_fourths)


@pytest.mark.parametrize(("byte", "sixteenths"), [(129, 1), (127, 0), (130, 1), (126, -1), (131, 2), (125, -1)])
def test_results_round_half_up(byte: int, sixteenths: int) -> None:
    """A step of 2/64 px: every odd multiple is half a sixteenth."""
    card = synthetic.card(320, 240, {**synthetic.EXACT, "offset": (2 / 64, 128)})
    heads = blank(card)
    heads["heatmap"][0, 5, 5] = 220
    heads["offset"][0, 5, 5] = heads["offset"][17, 5, 5] = byte
    pose = run(heads, card)[0]
    assert (pose.y16[0], pose.x16[0]) == (5 * 256 + sixteenths, 5 * 256 + sixteenths)


def test_a_pose_score_is_the_rounded_mean() -> None:
    for seed in range(20):
        for pose in run(synthetic.noise(seed, CARD), max_poses=8):
            assert pose.score == int(pose.score_sum * 255 / (PARTS * pose_decoder.ONE) + 0.5)
            assert list(pose.scores) == [int(CARD["sigmoid"][byte] * 255 / 32768 + 0.5) for byte in pose.heat]


def test_the_walk_is_the_tree_of_tfjs() -> None:
    edges = list(zip(pose_decoder.PARENT, pose_decoder.CHILD, strict=True))
    assert edges == list(CHAIN)
    for root, walk in enumerate(pose_decoder.WALKS):
        known = {root}
        for step in walk:
            parent, child = edges[step % 16]
            source, target = (parent, child) if step < 16 else (child, parent)
            assert source in known
            assert target not in known
            known.add(target)
        assert len(known) == PARTS
