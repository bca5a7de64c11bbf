"""What the line carries: three people ten times a second fit 115200 baud; more is skipped and counted."""

from __future__ import annotations

import importlib
from types import ModuleType, SimpleNamespace

import pytest

from tests.firmware.app import sentences
from tests.firmware.app.board import Board, people

BYTES_PER_SECOND = 115200 // 10
# Further out no keypoint can be: 64 cells of 16 pixels and 1023 pixels of displacement on either side, in 1/16 pixel.
FARTHEST = -16 * (1024 + 1023)


def sender_of(board: Board, **changes: int) -> tuple[SimpleNamespace, ModuleType]:
    settings = importlib.import_module("pose_settings").Settings()
    settings.change(changes)
    link = importlib.import_module("pose_link").Link(board.uart)
    return importlib.import_module("pose_sender").Sender(link, settings), link


def worst_pose() -> SimpleNamespace:
    return SimpleNamespace(score=255, x16=[FARTHEST] * 17, y16=[FARTHEST] * 17, scores=bytes([255] * 17))


def frame_bytes(people_count: int) -> int:
    """Bytes of a frame whose every number is as long as it can be."""
    board = Board()
    with board.modules():
        sender, _ = sender_of(board, max_poses=people_count)
        board.clock.us = 10**13
        board.clock.end_ms = 10**12
        sender.frame(2**32 - 1, 0, [worst_pose()] * people_count, people_count, [10**8 - 1] * 5, True)
    ((frame, poses),) = sentences.frames(board.sent())
    assert len(poses) == people_count
    assert len(str(frame[1])) >= 10
    return len(board.uart.sent)


def test_three_people_ten_times_a_second_fit_in_the_worst_case() -> None:
    a_second = 10 * frame_bytes(3)
    assert 10_000 < a_second < BYTES_PER_SECOND
    # Twice as many do not: the limit above is one.
    assert 10 * frame_bytes(6) > BYTES_PER_SECOND


def test_the_buffers_hold_the_worst_case() -> None:
    board = Board()
    with board.modules():
        wire = importlib.import_module("pose_wire")
    one = frame_bytes(1)
    assert frame_bytes(2) - one <= wire.MAX_POSE
    assert one <= wire.MAX_FRAME + wire.MAX_POSE


def test_a_board_with_three_people_sends_every_frame() -> None:
    """At the stand-ins' speed of some seven frames a second."""
    board = Board()
    board.tell(4000, "STATS,1")
    found = board.run(5000)
    assert sentences.of(found, "STATS")[0][4] == 0


def test_what_the_line_cannot_carry_is_skipped_and_counted() -> None:
    """A board that makes some 40 frames a second of five people: five times what the line carries."""
    board = Board()
    board.heads = people(320, 240, 5)
    written: list[tuple[int, int]] = []

    def write(data: memoryview) -> int:
        board.uart.sent += bytes(data)
        written.append((board.clock.ms, len(data)))
        return len(data)

    board.uart.write = write
    board.sensor.clock = board.kpu.clock = SimpleNamespace(pass_us=lambda us: board.clock.pass_us(us // 3))
    board.tell(8000, "STATS,1")
    found = board.run(9000)
    (stats,) = sentences.of(found, "STATS")
    frames = sentences.frames(found)
    assert stats[2] > 250
    assert stats[2] == stats[3] + stats[4]
    assert stats[4] > stats[3] > 40
    # In every second at most what the line carries, and half a second's worth that may have been saved before.
    for start in range(0, 8000, 250):
        in_second = sum(size for moment, size in written if start <= moment < start + 1000)
        assert in_second <= 1.5 * BYTES_PER_SECOND + 700
    total = sum(size for _, size in written)
    assert 0.9 * BYTES_PER_SECOND * 9 < total < 1.1 * BYTES_PER_SECOND * 9
    # Skipped frames are gaps in the numbers, and no frame is torn (`frames` asserts that).
    assert frames[-1][0][0] > 2 * len(frames)


@pytest.mark.parametrize("baud", [115200, 1_500_000])
def test_the_account_follows_the_speed(baud: int) -> None:
    board = Board()
    with board.modules():
        _, link = sender_of(board)
        link.set_baud(baud)
        board.clock.us += 100_000
        link.credit()
        link._credit = 0
        board.clock.us += 100_000
        assert abs(link.credit() - baud // 100) < 5
        board.clock.us += 10_000_000
        assert abs(link.credit() - max(baud // 20, link._largest)) < 5


@pytest.mark.parametrize(
    ("share", "baud", "all_sent"), [(5, 115200, False), (20, 115200, False), (20, 1_500_000, True)]
)
def test_sending_takes_its_share_of_the_time_at_most(share: int, baud: int, all_sent: bool) -> None:
    """So that a slow line, with a host that listens, does not hold the loop up; at a fast one nothing is left out."""
    board = Board()
    board.config["settings"]["share"] = share
    if baud > 115200:
        board.tell(500, f"BAUD,1,{baud}")
    for second in range(11):
        board.tell(1000 * second, "PING,1")
    found = sentences.frames(board.run(10_000))[5:]
    passed = found[-1][0][1] - found[0][0][1]
    sending = sum(frame[8] for frame, _ in found[1:]) / 1000  # each says what the one before took
    assert sending / passed <= 1.02 * share / 100
    left_out = found[-1][0][0] - found[0][0][0] + 1 - len(found)
    assert (left_out == 0) == all_sent


def rates(found: list, begin: float, end: float) -> tuple[float, float]:
    """Frames a second, computed and sent, in a part of the run, in milliseconds of the board's."""
    frames = [frame for frame, _ in sentences.frames(found) if begin <= frame[1] < end]
    seconds = (frames[-1][1] - frames[0][1]) / 1000
    return (frames[-1][0] - frames[0][0]) / seconds, (len(frames) - 1) / seconds


def test_a_board_that_nobody_speaks_to_spends_a_third_of_its_share_and_makes_more_frames() -> None:
    board = Board()
    board.config["settings"]["share"] = 15
    board.tell(20_000, "PING,1")
    found = board.run(80_000)
    silent, heard, again = [rates(found, *part) for part in ((0, 20e3), (22e3, 45e3), (55e3, 80e3))]
    assert silent[0] > 1.05 * heard[0]
    assert heard[1] > 2 * silent[1]
    assert again == pytest.approx(silent, rel=0.02)


def test_a_share_of_all_the_time_is_all_of_it_for_a_silent_host_too() -> None:
    board = Board()
    board.config["settings"]["share"] = 100
    computed, sent = rates(board.run(10_000), 0, 10_000)
    assert computed == sent


def test_what_was_asked_for_is_sent_whatever_the_share() -> None:
    board = Board()
    board.config["settings"]["share"] = 1
    for moment in range(1000, 31_000, 3000):
        board.tell(moment, f"HEADS,{moment}")
    found = board.run(33_000)
    assert len(sentences.of(found, "DIGEST")) == 10
    asked = {digest[0] for digest in sentences.of(found, "DIGEST")}
    assert asked <= {frame[0] for frame, _ in sentences.frames(found)}


def test_a_frame_is_skipped_as_a_whole_where_the_last_byte_of_it_has_no_room() -> None:
    board = Board()
    with board.modules():
        sender, link = sender_of(board, share=100)
        board.clock.us += 1_000_000
        stages = [1, 2, 3, 4, 5]
        sender.frame(1, 0, [worst_pose()] * 2, 2, stages, True)
        size = len(board.uart.sent)
        for spare, sent in ((-1, 1), (0, 2)):
            link.credit()
            link._credit, link._earned = size + spare, board.clock.us
            stages[4] = 5
            sender.frame(2, 0, [worst_pose()] * 2, 2, stages, False)
            assert sender.sent == sent
    assert sender.skipped == 1
