"""The vote of the cells around a keypoint, against the rule written down once more with fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion.decoding import fixed_point
from firmware.pose_decoder import PARTS, Pose, PoseDecoder
from tests.firmware import synthetic
from tests.firmware.decoding import CARD, blank, run

SMALL = synthetic.card(96, 64)


def half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def voted(pose: Pose, part: int, heads: synthetic.Heads, card: dict, gate: int) -> tuple[int, int]:
    """(x, y) in 1/64 pixel of a part after the vote, from where it was before."""
    offset = card["heads"][1]
    rows, columns = heads["heatmap"].shape[1:]
    x, y = pose.x64[part], pose.y64[part]
    row = min(max(half_up(Fraction(y, 1024)), 0), rows - 1)
    column = min(max(half_up(Fraction(x, 1024)), 0), columns - 1)
    said = []
    for r in range(max(row - 1, 0), min(row + 2, rows)):
        for c in range(max(column - 1, 0), min(column + 2, columns)):
            dy, dx = (
                half_up(
                    Fraction((int(heads["offset"][channel, r, c]) - offset["zero_point"]) * offset["multiplier"])
                    / 2 ** offset["shift"]
                )
                for channel in (part, part + PARTS)
            )
            there = (1024 * c + dx - x, 1024 * r + dy - y)
            if max(map(abs, there)) <= 64 * gate:
                said.append((card["sigmoid"][heads["heatmap"][part, r, c]], *there))
    weight = sum(entry[0] for entry in said)
    if not weight:
        return x, y
    mean_x, mean_y = (Fraction(sum(entry[0] * entry[axis] for entry in said), weight) for axis in (1, 2))
    return x + half_up(mean_x), y + half_up(mean_y)


@given(seed=st.integers(0, 1 << 32), gate=st.integers(1, 16), levels=st.sampled_from([3, 40, 256]))
def test_every_keypoint_goes_where_the_rule_says(seed: int, gate: int, levels: int) -> None:
    heads = synthetic.noise(seed, SMALL, levels=levels)
    asked = {"max_poses": 3, "root_score": 3000}
    before, after = run(heads, SMALL, **asked), run(heads, SMALL, vote=gate, **asked)
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        assert (new.score_sum, new.scores, new.heat) == (old.score_sum, old.scores, old.heat)
        for part in range(PARTS):
            x, y = voted(old, part, heads, SMALL, gate)
            assert (new.x64[part], new.y64[part]) == (x, y)
            assert (new.x16[part], new.y16[part]) == (x + 2 >> 2, y + 2 >> 2)


def test_one_pose_votes_too() -> None:
    heads = synthetic.noise(5, SMALL)
    plain, decoder = PoseDecoder(SMALL), PoseDecoder(SMALL)
    decoder.configure(vote=8)
    plain.decode_single(synthetic.buffers(heads))
    decoder.decode_single(synthetic.buffers(heads))
    moved = [voted(plain.poses[0], part, heads, SMALL, 8) for part in range(PARTS)]
    assert list(zip(decoder.poses[0].x64, decoder.poses[0].y64, strict=True)) == moved
    assert moved != list(zip(plain.poses[0].x64, plain.poses[0].y64, strict=True))


@pytest.mark.parametrize(("pixels", "counts"), [(8, True), (9, False)])
def test_the_gate_is_inclusive(pixels: int, counts: bool) -> None:
    """A neighbour says a place 8 or 9 pixels to the right of the keypoint; the gate is 8."""
    card = {**CARD, "heads": [dict(head) for head in CARD["heads"]]}
    card["heads"][1]["multiplier"], card["heads"][1]["shift"] = fixed_point.multiplier_and_shift(1.0)
    zero = card["heads"][1]["zero_point"]
    heads = blank(card)
    heads["heatmap"][:, 7, 10] = 255
    heads["heatmap"][:, 7, 11] = 254
    heads["offset"][PARTS:, 7, 11] = zero - 16 + pixels
    # One pose, all of whose parts lie in its root's cell.
    for name in ("displacement_fwd", "displacement_bwd"):
        heads[name][:] = card["heads"][2 if name.endswith("fwd") else 3]["zero_point"]
    (pose,) = run(heads, card, max_poses=1, vote=8)
    assert (pose.x64[0] > 10 * 1024) == counts


def test_without_a_weight_nothing_moves() -> None:
    """Where every cell's score is 0 in the table there is nobody to ask."""
    card = {**SMALL, "sigmoid": [0] * 256}
    heads = synthetic.noise(1, card)
    decoder = PoseDecoder(card)
    decoder.decode_single(synthetic.buffers(heads))
    before = list(decoder.poses[0].x64)
    decoder.configure(vote=8)
    assert decoder.decode_single(synthetic.buffers(heads)) == 1
    assert list(decoder.poses[0].x64) == before


def test_poses_are_claimed_by_where_they_grew() -> None:
    """The vote moves what is told, not who is found: two people found without it are found with it, in that order."""
    card = synthetic.card(320, 240)
    heads = synthetic.quantised(synthetic.drawn(synthetic.crowd(320, 240, 3), card), card)
    rng = np.random.default_rng(3)
    heads["offset"] = np.clip(heads["offset"].astype(int) + rng.integers(-9, 10, heads["offset"].shape), 0, 255).astype(
        np.uint8
    )
    before, after = run(heads, card), run(heads, card, vote=16)
    assert [pose.score_sum for pose in before] == [pose.score_sum for pose in after]
