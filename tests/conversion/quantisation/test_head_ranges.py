"""Heads' ranges: an integer zero point, an end that the photos reach, and no wider than what counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion.errors import PhotoError
from conversion.network import HEAD_NAMES
from conversion.quantisation import head_ranges
from conversion.quantisation.result import HeadScale


def ends(scale: HeadScale) -> tuple[float, float]:
    """Real values of the bytes 0 and 255."""
    return -scale.zero_point * scale.scale, (255 - scale.zero_point) * scale.scale


@given(st.sampled_from(HEAD_NAMES), st.floats(-300, -0.001), st.floats(0.001, 300), st.integers(0, 10**6))
def test_the_range_lies_within_what_the_photos_reach(name: str, low: float, high: float, seed: int) -> None:
    values = np.append(np.random.default_rng(seed).uniform(low, high, 500), high)
    scale = head_ranges.head_scale(name, values)
    assert isinstance(scale.zero_point, int)
    assert 0 <= scale.zero_point <= 255
    assert scale.scale > 0
    assert ends(scale)[0] >= min(values.min(), 0) * 0.99
    assert ends(scale)[1] <= max(values.max(), 0) * 0.99


def test_logits_below_the_floor_and_offsets_of_the_background_are_cut_off() -> None:
    values = np.linspace(-90, 80, 10_001)
    assert ends(head_ranges.head_scale("heatmap", values)) == pytest.approx((-10, 78.4), abs=0.7)
    assert ends(head_ranges.head_scale("offset", values)) == pytest.approx((-56, 56), abs=0.5)
    assert ends(head_ranges.head_scale("offset", values, (60, 44))) == pytest.approx((-60, 44), abs=0.5)


def test_a_displacement_s_outliers_are_cut_off_as_far_as_that_is_harmless() -> None:
    values = np.random.default_rng(0).laplace(0, 20, 200_000)
    low, high = ends(head_ranges.head_scale("displacement_fwd", values))
    lost = np.square(values - values.clip(low, high)).sum()
    assert values.min() * 0.9 < low < high < values.max() * 0.9
    assert 10 * np.log10(np.square(values).sum() / lost) == pytest.approx(45, abs=0.5)


def test_a_range_that_is_reached_stays() -> None:
    scale = HeadScale(0.4, 128)
    assert head_ranges.reached(scale, np.array([[-0.5, 100.0], [30.0, 255.5]])) is scale


@pytest.mark.parametrize("reach", [(-0.4, 300.0), (-50.0, 255.4), (3.0, 240.0)])
def test_a_range_that_is_not_reached_becomes_narrower_at_that_end(reach: tuple[float, float]) -> None:
    scale = HeadScale(0.4, 128)
    narrow = head_ranges.reached(scale, np.array([reach]))
    for end, old, reached, missing in zip(
        ends(narrow), ends(scale), reach, (reach[0] > -0.5, reach[1] < 255.5), strict=True
    ):
        real = (reached - 128) * 0.4
        beyond = abs(real - end) / narrow.scale
        assert abs(end) <= abs(old) + 1e-6
        assert np.sign(real - end) == np.sign(end), "the end lies within what is reached"
        assert 0.5 <= beyond < 4.5 if missing else abs(end - old) <= 1.01 * narrow.scale


# Reached bytes, and the bytes of the old range at which the new one ends: whole ones, half a byte and one within.
@pytest.mark.parametrize(
    ("reach", "low", "high"),
    [
        ((3.0, 240.0), 5, 238),
        ((3.5, 239.5), 5, 238),
        ((3.6, 239.4), 6, 237),
        ((-0.4, 255.4), 2, 253),
        ((-0.5, 240.0), 0, 238),
        ((3.0, 255.5), 5, 255),
    ],
)
def test_a_missed_end_moves_a_margin_and_a_byte_within_what_is_reached(
    reach: tuple[float, float], low: int, high: int
) -> None:
    """The zero point is whole, so that one end is just there and the other up to a step further in."""
    narrow = head_ranges.reached(HeadScale(0.4, 128), np.array([reach]))
    left, right = (end / 0.4 + 128 for end in ends(narrow))
    inwards = left - low, high - right
    assert min(inwards) == pytest.approx(0, abs=1e-4)
    assert max(inwards) <= 1 + 1e-4


@given(st.floats(0.01, 2), st.integers(0, 254), st.floats(-20, 100), st.floats(128, 270), st.integers(0, 10**6))
def test_narrowing_ends_where_every_end_is_reached(
    step: float, zero_point: int, least: float, greatest: float, seed: int
) -> None:
    """Even where fitting the heads anew moves what they reach by a part of a byte."""
    scale, random = HeadScale(step, zero_point), np.random.default_rng(seed)
    real = (min(least, zero_point) - zero_point) * step, (max(greatest, zero_point + 20) - zero_point) * step
    for _ in range(4):
        moved = np.array([[end / scale.scale + scale.zero_point + random.uniform(-0.4, 0.4) for end in real]])
        narrow = head_ranges.reached(scale, moved)
        if narrow is scale:
            break
        scale = narrow
    low, high = ends(scale)
    assert not scale.zero_point or real[0] <= low
    assert real[1] >= high


def test_a_range_from_zero_needs_nothing_below() -> None:
    scale = HeadScale(0.4, 0)
    assert head_ranges.reached(scale, np.array([[10.0, 255.5]])) is scale


@pytest.mark.parametrize("values", [np.zeros((2, 3)), np.linspace(-5, -0.1, 9)], ids=["zero", "below zero"])
def test_a_head_that_is_never_above_zero_is_refused(values: np.ndarray) -> None:
    with pytest.raises(PhotoError, match="a head of the network is never above 0; give photos of people"):
        head_ranges.head_scale("heatmap", values)
