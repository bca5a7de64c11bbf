"""The firmware's zoom on the host: its own files, under the names that they have on the board."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from conversion.decoding import board_decoder, board_zoom
from firmware import pose_decoder
from tests.firmware import synthetic

SIZE = (320, 240)
CARD = synthetic.card(*SIZE)
PERSON = synthetic.person(200, 150, 150)


def heads_of(window: tuple[int, ...]) -> synthetic.Heads:
    """Of a frame in which PERSON stands."""
    places = (PERSON * 256 - window[:2]) / window[2]
    return synthetic.quantised(synthetic.drawn([places], CARD), CARD)


def test_the_board_s_files_are_there_once() -> None:
    for name in ("pose_decoder", "pose_view", "pose_people", "pose_smooth", "pose_zoom"):
        assert sys.modules[name] is sys.modules[f"firmware.{name}"]
    assert board_zoom.pose_decoder is pose_decoder
    assert list(board_zoom.MODES) == [0, 1, 2, 3, 4]


def test_off_is_what_the_decoder_says() -> None:
    board = board_zoom.BoardZoom(CARD, 0, vote=8)
    heads = heads_of((128, 128, 512))
    (pose,), (expected,) = board.look(heads_of), board_decoder.decode(heads, CARD, vote=8)
    assert pose.wire == expected.wire
    assert pose.score == expected.score
    np.testing.assert_allclose(pose.keypoints[:, :2], expected.keypoints[:, :2])
    np.testing.assert_allclose(pose.keypoints[:, 2], expected.keypoints[:, 2], atol=1 / 255)
    assert board.windows() == [(128, 128, 512)]


@pytest.mark.parametrize("single", [False, True])
def test_poses_of_a_window_lie_in_the_frame(single: bool) -> None:
    board = board_zoom.BoardZoom(CARD, 1, single=single)
    for _ in range(2):
        (pose,) = board.look(heads_of)
    ((_, _, step),) = board.windows()
    assert step < 200
    np.testing.assert_allclose(board.in_frame(pose.keypoints)[:, :2], PERSON, atol=0.5)
