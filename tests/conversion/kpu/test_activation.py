"""Batch norm and activation table: thresholds and straight line against the literal formula, and their proof."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion.errors import ModelFormatError
from conversion.kpu import activation as kpu_activation
from conversion.kpu.activation import HIGHEST, LOWEST, Activation, ActivationTable, BatchNorm, SumRange
from tests.conversion.kpu import layers, literal

REACH = 1 << 16
SEEDS = st.integers(0, 1 << 32)


def table_of(kind: str, seed: int) -> bytes:
    return layers.table(np.random.default_rng(seed), kind, REACH)


def span(low: int, high: int, constant: int, channels: int) -> SumRange:
    return SumRange(*(np.full(channels, value) for value in (low, high, constant)))


@given(st.sampled_from(layers.TABLE_KINDS), SEEDS, st.lists(st.integers(LOWEST, HIGHEST), max_size=20))
def test_a_table_gives_the_literal_bytes(kind: str, seed: int, values: list[int]) -> None:
    data = table_of(kind, seed)
    starts = [literal.bits(word, 24, 36, signed=True) for (word,) in struct.iter_unpack("<Q", data[:128])]
    values = [*values, LOWEST, HIGHEST, *range(-40, 40), *(start + near for start in starts[1:] for near in (-1, 0, 1))]
    result = ActivationTable(data, "drawn").apply(np.array(values))
    assert result.tolist() == [literal.activate(value, data) for value in values]


@pytest.mark.parametrize("shift", range(0, 44))
def test_halves_go_to_the_even_side(shift: int) -> None:
    data = layers.pack_table([(layers.LOWEST, 0, 0, 9), (-3, 3, shift, 100), *[(1 << 30, -5, shift, 100)] * 14])
    near = np.arange(-400, 400)
    halves = -3 + (np.arange(1, 90, dtype=np.int64) << max(shift - 1, 0)) // 3
    for values in (near, near + (1 << 30), halves[np.abs(halves) < 1 << 30]):
        expected = [literal.activate(int(value), data) for value in values]
        assert ActivationTable(data, "halves").apply(values).tolist() == expected


def test_the_largest_shift_leaves_the_signs() -> None:
    data = layers.pack_table([(layers.LOWEST, 0, 0, 9), (-9, 32767, 62, 100), *[(1 << 34, -32768, 62, 100)] * 14])
    values = np.array([-9, -8, 0, 1 << 33, 1 << 34, (1 << 35) - 1])
    expected = [literal.activate(int(value), data) for value in values]
    assert ActivationTable(data, "shifted").apply(values).tolist() == expected


@given(st.sampled_from(("relu6", "rising", "constant")), SEEDS)
def test_thresholds_are_where_the_bytes_change(kind: str, seed: int) -> None:
    table = ActivationTable(table_of(kind, seed), "drawn")
    if not table.rises:
        return
    for level, threshold in enumerate(table.thresholds().tolist()):
        if threshold > LOWEST:
            assert table.apply(np.array(threshold - 1)) < level
        if threshold <= HIGHEST:
            assert table.apply(np.array(threshold)) >= level


def test_a_table_that_falls_somewhere_is_not_taken_for_rising() -> None:
    lowest = layers.LOWEST
    step_down = [(lowest, 0, 0, 10), (0, 1, 0, 10), (50, 1, 0, 58), *[(90, 1, 0, 98)] * 13]
    slope_down = [(lowest, 0, 0, 5), (0, 1, 0, 5), (50, -1, 3, 60), *[(90, 1, 0, 98)] * 13]
    unused_slope = [(lowest, 0, 0, 10), (0, 1, 0, 10), (50, -1, 0, 60), *[(50, 1, 0, 60)] * 13]
    rises = [
        ActivationTable(layers.pack_table(segments), "steps").rises
        for segments in (step_down, slope_down, unused_slope)
    ]
    assert rises == [False, False, True]


@given(SEEDS, st.sampled_from((np.float32, np.float64)), st.integers(-5000, 5000))
def test_the_line_gives_the_literal_bytes_for_every_sum(seed: int, dtype: type, constant: int) -> None:
    activation, low, high = relu6_activation(seed, dtype, constant)
    assert activation.fast
    sums = np.tile(np.arange(low, high + 1, dtype=dtype), (4, 1))
    assert np.array_equal(activation(sums), activation.literal(sums))
    assert len(np.unique(activation(sums))) > 200


def relu6_activation(seed: int, dtype: type, constant: int = 0) -> tuple[Activation, int, int]:
    generator = np.random.default_rng(seed)
    low, high = -3000, 3000
    multipliers = generator.integers(1 << 20, 1 << 21, 4).tolist()
    gain = multipliers[0] / (1 << 15)
    offsets = (generator.uniform(-500, 500, 4) * gain - constant * gain).astype(int).tolist()
    batch_norm = BatchNorm(layers.pack_batch_norm(multipliers, [15] * 4, offsets))
    table = ActivationTable(layers.relu6_table(int(2000 * gain), -int(1000 * gain)), "relu6")
    return Activation(batch_norm, table, span(low, high, constant, 4), np.dtype(dtype), "drawn"), low, high


@given(SEEDS, st.floats(0.02, 1), st.sampled_from(("slope", "intercept")))
def test_the_proof_refuses_a_line_that_is_off(seed: int, part: float, field: str) -> None:
    activation, low, high = relu6_activation(seed, np.float32)
    line = activation._line
    steps = line.thresholds.astype(np.int64)
    assert line.holds(steps, span(low, high, 0, 4))
    wrong = {"slope": line.slope * np.float32(1 + part / 100), "intercept": line.intercept + np.float32(part)}
    assert not replace(line, **{field: wrong[field]}).holds(steps, span(low, high, 0, 4))


def test_without_a_proof_bytes_are_computed_literally(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kpu_activation._Line, "holds", lambda *arguments: False)
    activation, low, high = relu6_activation(0, np.float32)
    assert not activation.fast
    sums = np.tile(np.arange(low, high + 1, dtype=np.float32), (4, 1))
    assert np.array_equal(activation(sums), activation.literal(sums))


def test_a_channel_without_gain_keeps_its_byte() -> None:
    batch_norm = BatchNorm(layers.pack_batch_norm([0, 0, 1 << 15], [3, 0, 15], [50, -50, 0]))
    table = ActivationTable(layers.pack_table([(layers.LOWEST, 0, 0, 0), *[(0, 1, 0, 0)] * 15]), "identity")
    activation = Activation(batch_norm, table, span(-300, 300, 0, 3), np.dtype(np.float32), "flat")
    sums = np.tile(np.arange(-300, 301, dtype=np.float32), (3, 1))
    assert activation.fast
    assert np.array_equal(
        activation(sums), np.stack([np.full(601, 50), np.zeros(601), np.arange(-300, 301).clip(0, 255)])
    )


@pytest.mark.parametrize(
    ("segments", "problem"),
    [
        ([(layers.LOWEST + 1, 0, 0, 0)] * 16, "do not ascend from -2\\^35"),
        ([(layers.LOWEST, 0, 0, 0), (5, 0, 0, 0), *[(4, 0, 0, 0)] * 14], "do not ascend"),
        ([(layers.LOWEST, 0, 0, 0), *[(0, 1, 63, 0)] * 15], "shifts by 63 bits"),
    ],
)
def test_a_table_out_of_range_is_refused(segments: list[tuple[int, int, int, int]], problem: str) -> None:
    with pytest.raises(ModelFormatError, match=f"^layer 7: the activation table.*{problem}"):
        ActivationTable(layers.pack_table(segments), "layer 7")


@pytest.mark.parametrize(
    ("high", "constant", "offset", "problem"),
    [
        (1 << 20, 1 << 35, 0, "convolution sums reach 34360786944"),
        (1 << 35, 0, 0, "convolution sums reach 34359738368"),
        (1 << 34, 0, (1 << 31) - 1, "batch norm results"),
        (10, -(1 << 35), 0, "convolution sums"),
    ],
)
def test_what_may_leave_36_bits_is_refused(high: int, constant: int, offset: int, problem: str) -> None:
    batch_norm = BatchNorm(layers.pack_batch_norm([31 << 11], [15], [offset]))
    table = ActivationTable(layers.relu6_table(REACH), "table")
    with pytest.raises(ModelFormatError, match=f"^layer 3: {problem}"):
        Activation(batch_norm, table, span(0, high, constant, 1), np.dtype(np.float64), "layer 3")
