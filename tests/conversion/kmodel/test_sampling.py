"""A stride of 2 taken in the depthwise layer: the same bytes as behind it, by the KPU's own arithmetic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversion.feature_map import FeatureMap
from conversion.kmodel import sampling, v3
from conversion.kmodel.layer import KpuLayer, check
from conversion.kmodel.v3 import V3Model
from tests.conversion.kmodel import networks
from tests.conversion.kpu import layers, literal
from tests.conversion.kpu.lively import lively
from tests.conversion.kpu.running import heads, model, noise

NOISE = np.random.default_rng(5).integers(0, 256, (3, 80, 96), np.uint8)
LATE = lively(networks.as_compiled(seed=6, channel_divisor=4, width=96, height=80), NOISE)
EARLY = sampling.early(LATE)


def test_the_strides_are_moved_and_nothing_else() -> None:
    assert [layer.stride for layer in LATE.body[:14]] == [2, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 2, 1]
    assert [layer.stride for layer in EARLY.body[:14]] == [2, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1]
    for late, early in zip(LATE.body, EARLY.body, strict=True):
        pool_type = late.registers.pool_type
        assert replace(early, registers=replace(early.registers, pool_type=pool_type)) == late
    assert EARLY.heads == LATE.heads


@pytest.mark.parametrize(("width", "height"), [(96, 80), (64, 64), (128, 96), (272, 64), (528 - 16, 80)])
def test_every_head_is_the_same_byte_for_byte(width: int, height: int) -> None:
    """At maps that share a line by four, by two and not at all, and rows of several lines."""
    pictures = [noise(width, height), 255 - noise(width, height)]
    found = heads(model(EARLY, width, height), pictures)
    assert found == heads(model(LATE, width, height), pictures)
    assert len(set(found)) > 60


def test_the_literal_arithmetic_says_the_same() -> None:
    early, late = (literal.run_file(v3.write(model(network, 96, 80)), NOISE)[1:] for network in (EARLY, LATE))
    assert early == late


def parts_of(made: V3Model) -> list[int]:
    """The layers that stand for a part of a depthwise one."""
    return [n for n, one in enumerate(made.layers) if sampling.as_depthwise(one.layer) is not one.layer]


def changed(made: V3Model, number: int, layer: KpuLayer) -> V3Model:
    conv = replace(made.layers[number], layer=layer)
    return replace(made, layers=(*made.layers[:number], conv, *made.layers[number + 1 :]))


def test_negative_controls() -> None:
    """Another pixel of each 2x2, parts exchanged, one weight off the diagonal: each changes the heads."""
    made = model(EARLY, 96, 80)
    right = heads(made, [NOISE])
    first, second = parts_of(made)[:2]
    one, other = made.layers[first].layer, made.layers[second].layer
    pixel = replace(one, registers=replace(one.registers, pool_type=6))
    exchanged = replace(one, weights=other.weights, batch_norm=other.batch_norm)
    stray = bytearray(one.weights)
    stray[one.kernel**2 + 4] ^= 0x40
    for wrong in (pixel, exchanged, replace(one, weights=bytes(stray))):
        found = np.frombuffer(heads(changed(made, first, wrong), [NOISE]), np.uint8)
        assert (found != np.frombuffer(right, np.uint8)).mean() > 0.1


@st.composite
def depthwise_layers(draw: st.DrawFn) -> KpuLayer:
    """A depthwise layer with left-top pooling whose weights have a code for zero."""
    source = FeatureMap(draw(st.integers(2, 6)), 2 * draw(st.integers(2, 4)), 2 * draw(st.integers(2, 35)))
    generator = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    base = networks.layer(generator, source, source.channels, 3, True, 2)
    code, arg_w = draw(st.integers(0, 255)), draw(st.integers(-255, 255))
    registers = replace(
        base.registers, pad_value=draw(st.integers(0, 255)), arg_x=-code, arg_w=arg_w, arg_add=-arg_w * code * 9
    )
    sums = [1 << draw(st.integers(0, 22)) for _ in range(source.channels)]
    offsets = [draw(st.integers(-(1 << 20), 1 << 20)) for _ in sums]
    return KpuLayer(registers, base.weights, layers.pack_batch_norm(sums, [15] * len(sums), offsets), base.activation)


@settings(max_examples=40)
@given(depthwise_layers())
def test_a_dense_layer_with_a_diagonal_kernel_computes_what_the_depthwise_one_does(layer: KpuLayer) -> None:
    source = layer.source
    picture = np.random.default_rng(1).integers(0, 256, (source.channels, source.height, source.width))
    weights_of_all = sampling.dense_weights(layer, range(source.channels))
    registers = replace(layer.registers, depth_wise_layer=0)
    tables = layer.batch_norm, layer.activation
    expected = literal.compute(layer.registers.pack(), layer.weights, *tables, picture)
    assert np.array_equal(literal.compute(registers.pack(), weights_of_all, *tables, picture), expected)
    dense = KpuLayer(registers, weights_of_all, *tables)
    assert sampling.as_depthwise(dense) == layer
    assert sampling.macs(dense)[1] == source.channels * sampling.macs(layer)[1]


@pytest.mark.parametrize(
    "fields", [{"arg_add": 1}, {"arg_x": 1}, {"arg_x": -256}, {"shr_x": 1}, {"shr_w": 1}, {"arg_w": 3}]
)
def test_a_stride_stays_behind_where_no_weight_stands_for_zero(fields: dict[str, int]) -> None:
    odd = LATE.body[3]
    odd = replace(odd, registers=replace(odd.registers, **fields))
    network = replace(LATE, body=(*LATE.body[:3], odd, *LATE.body[4:]))
    moved = sampling.early(network)
    assert moved.body[3:5] == network.body[3:5]
    assert moved.body[7].stride == 2


def test_other_layers_are_what_they_are() -> None:
    dense = networks.layer(np.random.default_rng(0), FeatureMap(16, 8, 40), 16, 3, False, 2)
    for layer in (dense, EARLY.body[0], EARLY.body[1], EARLY.body[2]):
        assert sampling.as_depthwise(layer) is layer


@given(st.integers(1, 384), st.integers(2, 400), st.integers(4, 80), st.integers(1, 9))
def test_parts_are_equal_and_share_no_line(channels: int, size: int, width: int, height: int) -> None:
    source, result = FeatureMap(channels, 2 * height, 2 * width), FeatureMap(channels, height, width)
    found = sampling.parts(source, result, size)
    assert [channel for part in found for channel in part] == list(range(channels))
    assert len({len(part) for part in found}) == 1
    for part in found[1:]:
        assert part.start % source.groups == part.start % result.groups == 0


def test_parts_of_one_channel_are_not_worth_a_thought() -> None:
    """All numbers else that divide 48, 96 or 192, the channels of the layers that drop pixels."""
    expected = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 192]
    assert sampling.part_sizes(networks.posenet_like()) == expected


def test_every_part_is_a_sound_layer() -> None:
    for number, conv in enumerate(model(EARLY, 320, 240).convolutions):
        check(conv.layer, f"layer {number}")
