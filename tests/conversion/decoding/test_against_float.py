"""The integer decoder is tfjs's: to the bit where floats are exact, within rounding elsewhere, and on photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion.decoding import board_decoder
from conversion.decoding.dialects import tfjs
from tests.conversion.decoding.comparison import compare
from tests.firmware import synthetic
from tests.samples import sample

PHOTOS = 100
MOST_FLIPS = 0.01


@st.composite
def exact_cases(draw: st.DrawFn) -> tuple[dict, synthetic.Heads]:
    """Small grids, any zero points, scales of whole 1/64 pixels, heatmaps with few levels so that ties abound."""
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(1, 7))
    parameters = {
        name: (draw(st.integers(1, 256)) / 64, draw(st.integers(0, 255)))
        for name in ("offset", "displacement_fwd", "displacement_bwd")
    }
    parameters["heatmap"] = (draw(st.sampled_from([0.03, 0.0625, 0.11])), draw(st.integers(0, 255)))
    card = synthetic.card(16 * columns, 16 * rows, parameters)
    levels, low = draw(st.integers(2, 60)), draw(st.integers(0, 200))
    return card, synthetic.noise(draw(st.integers(0, 1 << 32)), card, levels, low)


@given(case=exact_cases(), max_poses=st.integers(1, 32), nms_radius=st.integers(0, 60))
def test_equal_to_the_bit_where_floats_are_exact(
    case: tuple[dict, synthetic.Heads], max_poses: int, nms_radius: int
) -> None:
    card, heads = case
    heads["heatmap"] = np.maximum(heads["heatmap"], 1)
    ours = board_decoder.decode(heads, card, max_poses=max_poses, nms_radius=nms_radius)
    theirs = tfjs.decode(synthetic.dequantised(heads, card), max_poses, 0.5, nms_radius)
    assert len(ours) == len(theirs)
    for pose, other in zip(ours, theirs, strict=True):
        assert np.array_equal(pose.keypoints[:, :2], other.keypoints[:, :2])
        assert np.abs(pose.keypoints[:, 2] - other.keypoints[:, 2]).max() <= 0.5001 / 32768
        assert pose.score == pytest.approx(other.score, abs=1 / 32768)


@given(case=exact_cases())
def test_single_pose_is_equal_too(case: tuple[dict, synthetic.Heads]) -> None:
    card, heads = case
    ours, theirs = board_decoder.decode_single(heads, card), tfjs.decode_single(synthetic.dequantised(heads, card))
    assert np.array_equal(ours.keypoints[:, :2], theirs.keypoints[:, :2])
    assert ours.score == pytest.approx(theirs.score, abs=1 / 32768)


def test_rounding_flips_few_cells_in_noise() -> None:
    """The worst there is: every position is random, so that many lie near the edge of a cell."""
    card = synthetic.card(320, 240)
    agreement = compare((synthetic.noise(seed, card, 60) for seed in range(60)), card, 10, 0.5)
    assert agreement.keypoints == 60 * 10 * 17
    assert agreement.share < MOST_FLIPS
    assert agreement.worst_px <= 3 / 64


def test_people_agree_without_a_flip() -> None:
    card = synthetic.card(320, 240)
    people = [np.add(synthetic.crowd(320, 240, 1 + n % 3), (n % 16, n // 16)) for n in range(64)]
    frames = (synthetic.quantised(synthetic.drawn(figures, card), card) for figures in people)
    agreement = compare(frames, card, 20, 0.3)
    assert agreement.keypoints >= 64 * 17
    assert agreement.flips == 0
    assert agreement.worst_score < 1e-4


@pytest.mark.parametrize("every", sample([4, 1], 0))
def test_photos_agree(people_photos: list[Path], tfjs_graph_dir: Path, every: int) -> None:
    """Real heads at 320x240 with the parameters of evaluation: no keypoint off by more than 1/16 px but for flips."""
    from conversion import photos, weights
    from conversion.tensorflow import graph

    run = graph.build(weights.load(tfjs_graph_dir), 320, 240)
    card = synthetic.card(320, 240)
    chosen = people_photos[:PHOTOS:every]
    pictures = np.stack([photos.letterbox(photos.read(path), 320, 240) for path in chosen])
    frames = []
    for start in range(0, len(pictures), 10):
        heads = run(pictures[start : start + 10])
        frames += [
            synthetic.quantised({name: values[n] for name, values in heads.items()}, card)
            for n in range(len(pictures[start : start + 10]))
        ]
    agreement = compare(frames, card, 20, 0.3)
    print(f"{len(frames)} photos, {agreement.keypoints} keypoints: {agreement}")
    assert agreement.keypoints > 17 * len(frames)
    assert agreement.share < MOST_FLIPS
    assert agreement.worst_score < 1e-4
