"""The rule of windows under MicroPython and CPython: equal to the bit, and next to nothing of the heap."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.firmware import board_python

# Beyond a frame's own, with up to five people, smoothed, several windows, the state saved.
HEAP_LIMIT = 4096


def test_both_pythons_choose_the_same_windows_to_the_bit() -> None:
    there = board_python.run("board_zoom.py")
    assert there == board_python.run_in_cpython("board_zoom.py")
    frames = [line.split() for line in there.splitlines() if line.startswith("frame")]
    assert len(frames) > 1000
    # Of all kinds: the second run of `follow`, several windows.
    assert {int(frame[1]) for frame in frames} == {1, 2, 3, 4}


def test_a_damaged_rule_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = board_python.run_in_cpython("board_zoom.py")
    for file in board_python.FIRMWARE.glob("pose_*.py"):
        (tmp_path / file.name).write_text(file.read_text().replace("MARGIN = const(16)", "MARGIN = const(15)"))
    monkeypatch.setattr(board_python, "FIRMWARE", tmp_path)
    assert board_python.run("board_zoom.py") != before


def test_a_frame_leaves_next_to_nothing_behind() -> None:
    used = dict(map(int, line.split()) for line in board_python.run("board_zoom.py", "heap").splitlines())
    assert set(used) == set(range(5))
    assert max(used.values()) <= HEAP_LIMIT
