"""Dead channels are told from the weights alone, and make room for copies of others."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from conversion import network
from conversion.posenet_weights import PoseNetWeights
from conversion.quantisation import channel_duplication
from conversion.quantisation.float_layer import STEP, FloatLayer, activated
from tests.conversion.quantisation import small
from tests.conversion.weights.weight_files import random_weights


def test_dead_and_constant_channels_leave_their_slots_to_others(weights: PoseNetWeights) -> None:
    assigned = channel_duplication.assign(weights)
    first = assigned["conv0"]
    gone = {*small.DEAD, *small.CONSTANT}
    assert set(first.channel.tolist()) == set(range(24)) - gone
    assert len(first.channel) == 24
    assert assigned["depthwise1"] is first
    assert assigned["pointwise13"].channel.tolist() == list(range(384)), "the last features are all kept"


def test_the_copies_of_a_channel_split_a_rounding_step_evenly(weights: PoseNetWeights) -> None:
    first = channel_duplication.assign(weights)["conv0"]
    for channel in set(first.channel.tolist()):
        own = first.channel == channel
        count = own.sum()
        assert first.share[own].sum() == 1
        assert sorted(first.offset[own]) == [(number + 0.5) / count - 0.5 for number in range(count)]


@given(st.integers(1, 5))
def test_the_mean_of_copies_has_steps_of_a_part_of_a_byte(copies: int) -> None:
    offsets = (np.arange(copies) + 0.5) / copies - 0.5
    values = np.linspace(1, 200, 1999)
    mean = np.mean([np.rint(values + offset) for offset in offsets], axis=0)
    assert np.abs(mean - values).max() <= 0.5 / copies + 1e-9


def test_without_dead_channels_every_one_is_in_its_place() -> None:
    plain = random_weights()
    for spec in network.BODY[:5]:
        assert channel_duplication.assign(plain)[spec.name].channel.tolist() == list(range(spec.out_channels))


def test_no_picture_leaves_the_bounds(weights: PoseNetWeights) -> None:
    """Also the extreme ones: black, white, and for each first-layer channel the picture that drives it hardest."""
    bounds = channel_duplication.active_channels(weights)
    kernel = weights.body["conv0"].kernel
    hardest = np.tile((kernel > 0).transpose(3, 0, 1, 2) * 255, (1, 6, 6, 1))[:, :16, :16]
    black, white = np.zeros((1, 16, 16, 3)), np.full((1, 16, 16, 3), 255)
    maps = np.concatenate((small.pictures(2)[:, :16, :16], hardest, black, white)).astype(np.uint8)
    for spec in network.BODY[:7]:
        maps = activated(FloatLayer(spec, weights.body[spec.name], weights.normalisation)(maps))
        low, high = bounds[spec.name]
        assert (maps.min((0, 1, 2)) * STEP >= low - STEP).all(), spec.name
        assert (maps.max((0, 1, 2)) * STEP <= high + STEP).all(), spec.name
    assert (bounds["conv0"][1][list(small.DEAD)] == 0).all()
    constant = [ends[list(small.CONSTANT)].tolist() for ends in bounds["depthwise1"]]
    assert constant == [[small.CONSTANT_VALUE]] * 2


def test_copies_go_where_the_noise_is(weights: PoseNetWeights) -> None:
    """A channel whose values nobody listens to gets no copy."""
    first = channel_duplication.assign(weights)["conv0"]
    quiet = dict(weights.body)
    kernel = quiet["pointwise1"].kernel.copy()
    loved = int(first.channel[0])
    kernel[:, :, loved] *= 20
    quiet["pointwise1"] = type(quiet["pointwise1"])(kernel, quiet["pointwise1"].bias)
    louder = channel_duplication.assign(type(weights)(quiet, weights.heads, weights.normalisation, weights.origin))[
        "conv0"
    ]
    assert (louder.channel == loved).sum() == 6, "all five free slots"
