"""The monitor and a whole board: the firmware under a real MicroPython, resets, an exception, a bad line."""

from __future__ import annotations

import itertools
import json
import re
import signal
from collections.abc import Iterator

import pytest

from host_tools.monitor import sources
from host_tools.serial_link.sentences import Frame
from host_tools.virtual_board import Faults
from tests.firmware.app.virtual import Program, scene
from tests.host_tools.monitor.running import in_terminal, run, started
from tests.patience import HANG_SECONDS

RAISING = """
import pose_app
def on_frame(poses, frame, image):
    if frame % 40 == 0:
        print("about to fail")
        raise ValueError("on purpose")
pose_app.run(on_frame)
"""


@pytest.fixture(scope="module")
def board() -> Iterator[Program]:
    with Program(config={"settings": {"root_score": 1, "stats_ms": 500}}, camera=scene()) as running:
        running.next("FRAME")
        with running.clock.host_waits():
            yield running


def frames_of(board: Program) -> list[tuple[tuple, list[tuple]]]:
    """(FRAME, its POSEs) of all that it has sent; one more frame must have come, as the last may be half there."""
    board.reach(int(board.next("FRAME").fields[0]) + 1)
    return board.frames()


def test_what_it_sends_is_what_is_shown(board: Program) -> None:
    done = run("--port", board.port, "--json", "--frames", 5)
    assert done.returncode == 0, done.stderr
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    sent = {frame[0]: poses for frame, poses in frames_of(board)}
    assert len(shown) == 5
    for frame in shown:
        assert frame["board"] == "maix_bit"
        poses = sent[frame["frame"]]
        assert [pose["score"] for pose in frame["poses"]] == [fields[2] for fields in poses]
        assert [list(itertools.chain(*pose["keypoints"])) for pose in frame["poses"]] == [
            list(fields[3:]) for fields in poses
        ]
    assert re.search(r"maix_bit: (nothing lost|missed \d+)\n$", done.stderr)


def test_a_reset_in_between_is_survived(board: Program) -> None:
    # At a raised speed what comes before the line is back at the usual one is lost, and with it small numbers.
    with started("--port", board.port, "--baud", 115200, "--json") as monitor:
        last = 0
        # Far enough from the beginning that the numbers after a reset are seen to fall.
        while last < 60:
            last = json.loads(monitor.stdout.readline())["frame"]
        board.reset()
        while (number := json.loads(monitor.stdout.readline())["frame"]) > last:
            last = number
        monitor.send_signal(signal.SIGINT)
        _, errors = monitor.communicate(timeout=HANG_SECONDS)
    assert monitor.returncode == 0, errors
    assert "maix_bit: the board has started again" in errors, errors
    assert "restarts 1" in errors.splitlines()[-1]


def test_requests_reach_it(board: Program) -> None:
    with sources.of_ports([board.port], baud=460800) as feed:
        while not (item := feed.next(HANG_SECONDS)) or not isinstance(item.event, Frame):
            assert item is not None
        assert feed.ask(item.source, "PING").result(HANG_SECONDS) > 0
        statistics = feed.sources[0].statistics
    assert (statistics.damaged, statistics.absurd) == (0, 0)


def test_an_exception_of_the_makers_own_is_shown_with_its_traceback() -> None:
    with (
        Program(files={"main.py": RAISING}) as board,
        board.clock.host_waits(),
        in_terminal("--port", board.port) as monitor,
    ):
        monitor.until("about to fail")
        monitor.until(r'File "main.py", line 6')
        monitor.until("ValueError: on purpose")
        monitor.until("error 41: ")
        monitor.until(r"\d\d\d frames")
        assert monitor.end() == 0


def test_a_line_that_damages_bytes_gives_whole_frames_only() -> None:
    config = {"settings": {"root_score": 1}}
    with Program(config=config, faults=Faults(corrupt=0.0005)) as board:
        with board.clock.host_waits():
            done = run("--port", board.port, "--json", "--frames", 20)
        sent = {frame[0]: poses for frame, poses in frames_of(board)}
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        frame = json.loads(line)
        assert [pose["score"] for pose in frame["poses"]] == [fields[2] for fields in sent[frame["frame"]]]
    assert "damaged" in done.stderr.splitlines()[-1]
