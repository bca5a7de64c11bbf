"""Single layers: the fast KPU against the literal one, over everything that registers and tables can say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion.errors import ModelFormatError
from conversion.feature_map import FeatureMap
from conversion.kmodel import v3
from conversion.kmodel.layer import KpuLayer
from conversion.kpu.arithmetic import LayerArithmetic
from conversion.kpu.simulator import Kpu
from tests.conversion.kmodel import networks
from tests.conversion.kpu import layers, literal


def picture_for(layer: KpuLayer, seed: int) -> np.ndarray:
    source = layer.source
    return np.random.default_rng(seed).integers(0, 256, (source.channels, source.height, source.width), np.uint8)


def literally(layer: KpuLayer, picture: np.ndarray) -> np.ndarray:
    return literal.compute(layer.registers.pack(), layer.weights, layer.batch_norm, layer.activation, picture)


def assert_literal(layer: KpuLayer, seed: int) -> None:
    data = v3.write(layers.single(layer))
    picture = picture_for(layer, seed)
    expected = literal.run_file(data, picture)
    assert [output.tobytes() for output in Kpu(v3.read(data, "drawn"), seed).run(picture)] == expected


@given(layers.layers(), st.integers(0, 1 << 32))
def test_every_layer_gives_the_literal_bytes(layer: KpuLayer, seed: int) -> None:
    assert_literal(layer, seed)


@pytest.mark.soak
@given(layers.layers(), st.integers(0, 1 << 32))
def test_very_many_layers_give_the_literal_bytes(layer: KpuLayer, seed: int) -> None:
    assert_literal(layer, seed)


def sized(kernel: int, depthwise: bool, channels: int, outputs: int, width: int = 20, height: int = 9) -> KpuLayer:
    return networks.layer(
        np.random.default_rng(1), FeatureMap(channels, height, width), outputs, kernel, depthwise, stride=1
    )


def with_registers(layer: KpuLayer, **fields: int) -> KpuLayer:
    return replace(layer, registers=replace(layer.registers, **fields))


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize(("arg_x", "shr_x"), [(-128, 0), (70, 0), (-50_000, 3), (50_000, 15), (-3, 2)])
def test_sums_lie_where_they_were_proven_to(arg_x: int, shr_x: int, depthwise: bool) -> None:
    layer = with_registers(sized(3, depthwise, 4, 4), arg_x=arg_x, shr_x=shr_x, arg_w=-77, shr_w=1, arg_add=12345)
    arithmetic, dark = LayerArithmetic(layer, "sums"), np.zeros((4, 9, 20), np.uint8)
    for picture in (picture_for(layer, 1), dark, 255 - dark):
        values = literal.convolved(literal.Words(layer.registers.pack()), layer.weights, picture.astype(np.int64))
        values = values.reshape(4, -1) - arithmetic.sums.constant[:, None]
        assert (arithmetic.sums.low[:, None] <= values).all()
        assert (values <= arithmetic.sums.high[:, None]).all()


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("pool", layers.POOL_STEPS)
def test_every_pool_type_on_sizes_that_leave_a_rest(pool: int, depthwise: bool) -> None:
    layer = sized(3, depthwise, 3, 3, width=18, height=7)
    registers = layers.with_destination(layer.registers, layer.destination, pool)
    layer = replace(layer, registers=registers)
    picture = picture_for(layer, pool)
    result = LayerArithmetic(layer, "layer")(picture)
    assert np.array_equal(result, literally(layer, picture))
    assert len(np.unique(result)) > 5


def test_maps_larger_than_a_block_are_put_together_again() -> None:
    for layer in (sized(3, False, 40, 5, 70, 60), sized(1, False, 300, 3, 40, 40), sized(3, True, 50, 50, 70, 60)):
        picture = picture_for(layer, 0)
        assert np.array_equal(LayerArithmetic(layer, "large")(picture), literally(layer, picture))


@pytest.mark.parametrize(
    ("layer", "dtype"),
    [
        (sized(1, False, 514, 2), np.float32),  # 514 * 128 * 255 is below 2^24, 515 are above it
        (sized(1, False, 515, 2), np.float64),
        (with_registers(sized(3, True, 4, 4), arg_x=7000), np.float32),
        (with_registers(sized(3, True, 4, 4), arg_x=7311), np.float64),
        (with_registers(sized(3, False, 4, 4), shr_x=1), np.float64),
    ],
)
def test_float32_is_used_just_where_it_is_exact(layer: KpuLayer, dtype: type) -> None:
    white = replace(layer, weights=bytes(len(layer.weights)))
    picture = np.full((layer.source.channels, 9, 20), 255, np.uint8)
    arithmetic = LayerArithmetic(white, "white")
    assert arithmetic.dtype == dtype
    assert np.array_equal(arithmetic(picture), literally(white, picture))


def test_the_layers_of_the_usual_kind_run_on_the_fast_path() -> None:
    for layer in (sized(3, False, 3, 8), sized(3, True, 8, 8), sized(1, False, 8, 16)):
        gain = 1 << 21
        table = layers.relu6_table(40_000_000)
        batch_norm = layers.pack_batch_norm(
            [gain] * layer.registers.o_ch_num, [8] * layer.registers.o_ch_num, [0] * layer.registers.o_ch_num
        )
        layer = replace(layer, batch_norm=batch_norm, activation=table)
        arithmetic = LayerArithmetic(layer, "usual")
        picture = picture_for(layer, 3)
        assert arithmetic.activation.fast
        assert np.array_equal(arithmetic(picture), literally(layer, picture))


def test_padding_takes_part_in_the_sums() -> None:
    layer = sized(3, False, 2, 3)
    picture = picture_for(layer, 5)
    results = [LayerArithmetic(with_registers(layer, pad_value=pad), "pad")(picture) for pad in (0, 128, 255)]
    inner = [result[:, 1:-1, 1:-1] for result in results]
    assert np.array_equal(inner[0], inner[1])
    assert np.array_equal(inner[0], inner[2])
    assert not np.array_equal(results[0], results[1])
    assert not np.array_equal(results[1], results[2])


@pytest.mark.parametrize(
    ("fields", "problem"), [({"pool_type": 10}, "pool type 10"), ({"pool_type": 2}, "pool type 2 makes 10x4 of")]
)
def test_pooling_that_does_not_fit_is_refused(fields: dict[str, int], problem: str) -> None:
    with pytest.raises(ModelFormatError, match=f"^layer 4: {problem}"):
        LayerArithmetic(with_registers(sized(3, False, 2, 3), **fields), "layer 4")
