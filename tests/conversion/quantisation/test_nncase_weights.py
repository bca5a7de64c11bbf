"""The feed: float weights that nncase's own formula turns into exactly the chosen codes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from conversion import input_pixels, network
from conversion.errors import CompilerError
from conversion.quantisation import emulation, nncase_weights
from conversion.quantisation.layers import convolve
from conversion.quantisation.result import HEAD_SPECS, SPECS, QuantisedLayer, QuantisedNetwork
from tests.conversion.quantisation import small

LEAST_SCALE = 0.01 / 127.5


def nncase_literally(weights: list[float]) -> list[int]:
    """nncase 1.9, quantizer.cpp and kpu_conv2d.cpp, one channel, one operation in single precision a line."""
    single = np.float32
    reach = single(0.01)
    for weight in weights:
        reach = max(reach, single(abs(single(weight))))
    span = single(reach - single(-reach))
    scale = single(float(span) / 255)
    codes = []
    for weight in weights:
        steps = single(single(weight) / scale)
        shifted = single(steps + single(128))
        codes.append(int(min(max(float(np.rint(shifted)), 0), 255)) - 128)
    return codes


codes_with_an_end = st.integers(1, 40).flatmap(
    lambda count: st.tuples(
        arrays.arrays(np.int64, count, elements=st.integers(-128, 127)),
        st.integers(0, count - 1),
        st.sampled_from((127, -128)),
    )
)
scales = st.floats(-3.99, 1).map(lambda exponent: 10**exponent)


@given(codes_with_an_end, scales)
def test_nncase_gives_back_every_code(drawn: tuple[np.ndarray, int, int], scale: float) -> None:
    codes, place, end = drawn
    codes[place] = end
    weights, wrong = nncase_weights.fed_weights(codes[None], np.array([scale]))
    assert not wrong.any()
    assert nncase_literally(weights[0].tolist()) == codes.tolist()
    assert np.abs(weights).max() == pytest.approx(127.5 * scale, rel=2e-4), "the scale is the chosen one, nearly"


@given(arrays.arrays(np.int64, st.integers(1, 40), elements=st.integers(-127, 126)))
def test_at_the_least_scale_no_code_needs_to_be_at_an_end(codes: np.ndarray) -> None:
    weights, wrong = nncase_weights.fed_weights(codes[None], np.array([LEAST_SCALE]))
    assert not wrong.any()
    assert nncase_literally(weights[0].tolist()) == codes.tolist()


@given(arrays.arrays(np.float32, st.integers(1, 30), elements=st.floats(-(2.0**9), 2.0**9, width=32)))
def test_the_formula_is_nncase_s(weights: np.ndarray) -> None:
    assert nncase_weights.nncase_codes(weights[None])[0].tolist() == nncase_literally(weights.tolist())


def test_codes_without_an_end_are_reported_and_not_fed() -> None:
    codes = np.array([[100, -100, 3], [127, 0, 1]])
    _, wrong = nncase_weights.fed_weights(codes, np.array([0.01, 0.01]))
    assert wrong.tolist() == [True, False]


def test_a_layer_that_cannot_be_fed_is_named(quantised: QuantisedNetwork) -> None:
    layer = quantised.layers["pointwise3"]
    shrunk = QuantisedLayer((layer.codes // 2).astype(np.int8), layer.scale, layer.bias)
    spoilt = QuantisedNetwork(
        {**quantised.layers, "pointwise3": shrunk}, quantised.head_scales, 2 / 255, quantised.pictures
    )
    with pytest.raises(CompilerError, match="layer pointwise3: nncase cannot be made to give the codes of 96 channels"):
        nncase_weights.weights(spoilt)


def test_the_fed_network_computes_what_the_quantised_one_does(quantised: QuantisedNetwork) -> None:
    """Layer by layer, in floating point: the feed's units are right. The moved codes 127 and -128 count half a step."""
    fed = nncase_weights.weights(quantised)
    maps = small.pictures(2, seed=9)
    real = (maps.astype(np.float64) - input_pixels.PAD_PIXEL) * quantised.pixel_scale
    for spec in SPECS:
        layer = {**fed.body, **fed.heads}[spec.name]
        results = convolve(spec, layer.kernel.reshape(-1, spec.out_channels).astype(np.float64), real) + layer.bias
        given_bytes = (results if spec in HEAD_SPECS else results.clip(0, 6) / (6 / 255)).clip(0, 255)
        expected = emulation.run_layer(spec, quantised.layers[spec.name], maps)
        difference = np.abs(given_bytes - expected)
        assert difference.max() < 6, spec.name
        assert difference.mean() < 0.6, spec.name
        if spec in network.BODY:
            maps, real = expected, expected * (6 / 255)
