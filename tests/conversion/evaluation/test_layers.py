"""Channels that a kmodel has moved, copied and scaled are found again, and the layer that is wrong shows."""

from dataclasses import replace

import numpy as np
import pytest

from conversion import network, photos
from conversion.evaluation import channels, layers, readback
from conversion.evaluation.channels import UNMATCHED
from conversion.evaluation.layers import LayerLoss
from conversion.evaluation.readback import ReadNetwork
from conversion.kmodel import assemble
from conversion.kmodel.plan import plan
from conversion.kpu.simulator import Kpu
from conversion.posenet_weights import ConvWeights, PoseNetWeights
from conversion.tensorflow import graph
from tests.conversion.evaluation import plain_kmodel
from tests.conversion.weights.weight_files import random_weights

BYTE = 6 / 255
WIDTH, HEIGHT = 96, 80


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return photos.letterbox(photos.bundled(photos.SAMPLE), WIDTH, HEIGHT)


def made_of(weights: PoseNetWeights) -> tuple[ReadNetwork, Kpu]:
    the_network = plain_kmodel.kpu_network(weights)
    model = assemble.assemble(the_network, plan(the_network, WIDTH, HEIGHT))
    return readback.read(model, "a test"), Kpu(model)


def compared(weights: PoseNetWeights, kmodel: PoseNetWeights, picture: np.ndarray) -> list[LayerLoss]:
    """The table for `weights` against a kmodel that was made of other ones."""
    found, kpu = made_of(kmodel)
    matched = channels.match(weights, found.body)
    results = dict(kpu.trace(photos.planes(picture)))
    traced = [np.concatenate([results[number] for number in layer.numbers]) for layer in found.body]
    on_kpu = [np.moveaxis(maps, 0, -1)[None] for maps in traced]
    exact = found.maps(picture[None])[: len(found.body)]
    reference = layers.float_maps(weights, found.body, picture[None])
    return layers.losses(layers.sums(reference, matched, exact, on_kpu), matched)


def test_channels_of_plain_rounding_stay_where_they_are(weights: PoseNetWeights) -> None:
    for spec, found in zip(network.BODY, channels.match(weights, made_of(weights)[0].body), strict=True):
        assert (found.source == np.arange(spec.out_channels)).all()
        np.testing.assert_allclose(found.step, BYTE, rtol=0.02)


def test_moved_copied_and_scaled_channels_are_found(weights: PoseNetWeights) -> None:
    random = np.random.default_rng(3)
    source = random.permutation(np.r_[0:16, 0:5, 2, 2, 7])
    gain = random.uniform(0.3, 3.0, 24)
    found = channels.match(weights, made_of(plain_kmodel.rearranged(weights, source, gain))[0].body)
    for layer in found[:2]:
        assert (layer.source == source).all()
        np.testing.assert_allclose(layer.step, BYTE / gain, rtol=0.03)
        merge = layer.merge(24)
        assert (merge.any(0) == np.isin(np.arange(24), source)).all()
        np.testing.assert_allclose((merge / np.where(merge > 0, layer.step[:, None], 1)).sum(0)[:16], 1.0)
    assert (found[2].source == np.arange(48)).all()


def test_other_networks_have_other_channels(weights: PoseNetWeights) -> None:
    found = channels.match(random_weights(seed=2), made_of(weights)[0].body)
    assert (found[0].source == UNMATCHED).mean() > 0.5
    assert (found[-1].source == UNMATCHED).all()


def test_networks_of_other_layers_are_not_compared(weights: PoseNetWeights) -> None:
    assert channels.match(weights, made_of(weights)[0].body[:-2]) is None


def test_float_maps_are_those_of_the_graph(weights: PoseNetWeights, picture: np.ndarray) -> None:
    """The graph gives only heads: a head that is computed of the last map must be the graph's."""
    (*_, last) = layers.float_maps(weights, made_of(weights)[0].body, picture[None])
    head = weights.heads["offset"]
    offset = np.moveaxis(last @ head.kernel[0, 0] + head.bias, -1, 1)
    expected = graph.build(weights, WIDTH, HEIGHT)(picture[None])["offset"]
    np.testing.assert_allclose(offset, expected, atol=1e-3 * np.abs(expected).max())


def test_rounding_costs_more_and_more(weights: PoseNetWeights, picture: np.ndarray) -> None:
    table = compared(weights, weights, picture)
    assert [row.name for row in table] == [spec.name for spec in network.BODY]
    assert [row.channels for row in table] == [spec.out_channels for spec in network.BODY]
    assert table[0].weights_db > 40
    assert 15 < table[-1].kpu_db < table[-1].weights_db < table[0].weights_db


def test_a_wrong_layer_shows_where_it_is(weights: PoseNetWeights, picture: np.ndarray) -> None:
    layer = weights.body["pointwise5"]
    noise = np.random.default_rng(0).normal(0, 0.05, layer.kernel.shape).astype(np.float32)
    damaged = ConvWeights(layer.kernel + noise, layer.bias)
    sound = compared(weights, weights, picture)
    wrong = compared(weights, replace(weights, body={**weights.body, "pointwise5": damaged}), picture)
    at = [spec.name for spec in network.BODY].index("pointwise5")
    assert wrong[:at] == sound[:at]
    assert wrong[at].kpu_db < sound[at].kpu_db - 6
    assert wrong[at].weights_db < sound[at].weights_db - 6


def test_moved_and_copied_channels_lose_nothing(weights: PoseNetWeights, picture: np.ndarray) -> None:
    """Only the channels that are gone are left out, though their loss shows behind them."""
    source = np.random.default_rng(4).permutation(24)
    table = compared(weights, plain_kmodel.rearranged(weights, source, np.ones(24)), picture)
    sound = compared(weights, weights, picture)
    for one, other in zip(table, sound, strict=True):
        assert one.kpu_db == pytest.approx(other.kpu_db, abs=0.5)
    copied = np.r_[0:12, 0:12]
    table = compared(weights, plain_kmodel.rearranged(weights, copied, np.ones(24)), picture)
    assert [row.channels for row in table[:3]] == [12, 12, 48]
    assert table[0].kpu_db > 40
    assert table[2].kpu_db < sound[2].kpu_db - 10
