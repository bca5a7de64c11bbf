"""How the self-test judges, and that it leaves everything as it was; the virtual board runs it for real."""

from __future__ import annotations

import zlib

import pytest

from conversion import test_card
from firmware.pose_decoder import PoseDecoder
from tests.firmware.app import sentences, stand_ins
from tests.firmware.app.asking import asked, replies
from tests.firmware.app.board import Board

WIDTH, HEIGHT = 64, 64


def board_with_vector(**changes: object) -> Board:
    """A board whose card expects what its network gives; it has a vote if this is named, as older cards have none."""
    board = Board(WIDTH, HEIGHT)
    decoder = PoseDecoder(board.card)
    decoder.configure(vote=changes.get("vote"))
    count = decoder.decode(board.heads)
    poses = [
        {
            "score": pose.score,
            "keypoints": [list(keypoint) for keypoint in zip(pose.x16, pose.y16, pose.scores, strict=True)],
        }
        for pose in decoder.poses[:count]
    ]
    board.card["test_vector"] = {"heads_crc32": zlib.crc32(b"".join(board.heads)), "poses": poses, **changes}
    return board


def test_the_network_sees_the_test_card() -> None:
    board = board_with_vector()
    seen: list[bytes] = []
    board.kpu.network = lambda planes: seen.append(planes) or board.heads
    found, _ = asked("SELFTEST,1", board=board, end_ms=3000)
    number = replies(found)[1][1]
    assert test_card.draw(WIDTH, HEIGHT).tobytes() == seen[number - 1]
    frame = next(frame for frame, _ in sentences.frames(found) if frame[0] == number)
    assert frame[2] == 3
    assert sentences.of(found, "SELFTEST")[0][:2] == (number, 0)


@pytest.mark.parametrize("vote", [8, 0])
def test_the_card_says_whether_its_poses_were_voted_on(vote: int) -> None:
    board = board_with_vector(vote=vote)
    found, _ = asked("SELFTEST,1", board=board, end_ms=3000)
    assert sentences.of(found, "SELFTEST")[0][1] == 0
    board = board_with_vector(vote=vote)
    board.card["test_vector"]["vote"] = 8 - vote
    found, _ = asked("SELFTEST,1", board=board, end_ms=3000)
    assert sentences.of(found, "SELFTEST")[0][1] == 2


def test_other_settings_do_not_matter_and_are_kept() -> None:
    found, _ = asked("MODE,1,1", "POSES,2,1,30000", "MODE,3,0", "SELFTEST,4", board=board_with_vector(), end_ms=4000)
    (result,) = sentences.of(found, "SELFTEST")
    assert result[1] == 0
    assert result[4:] == (3, 3, "PASS")
    counts = {frame[0]: frame[3] for frame, _ in sentences.frames(found)}
    assert counts[result[0]] == 3
    assert max(count for number, count in counts.items() if number > result[0]) <= 1


def test_heads_are_sent_on_request() -> None:
    found, board = asked("PAUSE,1", "SELFTEST,2,1", board=board_with_vector(), end_ms=6000)
    assert sentences.block(found, 1) == b"".join(board.heads)


@pytest.mark.parametrize("score", [None, 3])
def test_a_differing_pose_is_named(score: int | None) -> None:
    board = board_with_vector()
    pose = board.card["test_vector"]["poses"][1]
    if score is None:
        pose["keypoints"][7][0] += 1
    else:
        pose["score"] = score
    found, _ = asked("SELFTEST,1", board=board, end_ms=3000)
    (result,) = sentences.of(found, "SELFTEST")
    assert result[1] == 2
    assert result[6].startswith("pose 1: keypoint 7 is (" if score is None else "pose 1: score ")
    assert "expected" in result[6]
    assert result[6] in board.printed


def test_another_number_of_poses_is_named() -> None:
    found, _ = asked("SELFTEST,1", board=board_with_vector(poses=[]), end_ms=3000)
    (result,) = sentences.of(found, "SELFTEST")
    assert (result[1], *result[4:]) == (2, 0, 3, "3 poses, expected 0")


def test_other_heads_are_named_first() -> None:
    found, _ = asked("SELFTEST,1", board=board_with_vector(heads_crc32=1, poses=[]), end_ms=3000)
    assert sentences.of(found, "SELFTEST")[0][1] == 1


def test_the_result_is_on_the_lcd() -> None:
    _, board = asked("SELFTEST,1", board=board_with_vector(), end_ms=2500)
    texts = [args[2] for kind, args, _ in board.lcd.shown[-1][3] if kind == "string"]
    assert "self-test: PASS" in texts


def test_the_cards_pixels_have_their_high_byte_first() -> None:
    board = board_with_vector()
    board.tell(1000, "PAUSE,1")
    board.tell(1300, "SELFTEST,2")
    board.run(2500)
    assert stand_ins.planes_of(bytes(board.sensor.frame.data)) == test_card.draw(WIDTH, HEIGHT).tobytes()
