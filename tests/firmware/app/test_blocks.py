"""Blocks of data: heads and previews to the host, pixels to the board, in numbered chunks."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest

from firmware import pose_wire
from tests.firmware.app import sentences, stand_ins
from tests.firmware.app.asking import asked, replies
from tests.firmware.app.board import Board

# Of pose_loop: no previews before that, which is when the second core has looked for an SD card.
WAITED_MS = 10_000
PIXELS = np.random.default_rng(3).integers(0, 256, 320 * 240 * 2).astype(np.uint8).tobytes()


# Heads


@pytest.mark.parametrize("paused", [False, True])
def test_heads_of_a_frame_on_request(paused: bool) -> None:
    board = Board()
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
    found, _ = asked("PREVIEW,1,500,30", end_ms=WAITED_MS + 5000)
    bulks = sentences.of(found, "BULK")
    assert len(bulks) >= 6
    assert {kind for _, kind, *_ in bulks} == {"JPEG"}
    for bulk in bulks[:-1]:
        assert sentences.block(found, bulk[0]).startswith(b"\xff\xd8 JPEG 30")
    assert len(sentences.frames(found)) > 15


def test_no_preview_is_made_while_the_second_core_looks_for_a_card() -> None:
    early, _ = asked("PREVIEW,1,1,30", end_ms=WAITED_MS - 1)
    assert not sentences.of(early, "BULK")
    assert len(sentences.frames(early)) > 15


def test_a_preview_without_memory_switches_previews_off() -> None:
    board = Board()
    stand_ins.FAULTS["compress"] = True
    board.tell(WAITED_MS + 1500, "SETTINGS,2")
    found, _ = asked("PREVIEW,1,500,30", board=board, end_ms=WAITED_MS + 2000)
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


def test_the_pixels_are_gone_when_a_frame_has_been_taken() -> None:
    found = uploaded([*upload(PIXELS), "RUN,7000", *["PING,1"] * 4, "RUN,7001"], Board(), 30_000)
    assert replies(found)[7000][0] == 0
    assert replies(found)[7001] == (4, 0, "no pixels are here: send PIXELS")


def test_no_frames_are_taken_during_an_upload_and_again_after_it() -> None:
    board = Board()
    found = uploaded([*upload(PIXELS), "RUN,7000"], board, 30_000)
    moments = [frame[1] for frame, _ in sentences.frames(found) if frame[2] == 0]
    assert not [moment for moment in moments if 1200 < moment < 22_000]
    assert moments[-1] > 25_000


def test_the_same_chunk_twice_is_taken_and_a_later_one_is_not() -> None:
    board = Board()
    bodies = upload(PIXELS)
    found = uploaded([bodies[0], bodies[1], bodies[1], bodies[3], bodies[2], bodies[1], bodies[3]], board, 4000)
    answers = [fields for fields in sentences.of(found, "REPLY") if fields[0] >= 1000]
    assert [(fields[0], fields[1], fields[2]) for fields in answers] == [
        (1000, 0, 1),
        (1000, 0, 1),
        (1002, 4, 0),
        (1001, 0, 2),
        (1000, 0, 2),
        (1002, 0, 3),
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
