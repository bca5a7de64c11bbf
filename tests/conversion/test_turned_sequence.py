"""Moving pictures before a board that stands upright: its camera's frame lies, and what is shown of it stands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from conversion import photos
from conversion.kpu import posenet
from conversion.kpu.posenet import Described
from conversion.run_sequence import watch
from tests.firmware.app import virtual


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Described:
    return posenet.read_described(virtual.write_random_model(tmp_path_factory.mktemp("model"), 96, 80))


@pytest.mark.parametrize("zoom", [0, 1])
def test_a_turned_model_sees_what_a_straight_one_sees_in_the_exchanged_picture(model: Described, zoom: int) -> None:
    turned = replace(model, card={**model.card, "input": {**model.card["input"], "turned": 1}})
    picture = photos.bundled(photos.SAMPLE).resize((300, 420))
    lying = list(watch(model, [picture.transpose(Image.Transpose.TRANSPOSE)] * 3, zoom))
    standing = list(watch(turned, [picture] * 3, zoom))
    assert any(frame.poses for frame in lying)
    for frame, other in zip(standing, lying, strict=True):
        assert frame.planes.shape == (3, 640, 480)
        assert np.array_equal(frame.planes, other.planes.transpose(0, 2, 1))
        assert frame.windows == other.windows
        assert frame.outlines == [(top, left, bottom, right) for left, top, right, bottom in other.outlines]
        for person, same in zip(frame.poses, other.poses, strict=True):
            assert np.array_equal(person.keypoints, same.keypoints[:, [1, 0, 2]])
        for sent, same in zip(frame.wire, other.wire, strict=True):
            assert sent["keypoints"] == [[y, x, score] for x, y, score in same["keypoints"]]
