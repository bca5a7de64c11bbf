"""What the host asks of the running program: every sentence of the table, wrong ones, speeds, blocks of data."""

from __future__ import annotations

import itertools
import re

import pytest

from conversion.decoding import board_decoder
from tests.firmware.app import sentences
from tests.firmware.app.asking import asked, replies
from tests.firmware.app.board import FIRMWARE, Board

# Of a board that nobody has told another one: 0.10 in 1/32768.
POSE_SCORE = 3277
VOTE = 8
README = (FIRMWARE / "README.md").read_text()


def test_ping_hello_settings_stats() -> None:
    found, _ = asked("PING,1", "HELLO,2", "SETTINGS,3", "STATS,65535")
    answers = replies(found)
    assert answers[1][0] == 0
    assert 1000 <= answers[1][1] < 1200
    assert answers[2] == (0, 1, "")
    assert answers[3] == answers[65535] == (0, 0, "")
    assert len(sentences.of(found, "HELLO")) == 3
    assert sentences.of(found, "SETTINGS") == [(0, 5, 16384, 20, POSE_SCORE, 0, 0, 0, 50, 100, VOTE, 0, 0)]
    (stats,) = sentences.of(found, "STATS")
    sent_before = list(found[: [item.type for item in found].index("STATS")])
    frames = [item for item in sent_before if item.type == "FRAME"]
    assert stats[1] == 1
    assert stats[2] == frames[-1].fields[0]
    assert stats[3] == len(frames)
    assert stats[5] == sum(item.size for item in sent_before)
    assert stats[6:9] == (4, 0, 0)
    assert stats[9:] == (200_000, 300_000, 4_000_000, 115200)


def test_statistics_come_by_themselves_where_wanted() -> None:
    found, _ = asked("RATE,1,,500", end_ms=4000)
    assert 5 <= len(sentences.of(found, "STATS")) <= 6


@pytest.mark.parametrize(
    ("body", "settings"),
    [
        ("MODE,1,1", (1, 5, 16384, 20, POSE_SCORE, 0, 0, 0, 50, 100, VOTE, 0, 0)),
        ("POSES,1,2,,,", (0, 2, 16384, 20, POSE_SCORE, 0, 0, 0, 50, 100, VOTE, 0, 0)),
        ("POSES,1,,10000", (0, 5, 10000, 20, POSE_SCORE, 0, 0, 0, 50, 100, VOTE, 0, 0)),
        ("POSES,1,,,30,9000,7,8,9", (0, 5, 16384, 30, 9000, 0, 0, 0, 50, 100, 7, 0, 0)),
        ("RATE,1,250", (0, 5, 16384, 20, POSE_SCORE, 250, 0, 0, 50, 100, VOTE, 0, 0)),
        ("RATE,1,,,7", (0, 5, 16384, 20, POSE_SCORE, 0, 0, 0, 50, 7, VOTE, 0, 0)),
        ("ZOOM,1,-1,1", (0, 5, 16384, 20, POSE_SCORE, 0, 0, 0, 50, 100, VOTE, -1, 1)),
        ("PREVIEW,1,0,70", (0, 5, 16384, 20, POSE_SCORE, 0, 0, 0, 70, 100, VOTE, 0, 0)),
    ],
)
def test_settings_change_and_are_said(body: str, settings: tuple) -> None:
    found, _ = asked(body)
    assert sentences.of(found, "SETTINGS") == [settings]
    assert replies(found)[1][0] == 0


def test_changed_parameters_reach_the_decoder() -> None:
    found, _ = asked("POSES,1,2", end_ms=3000)
    counts = [frame[3] for frame, _ in sentences.frames(found)]
    assert counts[0] == 3
    assert counts[-1] == 2


def test_a_single_pose_on_request() -> None:
    found, board = asked("MODE,1,1")
    frame, (pose,) = sentences.frames(found)[-1]
    decoder = board_decoder.decoder_for(board.card, **board_decoder.ON_BOARD)
    assert decoder.decode_single(board.heads) == frame[3] == 1
    assert pose[3:6] == (decoder.poses[0].x16[0], decoder.poses[0].y16[0], decoder.poses[0].scores[0])


def test_more_poses_than_at_start_get_room() -> None:
    board = Board()
    board.heads = [bytes([255]) * len(board.heads[0]), *board.heads[1:]]
    board.uart.baud = 4_000_000
    found, _ = asked("POSES,1,32,1,0", board=board)
    assert max(frame[3] for frame, _ in sentences.frames(found)) > 5


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ("DANCE,1", 1, "no sentence DANCE is known"),
        ("FRAME,1,2,3", 1, "no sentence FRAME is known"),
        ("MODE,1", 2, "1 fields are needed after the id"),
        ("MODE,1,2", 2, "mode is 2, must be from 0 to 1"),
        ("MODE,1,one", 2, "field 1 after the id is not a number"),
        ("POSES,1,33", 2, "max_poses is 33, must be from 1 to 32"),
        ("POSES,1,3,0", 2, "root_score is 0, must be from 1 to 32768"),
        ("POSES,1,3,,-1", 2, "nms_radius is -1, must be from 0 to 1023"),
        ("RATE,1,-5", 2, "frame_ms is -5, must be from 0 to 3600000"),
        ("PREVIEW,1,0,96", 2, "preview_quality is 96, must be from 10 to 95"),
        ("BAUD,1,1200", 2, "rate must be from 9600 to 4000000"),
        ("BAUD,1,", 2, "rate must be from 9600 to 4000000"),
        ("RESEND,1,9,0,1", 4, "block 9 has no chunk 0 any more"),
        ("RESEND,1,,0,1", 2, "block, first and count are needed"),
        ("PIXELS,1,224,224,7", 2, "the model takes 320x240 pixels, and their CRC-32"),
        ("PIXELS,1,320,240,", 2, "the model takes 320x240 pixels, and their CRC-32"),
        ("CHUNK,1,0,AAAA", 4, "no upload is under way: send PIXELS"),
        ("RUN,1", 4, "no pixels are here: send PIXELS"),
        ("SELFTEST,1", 6, "the device card has no test vector: make it with `make kmodel`"),
    ],
)
def test_what_cannot_be_done_is_answered_with_the_reason(body: str, status: int, text: str) -> None:
    found, _ = asked(body)
    assert replies(found)[1] == (status, 0, text)
    assert sentences.of(found, "ERROR") == []
    assert sentences.of(found, "SETTINGS") == []
    assert sentences.frames(found)[-1][0][1] > 3000


@pytest.mark.parametrize("body", ["PING", "PING,", "PING,x", "PING,-1", "PING,65536"])
def test_without_an_id_the_answer_goes_to_0(body: str) -> None:
    found, _ = asked(body)
    assert replies(found)[0][0] == 2


def test_damaged_sentences_and_noise_are_counted_not_answered() -> None:
    board = Board()
    board.uart.host(900, b"$PING,1*0000\r\nhello board\n$PING\n" + b"$" + b"A" * 1500 + b"\n")
    found, _ = asked("PING,2", "STATS,3", board=board)
    assert set(replies(found)) == {2, 3}
    (stats,) = sentences.of(found, "STATS")
    assert stats[6:8] == (2, 3)


def test_a_sentence_in_pieces_is_put_together() -> None:
    board = Board()
    line = sentences.made("PING,7")
    for number, byte in enumerate(line):
        board.uart.host(1000 + 40 * number, bytes([byte]))
    assert replies(board.run(4000))[7][0] == 0


def test_pause_and_resume() -> None:
    found, board = asked("PAUSE,1", "PAUSE,2", "STATS,3", "PING,4", "RESUME,5")
    moments = [frame[1] for frame, _ in sentences.frames(found)]
    assert not [moment for moment in moments if 1150 < moment < 2200]
    assert moments[-1] > 3000
    assert sentences.of(found, "STATS")[0][1] == 2
    assert all(answer[0] == 0 for answer in replies(found).values())
    assert board.lcd.message() == ""


def test_paused_says_so_on_the_lcd() -> None:
    _, board = asked("PAUSE,1")
    assert board.lcd.message().startswith("Paused")


def test_a_frame_rate_limit_skips_and_counts() -> None:
    found, _ = asked("RATE,1,500", "STATS,2", end_ms=8000)
    frames = [frame for frame, _ in sentences.frames(found) if frame[1] > 1300]
    gaps = [later[1] - earlier[1] for earlier, later in itertools.pairwise(frames)]
    assert min(gaps) >= 500
    assert max(gaps) < 800
    assert frames[-1][0] - frames[0][0] > 3 * len(frames)
    assert sentences.of(found, "STATS")[0][4] > 0


def test_reset_answers_first() -> None:
    found, board = asked("RESET,1")
    assert board.resets == 1
    assert replies(found)[1] == (0, 0, "")


# Speed


def pings(first_ms: int, last_ms: int, board: Board) -> None:
    for number, moment in enumerate(range(first_ms, last_ms, 1000)):
        board.tell(moment, f"PING,{100 + number}")


def test_a_raised_speed_lasts_while_the_host_speaks_and_falls_back_after_3_s() -> None:
    board = Board()
    board.tell(1000, "BAUD,1,1500000")
    pings(1500, 6600, board)
    found = board.run(12_000)
    assert replies(found)[1] == (0, 1_500_000, "")
    (up, fast), (down, slow) = board.uart.bauds
    assert (fast, slow) == (1_500_000, 115200)
    assert 1000 < up < 1300
    assert 6500 + 3000 <= down < 6500 + 3300
    assert "back at 115200 baud" in board.printed


def test_the_reply_leaves_at_the_old_speed() -> None:
    board = Board()
    board.tell(1000, "BAUD,1,1500000")
    board.run(2000)
    ((changed, _),) = [item for item in board.uart.bauds if item[1] == 1_500_000]
    before = [moment for moment, _ in board.uart.writes if moment <= changed]
    assert changed - before[-1] >= 20


def test_the_usual_speed_needs_no_pings() -> None:
    assert asked(end_ms=10_000)[1].uart.bauds == []


def test_ctrl_c_leaves_the_usual_speed() -> None:
    _, board = asked("BAUD,1,1500000", end_ms=2000)
    assert board.uart.bauds[-1][1] == 115200


# The table


def test_the_readme_lists_what_the_program_takes_and_sends() -> None:
    sections = README.split("### ")
    rows = {
        title: set(re.findall(r"^\| `([A-Z]+)` \|", text, re.MULTILINE))
        for title, text in ((section.splitlines()[0], section) for section in sections[1:])
    }
    assert rows["Board to host"] == set(sentences.TABLE)
    source = (FIRMWARE / "pose_commands.py").read_text()
    assert rows["Host to board"] == set(re.findall(r'^    b"([A-Z]+)": \(', source, re.MULTILINE))


def test_the_readme_lists_every_code() -> None:
    source = (FIRMWARE / "pose_errors.py").read_text()
    codes = {int(number) for number in re.findall(r"^[A-Z_]+ = (\d{1,2})$", source, re.MULTILINE)}
    table = README.partition("Codes of `REPLY` and `ERROR`:")[2].partition("\n**")[0]
    assert codes == {int(number) for number in re.findall(r"^\| (\d+) \| ", table, re.MULTILINE)}
    assert len(codes) > 20
