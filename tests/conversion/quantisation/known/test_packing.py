"""A rounding in few bytes: what comes out is what went in, for every published file that it is packed for."""

from __future__ import annotations

import numpy as np
import pytest

from conversion.posenet_weights import PoseNetWeights
from conversion.quantisation.known import packing, range_pictures
from conversion.quantisation.result import SPECS
from tests.conversion.quantisation import small
from tests.conversion.quantisation.known import making


def test_everything_comes_back_for_each_of_the_weights(weights: PoseNetWeights) -> None:
    others = making.last_bits_changed(weights)
    assert others.digest() != weights.digest()
    packed = making.rounding(weights)
    data = packing.pack(packed, (weights, others))
    assert data == packing.pack(packed, (weights, others))
    for each in (weights, others):
        found = packing.unpack(data, each)
        for spec in SPECS:
            for part in ("codes", "scale", "bias"):
                wanted, got = (getattr(layers[spec.name], part) for layers in (packed.layers, found.layers))
                assert got.dtype == wanted.dtype, spec.name
                assert (got == wanted).all(), (spec.name, part)
        assert found.head_scales == packed.head_scales
        assert (found.pictures, found.size) == (making.PICTURES, making.SIZE)


def test_floats_that_differ_in_their_last_bits_need_corrections(weights: PoseNetWeights) -> None:
    """Else the test above would prove nothing: without them some codes would come out wrong."""
    others = making.last_bits_changed(weights)
    packed = making.rounding(weights)
    found = packing.unpack(packing.pack(packed, (weights,)), others)
    wrong = sum(int((found.layers[spec.name].codes != packed.layers[spec.name].codes).sum()) for spec in SPECS)
    assert 0 < wrong < 1000


def test_another_network_cannot_have_the_same_codes(weights: PoseNetWeights) -> None:
    with pytest.raises(ValueError, match="is another network"):
        packing.pack(making.rounding(weights), (weights, making.random_weights(2)))


def test_codes_near_plain_rounding_take_few_bytes(weights: PoseNetWeights) -> None:
    """Random codes take a byte each; where nine of ten are foreseen, an eighth of it and the scales."""
    random = packing.pack(making.rounding(weights), (weights,))
    near = packing.pack(making.plainly_rounded(weights), (weights,))
    assert len(random) > 1_200_000
    assert len(near) < len(random) / 6


def test_the_network_for_the_compiler_has_its_pictures_drawn(weights: PoseNetWeights) -> None:
    network = making.rounding(weights).network(weights)
    assert network.pixel_scale == weights.normalisation.scale
    assert network.pictures.shape == (3, 48, 64, 3)
    assert (network.pictures == range_pictures.drawn(making.PICTURES, *making.SIZE)).all()


def test_a_picture_depends_on_its_number_alone() -> None:
    several = range_pictures.drawn([5, 2, 9], *small.SIZE)
    assert several.dtype == np.uint8
    assert (range_pictures.drawn([9], *small.SIZE)[0] == several[2]).all()
    assert len({picture.tobytes() for picture in range_pictures.drawn(range(12), *small.SIZE)}) == 12
