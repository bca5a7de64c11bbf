"""Stages of a kmodel whose picture lies on its side in memory: they say what those of the upright network say."""

from __future__ import annotations

import numpy as np
import pytest

from conversion import card, photos, portrait
from conversion.decoding import board_decoder
from conversion.evaluation.chain import INTEGER, KMODEL, PADDED, ROUNDED, VOTED, Setup
from conversion.evaluation.stages import Run, Stages
from conversion.kmodel import assemble, sampling, turning, v3
from conversion.kmodel.plan import plan
from conversion.posenet_weights import PoseNetWeights
from tests.conversion.evaluation import plain_kmodel

MEMORY, UPRIGHT = (128, 96), (96, 128)


def stages(weights: PoseNetWeights, size: tuple[int, int], turned: bool) -> Stages:
    network = plain_kmodel.as_compiled(weights)
    network = sampling.early(turning.turned(network) if turned else network)
    the_plan = plan(network, *size)
    model = assemble.assemble(network, the_plan)
    entries = card.network_entries(network, the_plan, model.main_memory_bytes, turned)
    return Stages(Setup(weights, *UPRIGHT, v3.write(model), entries))


@pytest.fixture(scope="module")
def pair(weights: PoseNetWeights) -> tuple[Stages, Run, Stages, Run]:
    photo = photos.bundled(photos.SAMPLE)
    lying, standing = stages(weights, MEMORY, True), stages(weights, UPRIGHT, False)
    return lying, lying.run(photo), standing, standing.run(photo)


def test_heads_layers_and_raw_bytes_are_the_upright_ones(pair: tuple[Stages, Run, Stages, Run]) -> None:
    _, lying, _, standing = pair
    for name, head in standing.heads[KMODEL].items():
        assert np.array_equal(lying.heads[KMODEL][name], head)
        assert np.array_equal(lying.heads[PADDED][name], standing.heads[PADDED][name])
        np.testing.assert_allclose(lying.heads[ROUNDED][name], standing.heads[ROUNDED][name], rtol=1e-4, atol=1e-3)
        assert np.array_equal(portrait.heads(lying.raw)[name], standing.raw[name])
    assert len(lying.layers) == len(standing.layers) == 27
    for one, other in zip(lying.layers, standing.layers, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4)


def test_poses_are_the_board_s_turned_upright(pair: tuple[Stages, Run, Stages, Run]) -> None:
    lying, run, _, _ = pair
    on_board = board_decoder.decode(run.raw, lying.setup.card, **board_decoder.EVALUATION)
    found = lying.poses(run, **board_decoder.EVALUATION)[INTEGER]
    assert on_board
    for pose, sent in zip(found, on_board, strict=True):
        assert np.array_equal(pose.keypoints, sent.keypoints[:, [1, 0, 2]])
        assert pose.wire["keypoints"] == [[y, x, score] for x, y, score in sent.wire["keypoints"]]
    single = board_decoder.decode_single(run.raw, lying.setup.card, vote=8)
    assert np.array_equal(lying.singles(run)[VOTED].keypoints, portrait.keypoints(single.keypoints))
