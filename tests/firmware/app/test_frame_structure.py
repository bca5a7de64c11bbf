"""What a frame is made of: calls of devices, bytes on the line, waiting for the camera: it decides the frame rate."""

from __future__ import annotations

from tests.firmware.app import sentences
from tests.firmware.app.board import Board


def test_a_frame_is_one_call_of_each_device() -> None:
    """One of the camera, the KPU, the LCD and the line each; so many bytes as its sentences have."""
    board = Board()
    before = {"reset", "set_pixformat", "set_framesize"}
    found = board.run(5000)
    frames = sentences.frames(found)
    computed = frames[-1][0][0]
    assert len(frames) == computed > 20
    assert board.sensor.taken - computed in (0, 1)
    assert len(board.kpu.pictures) - computed in (0, 1)
    assert len(board.lcd.shown) - computed in (0, 1)
    assert [name for name, *_ in board.sensor.calls if name not in before] == []
    others = [sentence for sentence in found if sentence.type not in ("FRAME", "POSE")]
    assert len(board.uart.writes) == len(frames) + len(others)
    sizes = [sentence.size for sentence in found if sentence.type in ("FRAME", "POSE")]
    assert sum(size for _, size in board.uart.writes) == sum(sizes) + sum(sentence.size for sentence in others)
    # Of three people.
    assert all(700 < size < 1120 for _, size in board.uart.writes[-10:])


def test_a_slow_camera_is_waited_for() -> None:
    """One that gives 15 frames a second; the waiting is told as capturing."""
    board = Board()
    snapshot = board.sensor.snapshot

    def slow_snapshot() -> object:
        board.clock.pass_us(33_667)
        return snapshot()

    board.sensor.snapshot = slow_snapshot
    frames = [frame for frame, _ in sentences.frames(board.run(5000))]
    assert [frame[0] for frame in frames] == list(range(1, len(frames) + 1))
    assert all(66_000 < frame[4] < 68_000 for frame in frames)
    assert len(frames) / 5 < 15
    assert not [name for name in ("error", "Error") if name in board.printed]
