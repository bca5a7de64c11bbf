"""Recordings that mean harm: lines that no board said, of any length, for any moment, in any words."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path

import pytest

from host_tools import cli
from host_tools.monitor.record import FORMAT, MOST_LINE_BYTES, RecordingError
from host_tools.monitor.replay import Player
from host_tools.monitor.replay import read as read_recording
from host_tools.serial_link import Print
from tests import command_line
from tests.host_tools import fake_board
from tests.host_tools.monitor import actors
from tests.hostile import limited

HEAD = json.dumps({"format": FORMAT, "started": "2026-01-31T12:00:00Z"})
HELLO = dict(
    zip(
        ("protocol", "firmware", "boot", "system", "release", "board", "source", "width", "height", "lcd_width",
         "lcd_height", "kmodel_bytes", "kmodel_sha256", "chunk_bytes", "baud"),
        (1, "0.1.0", 1, "MaixPy", "v0.6.3", "maix_bit", 0, 320, 240, 320, 240, 1000, None, 720, 115200),
        strict=True,
    )
)  # fmt: skip

STATS = (
    "uptime_ms", "state", "frames", "sent", "skipped", "bytes", "received", "damaged", "errors", "heap_free",
    "heap_used", "system_free",
)  # fmt: skip


def line(**entries: object) -> str:
    return json.dumps({"at_ms": 1, "board": "bit", **entries})


FRAME = {**actors.frame(1, [actors.person(100, 60)]).to_dict("bit"), "source": 0}
LINES = {
    "nested": '{"at_ms": 1, "board": "bit", "print": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "at_ms of 10^14": line(at_ms=10**14, print={"text": "x"}),
    "at_ms of 10^400": line(at_ms=10**400, print={"text": "x"}),
    "at_ms before the start": line(at_ms=-1, print={"text": "x"}),
    "at_ms of 1e400": '{"at_ms": 1e400, "board": "bit", "print": {"text": "x"}}',
    "a size that fills the memory": line(hello={**HELLO, "width": 1 << 39, "height": 1 << 39}),
    "a size below nothing": line(hello={**HELLO, "width": -1}),
    "such a size after a restart": line(restarted={"hello": {**HELLO, "height": 1 << 32}}),
    "a result that there is not": line(
        selftest={"frame": 1, "result": 7, "expected_crc32": 1, "found_crc32": 1, "expected_poses": 0, "found_poses": 0,
                  "text": ""}
    ),
    "a state that there is not": line(stats={**dict.fromkeys(STATS, 9), "baud": 115200}),
    "a label of 70,000 letters": line(board="x" * 70_000, print={"text": "x"}),
    "no label": line(board="", print={"text": "x"}),
    "a score of 10^6": line(**{**FRAME, "poses": [{**FRAME["poses"][0], "score": 10**6}]}),
    "a frame before the first": line(**{**FRAME, "frame": -1}),
    "a thousand people": line(**{**FRAME, "poses": FRAME["poses"] * 1000}),
    "a megabyte": line(print={"text": "x" * (1 << 20)}),
}  # fmt: skip


@pytest.mark.parametrize("what", LINES)
def test_a_line_of_a_recording_that_no_board_said(what: str, tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text(f"{HEAD}\n{LINES[what]}\n{line(print={'text': 'x'})}\n")
    with pytest.raises(RecordingError, match=r"one\.jsonl:2: ") as refused:
        list(read_recording(path))
    assert len(str(refused.value)) < 1000
    assert str(refused.value).isprintable()


def test_a_recording_refused_in_the_middle_is_exit_code_2(tmp_path: Path) -> None:
    """What a thread of the monitor meets reaches its exit code."""
    path = tmp_path / "one.jsonl"
    path.write_text(f"{HEAD}\n{line(**FRAME)}\n{LINES['at_ms of 10^14']}\n")
    done = limited.run(("host_tools", "monitor", "--replay", path, "--json", "--snapshot", "x.png"), tmp_path)
    assert done.code == limited.REFUSED, done
    assert b"error: " in done.stderr
    limited.assert_harmless(done)


def test_a_replayed_recording_speaks_to_no_terminal(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    said = fake_board.ESCAPES + "\ud800"
    lines = [
        line(board=said, print={"text": said}),
        line(board="bit", lost={"reason": said}),
        line(note={"text": said}),
    ]
    path.write_text("\n".join([HEAD, *lines, line(**FRAME)]) + "\n")
    arguments = ("monitor", "--replay", path, "--speed", 0)
    done = limited.run(("host_tools", *arguments), tmp_path)
    assert done.code == 0, done
    limited.assert_harmless(done)
    ended = command_line.invoke(cli.main, (*arguments, "--json"))
    assert ended.exit_code == 0
    assert not limited.unprintable((ended.stdout + ended.stderr).encode())


def test_more_boards_than_any_table_holds(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text("\n".join([HEAD, *(line(board=f"b{n}", print={"text": "x"}) for n in range(100))]) + "\n")
    with pytest.raises(RecordingError, match="more than 64 boards"):
        list(read_recording(path))


@pytest.mark.parametrize("place", ["pipe", "/dev/zero"])
def test_a_pipe_or_a_device_is_no_recording(place: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RecordingError, match="is not a regular file"):
        list(read_recording(tmp_path / place))


@pytest.mark.parametrize("head", ["", HEAD + "\n"])
def test_a_line_of_a_gigabyte_is_not_read(head: str, tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text(head)
    os.truncate(path, 1 << 30)
    tracemalloc.start()
    try:
        with pytest.raises(RecordingError, match=f"is longer than {MOST_LINE_BYTES} bytes"):
            list(read_recording(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * MOST_LINE_BYTES


def test_escape_sequences_are_escapes_in_json(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text(f"{HEAD}\n{line(**{**FRAME, 'board': fake_board.ESCAPES})}\n")
    ended = command_line.invoke(cli.main, ("monitor", "--replay", path, "--speed", 0, "--json"))
    assert ended.exit_code == 0, ended
    assert ended.stdout.rstrip("\n").isascii()
    assert ended.stdout.rstrip("\n").isprintable()
    assert "owned" in json.loads(ended.stdout)["board"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_traceback_in_a_thread_never_ends_in_exit_code_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def play(self: Player, label: str, event: object, at: float) -> None:
        if isinstance(event, Print):
            raise RuntimeError("nobody expects this")
        played(self, label, event, at)

    played = Player._play
    monkeypatch.setattr(Player, "_play", play)
    path = tmp_path / "one.jsonl"
    path.write_text(f"{HEAD}\n{line(**FRAME)}\n{line(print={'text': 'x'})}\n")
    ended = command_line.invoke(cli.main, ("monitor", "--replay", path, "--speed", 0, "--json"))
    assert json.loads(ended.stdout)["frame"] == 1
    assert ended.exit_code == 1
