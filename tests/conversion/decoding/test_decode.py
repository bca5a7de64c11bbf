"""The host's adapter of the board's decoder: cards, parameters, and poses in real units."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from conversion import network
from conversion.decoding import board_decoder
from conversion.decoding.board_decoder import EVALUATION
from conversion.errors import ModelFormatError
from tests.firmware import synthetic

CARD = synthetic.card(320, 240)
MODEL_CARD = {
    **CARD,
    "format": "posenet-maix model card 1",
    "kmodel": {"file": "posenet.kmodel", "version": 3, "bytes": 123, "sha256": "ab" * 32},
    "memory": {"kpu_ram_bytes": 1, "main_memory_bytes": 2},
    "quantisation": {"sqnr_db": {"heatmap": 25.5}},
    "test_vector": {"heads_crc32": {"heatmap": 1}, "poses": []},
}


def heads_of(count: int) -> synthetic.Heads:
    return synthetic.quantised(synthetic.drawn(synthetic.crowd(320, 240, count), CARD), CARD)


def test_poses_come_in_real_units_and_as_the_board_sends_them() -> None:
    people = synthetic.crowd(320, 240, 2)
    poses = board_decoder.decode(heads_of(2), CARD)
    assert len(poses) == 2
    for pose in poses:
        person = min(people, key=lambda keypoints: abs(keypoints[0, 0] - pose.keypoints[0, 0]))
        assert np.abs(pose.keypoints[:, :2] - person).max() < 0.25
        assert set(pose.wire) == {"score", "keypoints"}
        wire = np.array(pose.wire["keypoints"])
        assert wire.shape == (len(network.KEYPOINTS), 3)
        assert np.array_equal(wire[:, :2], np.floor(pose.keypoints[:, :2] * 16 + 0.5))
        assert np.array_equal(wire[:, 2], np.floor(pose.keypoints[:, 2] * 255 + 0.5))
        assert pose.wire["score"] == np.floor(pose.score * 255 + 0.5)


def test_a_pose_s_wire_form_is_plain_json() -> None:
    pose = board_decoder.decode(heads_of(1), CARD)[0]
    assert json.loads(json.dumps(pose.wire)) == pose.wire


def test_single_mode_gives_one_pose() -> None:
    assert np.allclose(
        board_decoder.decode_single(heads_of(1), CARD).keypoints[:, :2],
        board_decoder.decode(heads_of(1), CARD)[0].keypoints[:, :2],
    )


def test_parameters_are_the_firmware_s_unless_given() -> None:
    heads = synthetic.noise(3, CARD, levels=40)
    assert len(board_decoder.decode(heads, CARD)) == 5
    assert len(board_decoder.decode(heads, CARD, max_poses=9)) == 9
    assert len(board_decoder.decode(heads, CARD, **EVALUATION)) == 20
    assert board_decoder.decode(heads_of(3), CARD, root_score=1.0) == []
    assert len(board_decoder.decode(heads_of(3), CARD, nms_radius=1000)) == 1
    assert board_decoder.decode(heads, CARD, pose_score=1.0) == []


def test_what_a_board_leaves_out_is_what_its_program_says(root: Path) -> None:
    code = "import sys; sys.modules['utime'] = sys; import json, pose_settings; print(json.dumps(pose_settings.TABLE))"
    done = subprocess.run([sys.executable, "-c", code], cwd=root / "firmware", capture_output=True, check=True)
    start = {name: value for name, _, _, value in json.loads(done.stdout)}
    asked = board_decoder.decoder_for(CARD, **board_decoder.ON_BOARD)
    assert {name: start[name] for name in ("max_poses", "root_score", "nms_radius", "pose_score")} == {
        "max_poses": asked.max_poses,
        "root_score": asked.root_score,
        "nms_radius": asked.nms_radius,
        "pose_score": asked.pose_score,
    }
    assert asked.pose_score == 3277
    assert board_decoder.decoder_for(CARD).pose_score == board_decoder.decoder_for(CARD, **EVALUATION).pose_score == 0


def test_a_decoder_serves_many_pictures() -> None:
    decoder = board_decoder.decoder_for(CARD)
    first = board_decoder.poses_of(decoder, heads_of(3))
    keypoints = [pose.keypoints.copy() for pose in first]
    board_decoder.poses_of(decoder, synthetic.noise(1, CARD))
    assert all(np.array_equal(pose.keypoints, kept) for pose, kept in zip(first, keypoints, strict=True))


def test_the_device_card_holds_what_the_board_reads_and_no_float() -> None:
    card = json.loads(json.dumps(board_decoder.device_card(MODEL_CARD)), parse_float=pytest.fail)
    assert card["format"] == board_decoder.DEVICE_FORMAT
    assert card["kmodel"] == MODEL_CARD["kmodel"]
    assert card["input"] == {"width": 320, "height": 240}
    assert card["heads"][1].keys() == {"zero_point", "multiplier", "shift"}
    assert card["sigmoid"] == CARD["sigmoid"]
    assert card["test_vector"] == MODEL_CARD["test_vector"]
    assert "quantisation" not in card


def test_the_device_card_decodes_as_the_model_card_does() -> None:
    heads = synthetic.noise(4, CARD, levels=30)
    ours, boards = (
        board_decoder.decode(heads, MODEL_CARD),
        board_decoder.decode(heads, board_decoder.device_card(MODEL_CARD)),
    )
    assert [pose.wire for pose in ours] == [pose.wire for pose in boards]


def test_a_device_card_needs_no_test_vector() -> None:
    model_card = {name: entry for name, entry in MODEL_CARD.items() if name != "test_vector"}
    assert "test_vector" not in board_decoder.device_card(model_card)


@pytest.mark.parametrize("missing", ["kmodel", "memory", "input", "heads", "sigmoid"])
def test_a_card_with_a_gap_is_refused(missing: str) -> None:
    card = {name: entry for name, entry in MODEL_CARD.items() if name != missing}
    with pytest.raises(ModelFormatError, match=f"{missing} is missing"):
        board_decoder.device_card(card)


def test_a_card_that_the_decoder_refuses() -> None:
    with pytest.raises(ModelFormatError, match="width 321 must be a multiple of 16"):
        board_decoder.decode(heads_of(1), {**CARD, "input": {"width": 321, "height": 240}})
    with pytest.raises(ModelFormatError, match="sigmoid is missing"):
        board_decoder.decoder_for({"input": CARD["input"], "heads": CARD["heads"]})
    with pytest.raises(ModelFormatError, match="max_poses is 0"):
        board_decoder.decoder_for(CARD, max_poses=0)


@pytest.mark.parametrize(
    "wrong", [np.zeros((17, 15, 19), np.uint8), np.zeros((15, 20, 17), np.uint8), np.zeros((17, 15, 20), np.float32)]
)
def test_heads_that_do_not_fit_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ModelFormatError, match=r"head heatmap: .* the card says uint8 \[17, 15, 20\]"):
        board_decoder.decode({**heads_of(1), "heatmap": wrong}, CARD)
