"""`from host_tools import Monitor`: what a maker's program gets, and how it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import host_tools
from conversion.network import KEYPOINTS
from host_tools import Monitor, time_limits
from host_tools.errors import LinkError
from host_tools.monitor.feed import Item
from host_tools.monitor.record import Recorder
from host_tools.serial_link import events
from tests import patience
from tests.host_tools.monitor import actors
from tests.host_tools.monitor.actors import Puppet
from tests.patience import exactly


def said(count: int, people: int = 1) -> list[bytes]:
    return [actors.lines(frame) for frame in actors.walking(count, people)]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "one.jsonl"
    recorder = Recorder(path, 0.0)
    for frame in actors.walking(8, 2):
        recorder.take(Item("bit", frame, 0.1 * frame.number))
    recorder.close()
    return path


def test_frames_with_people_and_keypoints_by_name() -> None:
    with Puppet(said(3, 2)) as puppet, Monitor(puppet.port) as monitor:
        for frame, sent in zip(monitor, actors.walking(3, 2), strict=False):
            assert (frame.board, frame.number, frame.t_ms, frame.size) == (
                "maix_bit",
                sent.number,
                sent.t_ms,
                (320, 240),
            )
            assert frame.stages_us["kpu"] == 30300
            assert frame.to_dict() == sent.to_dict("maix_bit")
            first = frame.people[0]
            x16, y16, score = sent.poses[0].keypoints[9]
            assert (first["leftWrist"].x, first["leftWrist"].y) == (x16 / 16, y16 / 16)
            assert first["leftWrist"].score == first.score == score / 255
            assert first.id is None
            assert tuple(first.keypoints) == KEYPOINTS
            if frame.number == 3:
                break
        assert [board.hello.board for board in monitor.boards] == ["maix_bit"]


def test_a_name_that_is_no_keypoint() -> None:
    person = host_tools.monitor.api.Person(actors.person(1, 1))
    with pytest.raises(KeyError, match="'hand' is no keypoint; there are nose, leftEye"):
        person["hand"]


def test_ids_and_smoothing(recording: Path) -> None:
    with Monitor.replay(recording, ids=True, smooth=True) as monitor:
        frames = list(monitor)
    assert [[person.id for person in frame.people] for frame in frames] == [[1, 2]] * 8
    with Monitor.replay(recording) as plain:
        raw = list(plain)
    assert [frame.number for frame in raw] == list(range(1, 9))
    assert frames[-1].people[0]["nose"].x < raw[-1].people[0]["nose"].x


def test_what_is_no_frame_goes_to_the_other() -> None:
    told: list[Item] = []
    with Puppet([b"hello\r\n", *said(1)]) as puppet, Monitor(puppet.port, other=told.append) as monitor:
        assert monitor.next(20).number == 1
    assert [type(item.event) for item in told] == [events.Hello, events.Print]


def test_a_request() -> None:
    with Puppet(said(1)) as puppet, Monitor(puppet.port) as monitor:
        monitor.next(20)
        assert monitor.ask("maix_bit", "POSES", 1, None, None, None) == 7
        with pytest.raises(LinkError, match="there is no board of this name"):
            monitor.ask("amigo", "PING")


def test_no_frame_within_the_time_asked_for() -> None:
    with Puppet() as puppet, Monitor(puppet.port) as monitor:
        assert monitor.next(0.2) is None


def test_patience_ends_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limits, "MONITOR_GREETING", exactly(0.3))

    def wait(seconds: float) -> None:
        with Monitor(puppet.port, patience=seconds) as monitor:
            next(iter(monitor))

    with Puppet(answers=False) as puppet:
        patience.said(r"no frame in \d+ s; pts/\d+: nothing comes from it", wait, seconds=1)


def test_a_port_that_is_missing() -> None:
    with pytest.raises(LinkError, match="/dev/none: there is no such port"):
        Monitor("/dev/none")


def test_importing_the_package_stays_light() -> None:
    """Neither serial ports nor rich nor numpy come with it, until a Monitor is asked for."""
    code = (
        "import sys, host_tools; assert not {'serial', 'rich', 'numpy', 'aiohttp', 'paho'} & set(sys.modules);"
        "host_tools.Monitor; assert 'serial' in sys.modules; assert not {'aiohttp', 'paho'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="has no attribute 'Monitors'"):
        host_tools.Monitors  # noqa: B018


def test_the_monitor_needs_neither_tensorflow_nor_nncase() -> None:
    blocked = ("tensorflow", "nncase", "keras", "skimage", "pycocotools")
    modules = "host_tools.monitor.watching, host_tools.monitor.publish, host_tools.monitor.api, host_tools.cli"
    code = f"import sys; sys.modules.update(dict.fromkeys({blocked!r})); import {modules}"
    subprocess.run([sys.executable, "-c", code], check=True)
