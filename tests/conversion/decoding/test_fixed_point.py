"""Multipliers, shifts and sigmoid tables: as near to the float as they can be."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion.decoding.fixed_point import MULTIPLIER_BITS, multiplier_and_shift, sigmoid_table
from conversion.errors import ModelFormatError
from firmware.pose_decoder import PoseDecoder
from tests.firmware import synthetic

scales = st.floats(1e-4, 1000)


@given(scale=scales)
def test_the_multiplier_is_the_best_of_16_to_24_bits(scale: float) -> None:
    multiplier, shift = multiplier_and_shift(scale)
    assert multiplier.bit_length() in MULTIPLIER_BITS
    assert 0 < shift < 40
    error = abs(Fraction(multiplier, 1 << shift) - Fraction(scale) * 64)
    assert error <= Fraction(scale) * 64 / (1 << 24)


@given(scale=scales, zero_point=st.integers(0, 255), byte=st.integers(0, 255))
def test_the_decoder_s_distance_is_the_rounded_product(scale: float, zero_point: int, byte: int) -> None:
    multiplier, shift = multiplier_and_shift(scale)
    distance = ((byte - zero_point) * multiplier + (1 << (shift - 1))) >> shift
    exact = Fraction(scale) * 64 * (byte - zero_point)
    assert abs(distance - exact) <= Fraction(1, 2) + abs(exact) / (1 << 24)


@pytest.mark.parametrize(("scale", "expected"), [(0.5, (32768, 10)), (1 / 64, (32768, 15)), (3.0, (49152, 8))])
def test_exact_scales_get_the_smallest_multiplier(scale: float, expected: tuple[int, int]) -> None:
    assert multiplier_and_shift(scale) == expected


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf, 1e-12, 1e9])
def test_impossible_scales_are_refused(scale: float) -> None:
    with pytest.raises(ModelFormatError, match="head scale"):
        multiplier_and_shift(scale)


@given(scale=st.floats(1e-3, 2), zero_point=st.integers(0, 255))
def test_the_sigmoid_table_never_falls_and_is_rounded(scale: float, zero_point: int) -> None:
    table = sigmoid_table(scale, zero_point)
    assert table == sorted(table)
    assert table[zero_point] == 1 << 14
    assert 0 <= table[0] <= table[-1] <= 1 << 15
    for byte in range(256):
        logit = (byte - zero_point) * scale
        assert abs(table[byte] - 32768 / (1 + math.exp(-logit))) <= 0.5 + 1e-6


@given(scale=st.floats(1e-3, 2), zero_point=st.integers(0, 255))
def test_the_decoder_takes_every_table(scale: float, zero_point: int) -> None:
    PoseDecoder(synthetic.card(32, 32, {**synthetic.TYPICAL, "heatmap": (scale, zero_point)}))
