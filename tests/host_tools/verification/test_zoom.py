"""Live frames with zoom and smoothing: windows, people and smoothing are recomputed from the board's heads."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from conversion.decoding.board_zoom import pose_zoom
from host_tools.verification import replay
from host_tools.verification.model import AT_START, Model
from tests.host_tools.verification import small
from tests.host_tools.verification.command import told, verdict
from tests.samples import sample

FIRMWARE = Path(__file__).resolve().parents[3] / "firmware"


@pytest.mark.parametrize(("zoom", "smooth"), sample([(1, 0), (1, 1), (4, 0), (0, 1)], 1))
def test_frames_with_zoom_are_verified(kmodel: Path, zoom: int, smooth: int) -> None:
    with small.board() as board:
        told(board, "ZOOM", zoom, smooth)
        board.wait_for("$FRAME,")
        code, found = verdict(board.port, "--model", kmodel, "--frames", "3")
    assert code == 0, found
    assert (found["settings"]["zoom"], found["settings"]["smooth"]) == (zoom, smooth)
    compared = ["windows", "poses of its heads"] if zoom else ["poses of its heads"]
    assert [finding["compared"] for finding in found["findings"][1:]] == [compared] * 3


@pytest.mark.parametrize(
    ("file", "old", "new", "word"),
    sample(
        [
            ("pose_view.py", "begin = (step - PIXEL) // 2", "begin = (step - PIXEL) // 2 + 1", "windows"),
            ("pose_people.py", "xs[n] = x = x0 - ", "xs[n] = x = x0 + 256 - ", "other people"),
            ("pose_smooth.py", "raw[n] = smoothed[n] = ", "raw[n] = smoothed[n] = 256 + ", "other people"),
        ],
        0,
    ),
)
def test_a_board_with_another_rule_is_not(kmodel: Path, file: str, old: str, new: str, word: str) -> None:
    source = (FIRMWARE / file).read_text()
    assert old in source
    with small.board(files={file: source.replace(old, new)}) as board:
        told(board, "ZOOM", 1, 1)
        board.wait_for("$FRAME,")
        code, found = verdict(board.port, "--model", kmodel, "--frames", "4")
    assert code == 1
    assert word in " ".join(line for finding in found["findings"] for line in finding["explanation"])


def test_a_block_that_is_none_is_no_replay(model: Model) -> None:
    heads = bytes(model.head_bytes)
    rule = pose_zoom.Zoom(*model.size, *model.size)
    rule.configure(0, 0, 5)
    state = array("i", [0] * rule.state_size())
    rule.save(state)
    words = b"".join(value.to_bytes(4, "little", signed=True) for value in [len(state), *state])
    found = replay.read(model, words + heads, ())
    assert found is not None
    assert replay.people(model, found, AT_START) == ([], [])
    for wrong in (b"", words, words + heads[:-1], words[:-4] + heads, b"\xff\xff\xff\xff" + heads, bytes(4) + heads):
        assert replay.read(model, wrong, ()) is None
