"""The float side of the calibration: exact layers, and statistics that are what their definition says."""

from __future__ import annotations

import numpy as np
import pytest

from conversion import network
from conversion.network import LayerSpec
from conversion.posenet_weights import FLOAT_NORMALISATION, ConvWeights, Normalisation
from conversion.quantisation import layer_statistics
from conversion.quantisation.float_layer import STEP, FloatLayer, activated
from conversion.quantisation.layers import convolve, in_chunks, rows, taps_at

DENSE = LayerSpec("dense", "pointwise", 1, 1, 5, 7)
DEPTHWISE = LayerSpec("depthwise", "depthwise", 3, 2, 5, 5)
FIRST = network.BODY[0]


def literal(spec: LayerSpec, kernel: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """A convolution by its definition: windows centred on every stride-th pixel, zeros around."""
    count, height, width, _ = maps.shape
    around = spec.kernel // 2
    padded = np.pad(maps, ((0, 0), (around, around), (around, around), (0, 0)))
    out = np.zeros((count, height // spec.stride, width // spec.stride, spec.out_channels))
    for picture, y, x in np.ndindex(*out.shape[:3]):
        top, left = y * spec.stride, x * spec.stride
        window = padded[picture, top : top + spec.kernel, left : left + spec.kernel]
        if spec.kind == "depthwise":
            out[picture, y, x] = (window * kernel[..., 0]).sum((0, 1))
        else:
            out[picture, y, x] = np.tensordot(window, kernel, 3)
    return out


def random_layer(spec: LayerSpec, seed: int = 0) -> ConvWeights:
    random = np.random.default_rng(seed)
    kernel = random.normal(0, 1, spec.kernel_shape).astype(np.float32)
    return ConvWeights(kernel, random.normal(0, 1, spec.out_channels).astype(np.float32))


@pytest.mark.parametrize("spec", [FIRST, DENSE, DEPTHWISE], ids=lambda spec: spec.kind)
def test_convolutions_are_those_of_the_definition(spec: LayerSpec) -> None:
    maps = np.random.default_rng(1).integers(-128, 256, (2, 6, 8, spec.in_channels)).astype(np.float64)
    kernel = np.random.default_rng(2).integers(-128, 128, spec.kernel_shape).astype(np.float64)
    assert (convolve(spec, kernel.reshape(-1, spec.out_channels), maps) == literal(spec, kernel, maps)).all()


@pytest.mark.parametrize("normalisation", [FLOAT_NORMALISATION, Normalisation(1 / 128, -1.0)], ids=["float", "coral"])
def test_the_first_float_layer_takes_pixels_and_pads_with_normalised_zero(normalisation: Normalisation) -> None:
    maps = np.random.default_rng(1).integers(0, 256, (2, 6, 8, 3)).astype(np.uint8)
    weights = random_layer(FIRST)
    expected = literal(FIRST, weights.kernel, maps * normalisation.scale + normalisation.offset) + weights.bias
    found = FloatLayer(FIRST, weights, normalisation)(maps)
    assert (found == np.rint(found)).all()
    assert np.abs(found * STEP - expected).max() <= 0.51 * STEP


@pytest.mark.parametrize("spec", [DENSE, DEPTHWISE], ids=lambda spec: spec.kind)
def test_later_float_layers_take_activated_maps(spec: LayerSpec) -> None:
    maps = activated(np.random.default_rng(1).normal(0, 6, (2, 6, 8, spec.in_channels)) / STEP)
    assert maps.max() == 6 / STEP
    weights = random_layer(spec)
    expected = literal(spec, weights.kernel, maps * STEP) + weights.bias
    assert np.abs(FloatLayer(spec, weights, FLOAT_NORMALISATION)(maps) * STEP - expected).max() <= 0.51 * STEP


def test_wide_weights_do_not_cost_the_small_channels_their_precision() -> None:
    """Block 1 of the published network has weights from 0.01 to 224."""
    weights = random_layer(DENSE)
    weights.kernel[..., 3] *= 1e4
    weights.kernel[..., 4] *= 1e-4
    maps = activated(np.random.default_rng(1).uniform(0, 6, (1, 4, 4, 5)) / STEP)
    found = FloatLayer(DENSE, weights, FLOAT_NORMALISATION)(maps) * STEP
    expected = literal(DENSE, weights.kernel.astype(np.float64), maps * STEP) + weights.bias
    assert np.abs(found - expected).max() <= 0.51 * STEP


@pytest.mark.parametrize("spec", [FIRST, DENSE, DEPTHWISE], ids=lambda spec: spec.kind)
def test_moments_are_means_and_covariances(spec: LayerSpec) -> None:
    random = np.random.default_rng(4)
    inputs = random.integers(0, 256, (5, 6, 8, spec.in_channels)).astype(np.float32)
    cells = (6 // spec.stride) * (8 // spec.stride)
    outputs = random.integers(-5000, 50_000, (5, 6 // spec.stride, 8 // spec.stride, spec.out_channels)).astype(float)
    chosen = np.sort(random.choice(5 * cells, 3 * cells, replace=False))
    halves = [(slice(0, 2), chosen[chosen < 2 * cells]), (slice(2, 5), chosen[chosen >= 2 * cells] - 2 * cells)]
    found = layer_statistics.combined(
        spec, [layer_statistics.part(spec, inputs[part], outputs[part], some) for part, some in halves]
    )
    y = outputs.reshape(-1, spec.out_channels)[chosen] * STEP
    assert found.mean_out == pytest.approx(y.mean(0))
    if spec.kind == "depthwise":
        windows = taps_at(spec, inputs, chosen).astype(np.float64)
        for channel in range(spec.out_channels):
            joint = np.cov(windows[:, :, channel].T, y[:, channel], bias=True)
            assert found.within[channel] == pytest.approx(joint[:9, :9])
            assert found.across[channel, :, 0] == pytest.approx(joint[:9, 9])
            assert found.mean_in[channel] == pytest.approx(windows[:, :, channel].mean(0))
    else:
        x = rows(spec, inputs)[chosen].astype(np.float64)
        joint = np.cov(x.T, y.T, bias=True)
        assert found.within == pytest.approx(joint[: x.shape[1], : x.shape[1]])
        assert found.across == pytest.approx(joint[: x.shape[1], x.shape[1] :])
        assert found.mean_in == pytest.approx(x.mean(0))


def test_windows_at_positions_are_those_that_convolutions_see() -> None:
    maps = np.random.default_rng(1).integers(0, 256, (3, 6, 8, 5)).astype(np.float64)
    kernel = np.random.default_rng(2).integers(-9, 10, (9, 5)).astype(np.float64)
    everywhere = taps_at(DEPTHWISE, maps, np.arange(3 * 3 * 4))
    assert ((everywhere * kernel).sum(1) == convolve(DEPTHWISE, kernel, maps).reshape(-1, 5)).all()


def test_a_sample_is_ascending_and_has_no_position_twice() -> None:
    chosen = layer_statistics.sample(np.random.default_rng(0), DENSE, 100_000)
    assert len(chosen) == 40_000
    assert (np.diff(chosen) > 0).all()
    assert chosen[-1] < 100_000
    assert layer_statistics.sample(np.random.default_rng(0), DEPTHWISE, 500).tolist() == list(range(500))


def test_chunks_cover_every_picture_once_and_in_order() -> None:
    maps = np.zeros((11, 64, 64, 48), np.uint8)
    parts = list(in_chunks(lambda part: list(range(11))[part], maps))
    assert len(parts) > 1
    assert [number for part in parts for number in part] == list(range(11))
