"""The pictures for nncase reach every end that any picture reaches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion import network
from conversion.quantisation import nncase_weights, range_coverage
from conversion.quantisation.result import SPECS, QuantisedNetwork
from tests.conversion.quantisation import small


def some_ends(seed: int, pictures: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    names = ("conv0", "depthwise1", *network.HEAD_NAMES)
    return {name: np.stack((random.normal(0, 3, pictures), random.normal(255, 3, pictures)), 1) for name in names}


@given(st.integers(0, 10**6), st.integers(1, 30))
def test_few_pictures_reach_what_all_reach(seed: int, pictures: int) -> None:
    ends = some_ends(seed, pictures)
    chosen = range_coverage.sufficient(ends)
    assert len(set(chosen.tolist())) == len(chosen) <= 2 + 2 * len(network.HEADS)
    for name, values in ends.items():
        best = min(values[:, 1].max(), 255 + range_coverage.MARGIN_BYTES)
        assert values[chosen, 1].max() >= best
        if name in network.HEAD_NAMES:
            assert values[chosen, 0].min() <= max(values[:, 0].min(), -range_coverage.MARGIN_BYTES)


def test_one_picture_is_enough_where_it_reaches_everything() -> None:
    ends = some_ends(0, 8)
    for values in ends.values():
        values[5] = -10, 300
    assert range_coverage.sufficient(ends).tolist() == [5]


def test_the_ends_are_those_of_the_graph_that_nncase_gets(quantised: QuantisedNetwork) -> None:
    """That graph in TensorFlow, its heads without their limits."""
    from conversion.tensorflow import graph

    pictures = small.pictures(3, seed=3)
    heads = graph.build(nncase_weights.weights(quantised), *small.SIZE)(pictures)
    ends = range_coverage.Fed(quantised.layers, quantised.pixel_scale, pictures).ends(quantised.layers)
    assert list(ends) == [spec.name for spec in SPECS]
    for name, values in heads.items():
        expected = np.stack((values.min((1, 2, 3)), values.max((1, 2, 3))), 1)
        assert ends[name] == pytest.approx(expected, rel=1e-4, abs=0.05), name


def test_the_pictures_of_a_calibration_reach_every_end(quantised: QuantisedNetwork) -> None:
    fed = range_coverage.Fed(quantised.layers, quantised.pixel_scale, quantised.pictures)
    ends = fed.ends(quantised.layers)
    for name in network.HEAD_NAMES:
        assert ends[name][:, 0].min() <= -range_coverage.MARGIN_BYTES, name
    for name, values in ends.items():
        assert values[:, 1].max() >= 255 + range_coverage.MARGIN_BYTES, name
