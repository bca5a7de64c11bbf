"""What the host asks of the running program: every sentence of the table, wrong ones, speeds, blocks of data."""

from __future__ import annotations

import base64
import itertools
import re
import zlib

import numpy as np
import pytest

from firmware import pose_wire
from firmware.pose_decoder import PoseDecoder
from tests.firmware.app import sentences, stand_ins
from tests.firmware.app.board import FIRMWARE, Board

README = (FIRMWARE / "README.md").read_text()
PIXELS = np.random.default_rng(3).integers(0, 256, 320 * 240 * 2).astype(np.uint8).tobytes()


def replies(found: list[sentences.Sentence]) -> dict[int, tuple]:
    """Of each request: (status, value, text) of its last reply."""
    return {fields[0]: fields[1:] for fields in sentences.of(found, "REPLY")}


def asked(*bodies: str, board: Board | None = None, end_ms: int = 4000) -> tuple[list[sentences.Sentence], Board]:
    """A run in which the host sends these sentences, one every 300 ms from the first second on."""
    board = board or Board()
    for number, body in enumerate(bodies):
        board.tell(1000 + 300 * number, body)
    return board.run(end_ms), board


def test_ping_hello_settings_stats() -> None:
    found, _ = asked("PING,1", "HELLO,2", "SETTINGS,3", "STATS,65535")
    answers = replies(found)
    assert answers[1][0] == 0
    assert 1000 <= answers[1][1] < 1200
    assert answers[2] == (0, 1, "")
    assert answers[3] == answers[65535] == (0, 0, "")
    assert len(sentences.of(found, "HELLO")) == 3
    assert sentences.of(found, "SETTINGS") == [(0, 5, 16384, 20, 0, 0, 0, 0, 50)]
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
        ("MODE,1,1", (1, 5, 16384, 20, 0, 0, 0, 0, 50)),
        ("POSES,1,2,,,", (0, 2, 16384, 20, 0, 0, 0, 0, 50)),
        ("POSES,1,,10000", (0, 5, 10000, 20, 0, 0, 0, 0, 50)),
        ("POSES,1,,,30,9000,7,8,9", (0, 5, 16384, 30, 9000, 0, 0, 0, 50)),
        ("RATE,1,250", (0, 5, 16384, 20, 0, 250, 0, 0, 50)),
        ("PREVIEW,1,0,70", (0, 5, 16384, 20, 0, 0, 0, 0, 70)),
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
    decoder = PoseDecoder(board.card)
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


# Heads


@pytest.mark.parametrize("paused", [False, True])
def test_heads_of_a_frame_on_request(paused: bool) -> None:
    board = Board()
    board.heads_taken = []
    frames_heads: dict[int, list[bytes]] = {}

    def network(planes: bytes) -> list[bytes]:
        heads = [bytes(byte ^ planes[0] & 1 for byte in head) for head in board.heads]
        frames_heads[planes[0]] = heads
        return heads

    board.kpu.network = network
    found, _ = asked(*(["PAUSE,1"] if paused else []), "HEADS,2", board=board, end_ms=14_000)
    number = replies(found)[2][1]
    (digest,) = sentences.of(found, "DIGEST")
    heads = frames_heads[number]
    whole = b"".join(heads)
    assert digest == (number, zlib.crc32(whole), *map(zlib.crc32, heads))
    (bulk,) = sentences.of(found, "BULK")
    assert bulk == (1, "HEADS", 34500, pose_wire.BOARD_CHUNK, zlib.crc32(whole), number)
    assert sentences.block(found, 1) == whole
    # Its poses are on the line too, before.
    types = [item.type for item in found]
    assert [frame[0] for frame, _ in sentences.frames(found[: types.index("DIGEST")])][-1] == number
    after = sentences.frames(found[types.index("DIGEST") :])
    assert bool(after) is not paused


def test_chunks_are_sent_again_on_request() -> None:
    found, _ = asked("PAUSE,1", "HEADS,2", *["PING,3"] * 25, "RESEND,4,1,2,3", "RESEND,5,1,89,5", end_ms=12_000)
    assert replies(found)[4] == (0, 3, "")
    assert replies(found)[5] == (0, 1, "")
    numbers = [number for _, number, _ in sentences.of(found, "CHUNK")]
    assert numbers == [*range(90), 2, 3, 4, 89]
    assert sentences.block(found, 1)


# Previews


def test_previews_share_the_line_with_frames() -> None:
    found, _ = asked("PREVIEW,1,500,30", end_ms=6000)
    bulks = sentences.of(found, "BULK")
    assert len(bulks) >= 6
    assert {kind for _, kind, *_ in bulks} == {"JPEG"}
    for bulk in bulks[:-1]:
        assert sentences.block(found, bulk[0]).startswith(b"\xff\xd8 JPEG 30")
    assert len(sentences.frames(found)) > 15


def test_a_preview_without_memory_switches_previews_off() -> None:
    board = Board()
    stand_ins.FAULTS["compress"] = True
    found, _ = asked("PREVIEW,1,500,30", "SETTINGS,2", board=board)
    assert [fields[0] for fields in sentences.of(found, "ERROR")] == [42]
    assert sentences.of(found, "SETTINGS")[-1][7] == 0
    assert sentences.frames(found)[-1][0][1] > 3000


# Pixels


def upload(data: bytes, checksum: int | None = None, request: int = 10) -> list[str]:
    """The sentences that send pixels of 320x240."""
    bodies = [f"PIXELS,{request},320,240,{zlib.crc32(data) if checksum is None else checksum}"]
    for number in range(-(-len(data) // 720)):
        piece = base64.b64encode(data[720 * number : 720 * (number + 1)]).decode()
        bodies.append(f"CHUNK,{1000 + number},{number},{piece}")
    return bodies


def uploaded(bodies: list[str], board: Board, end_ms: int = 40_000) -> list[sentences.Sentence]:
    """A run in which the host sends each sentence when the one before has had time: 100 ms."""
    for number, body in enumerate(bodies):
        board.tell(1000 + 100 * number, body)
    return board.run(end_ms)


def test_pixels_of_the_host_run_through_the_network() -> None:
    board = Board()
    planes: list[bytes] = []

    def network(data: bytes) -> list[bytes]:
        planes.append(data)
        return board.heads

    board.kpu.network = network
    bodies = ["PAUSE,1", *upload(PIXELS), "RUN,7000", "RUN,7001,1"]
    found = uploaded(bodies, board)
    answers = replies(found)
    assert all(answer[0] == 0 for answer in answers.values()), answers
    assert answers[10] == (0, 214, "")
    assert answers[1213][1] == 214
    assert board.uart.lost == 0
    expected = stand_ins.planes_of(PIXELS)
    assert planes[-2:] == [expected, expected]
    first, second = sentences.frames(found)[-2:]
    assert (first[0][0], second[0][0]) == (answers[7000][1], answers[7001][1])
    assert first[0][2] == second[0][2] == 2
    whole = b"".join(board.heads)
    assert [digest[1] for digest in sentences.of(found, "DIGEST")] == [zlib.crc32(whole)] * 2
    # Heads were asked for the second time only.
    (bulk,) = sentences.of(found, "BULK")
    assert bulk[5] == answers[7001][1]
    assert sentences.block(found, 1) == whole


def test_no_frames_are_taken_during_an_upload_and_again_after_it() -> None:
    board = Board()
    found = uploaded([*upload(PIXELS), "RUN,7000"], board, 30_000)
    moments = [frame[1] for frame, _ in sentences.frames(found) if frame[2] == 0]
    assert not [moment for moment in moments if 1200 < moment < 22_000]
    assert moments[-1] > 25_000


def test_the_same_chunk_twice_is_taken_and_a_later_one_is_not() -> None:
    board = Board()
    bodies = upload(PIXELS)
    found = uploaded([bodies[0], bodies[1], bodies[1], bodies[3], bodies[2], bodies[3]], board, 4000)
    answers = [fields for fields in sentences.of(found, "REPLY") if fields[0] >= 1000]
    assert [(fields[0], fields[1], fields[2]) for fields in answers] == [
        (1000, 0, 1), (1000, 0, 1), (1002, 4, 0), (1001, 0, 2), (1002, 0, 3)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("chunk", "status"),
    [("CHUNK,5,0,AAAA", 2), ("CHUNK,5,0,%%%", 2), ("CHUNK,5,,AAAA", 2), ("CHUNK,5,0", 2), ("CHUNK,5,-1,AAAA", 4),
     ("CHUNK,5,214,AAAA", 4)],
)  # fmt: skip
def test_wrong_chunks_are_refused(chunk: str, status: int) -> None:
    found = uploaded([upload(PIXELS)[0], chunk], Board(), 4000)
    assert replies(found)[5][0] == status


def test_pixels_with_a_wrong_checksum_do_not_run() -> None:
    found = uploaded([*upload(PIXELS, checksum=5), "RUN,7000"], Board(), 30_000)
    assert replies(found)[7000] == (5, 0, "the pixels' CRC-32 is wrong: send them again")
    assert {frame[2] for frame, _ in sentences.frames(found)} == {0}


def test_an_unfinished_upload_does_not_run() -> None:
    found = uploaded([*upload(PIXELS)[:5], "RUN,7000"], Board(), 4000)
    assert replies(found)[7000] == (4, 0, "chunk 4 is wanted")


def test_an_upload_that_stops_is_given_up_after_10_s() -> None:
    found = uploaded(upload(PIXELS)[:5], Board(), 20_000)
    assert [fields[0] for fields in sentences.of(found, "ERROR")] == [4]
    moments = [frame[1] for frame, _ in sentences.frames(found)]
    assert 11_000 < min(moment for moment in moments if moment > 2000) < 12_500


def test_resume_ends_an_upload() -> None:
    found = uploaded([*upload(PIXELS)[:5], "RESUME,6", "CHUNK,7,4,AAAA"], Board(), 4000)
    assert replies(found)[7][0] == 4
    assert sentences.frames(found)[-1][0][1] > 3000


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
    assert codes == {int(number) for number in re.findall(r"^\| (\d+) \| ", README, re.MULTILINE)}
    assert len(codes) > 20
