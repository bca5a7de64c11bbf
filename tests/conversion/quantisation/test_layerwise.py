"""A whole calibration, small: near the float network, better than plain rounding, and always the same."""

from __future__ import annotations

import os

import numpy as np
import pytest

from conversion import metrics, network
from conversion.posenet_weights import PoseNetWeights
from conversion.quantisation import emulation, layerwise
from conversion.quantisation.float_layer import STEP, FloatLayer, activated
from conversion.quantisation.layerwise import Calibration
from conversion.quantisation.result import HEAD_SPECS, SPECS, QuantisedNetwork
from tests.conversion.quantisation import small


def float_heads(weights: PoseNetWeights, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """The float network by the calibration's own layers, which other tests compare with their definition."""
    maps = pictures
    for spec in network.BODY:
        maps = activated(FloatLayer(spec, weights.body[spec.name], weights.normalisation)(maps))
    heads = {}
    for spec in HEAD_SPECS:
        results = FloatLayer(spec, weights.heads[spec.name], weights.normalisation)(maps)
        heads[spec.name] = (results * STEP).transpose(0, 3, 1, 2)
    return heads


def test_it_is_near_the_float_network_on_the_photos_and_on_others(
    weights: PoseNetWeights, quantised: QuantisedNetwork
) -> None:
    for seed, least in ((0, 36), (7, 27)):
        pictures = small.pictures(6, seed)
        figures = metrics.sqnr_db(float_heads(weights, pictures), emulation.run(quantised, pictures))
        assert min(figures.values()) > least, (seed, figures)


def test_every_code_and_scale_is_one_that_nncase_can_give(quantised: QuantisedNetwork) -> None:
    for spec in SPECS:
        layer = quantised.layers[spec.name]
        assert layer.codes.shape == spec.kernel_shape
        assert layer.codes.dtype == np.int8
        assert layer.scale.dtype == layer.bias.dtype == np.float32
        at_an_end = np.isin(layer.matrix, (127, -128)).any(0)
        unit = {"conv0": quantised.pixel_scale / (6 / 255)}.get(spec.name, 6 / 255 if spec in HEAD_SPECS else 1.0)
        assert (at_an_end | (layer.scale <= 0.01 / 127.5 * unit * 1.001)).all(), spec.name


@pytest.mark.soak
def test_the_same_photos_give_the_same_bytes_on_another_number_of_cores(
    weights: PoseNetWeights, quantised: QuantisedNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    cores = 1 if os.cpu_count() > 1 else 5
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    again = Calibration(weights, small.pictures(6)).run(lambda what, done, total: None)
    assert again.to_bytes() == quantised.to_bytes()


def test_a_network_comes_back_from_its_bytes(quantised: QuantisedNetwork) -> None:
    data = quantised.to_bytes()
    again = QuantisedNetwork.from_bytes(data)
    assert again.to_bytes() == data
    assert again.head_scales == quantised.head_scales
    assert again.pixel_scale == quantised.pixel_scale
    for spec in SPECS:
        assert (again.layers[spec.name].codes == quantised.layers[spec.name].codes).all()
    assert (again.pictures == quantised.pictures).all()


def test_layers_that_no_photo_saturates_still_reach_their_end() -> None:
    peak = np.array([0.0, 0.3, 2.0, 4.0])
    for spec in (network.BODY[0], network.BODY[1], network.BODY[-1]):
        steps = layerwise._steps(spec, peak)
        assert 4.0 / steps[3] > 255 * 1.01, "the loudest channel goes beyond the last byte"
        assert (peak[:3] / steps[:3] < 255).all(), "all others keep within it"


def test_a_channel_that_saturates_keeps_relu6_s_ceiling() -> None:
    steps = layerwise._steps(network.BODY[0], np.array([6.0, 6.0, 3.0]))
    assert steps[:2].tolist() == [6 / 255] * 2
    assert steps[2] == pytest.approx(3 * 1.02 / 255)
