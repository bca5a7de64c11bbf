"""Recordings: what is written is what is read; torn, damaged and foreign files get one clear line."""

from __future__ import annotations

import json
import typing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion.network import HEAD_NAMES
from host_tools.monitor import sources
from host_tools.monitor.api import Monitor
from host_tools.monitor.feed import Item, Note, Source
from host_tools.monitor.frame_processing import FrameProcessor
from host_tools.monitor.record import KINDS, Recorder, RecordingError
from host_tools.monitor.replay import read
from host_tools.serial_link import events
from host_tools.serial_link.sentences import MOST_WINDOWS, STAGES, Frame, Pose
from tests.host_tools import peer
from tests.host_tools.monitor import actors

words = st.integers(0, (1 << 32) - 1)
coordinates = st.integers(-(1 << 15), (1 << 15) - 1)
scores = st.integers(0, 255)
poses = st.builds(
    Pose, scores, st.lists(st.tuples(coordinates, coordinates, scores), min_size=17, max_size=17).map(tuple)
)
frames = st.builds(
    Frame,
    words,
    words,
    st.integers(0, 3),
    st.lists(words, min_size=5, max_size=5).map(lambda times: dict(zip(STAGES, times, strict=True))),
    st.lists(poses, max_size=3).map(tuple),
)
# What a board can say, and a filter leaves as it is.
texts = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=20)
names = st.text("AZaz09._-", min_size=1, max_size=20)
sums = st.none() | st.text("0123456789abcdef", min_size=64, max_size=64)
sides, people, counts = st.integers(0, 4096), st.integers(0, 32), st.integers(0, 10**12 - 1)
bauds = st.integers(1200, 4_000_000)
hellos = st.builds(
    events.Hello,
    *(st.just(1), names, words, names, names, names, st.integers(-1, 3), sides, sides, sides, sides),
    *(st.integers(0, 1 << 24), sums, st.integers(64, 768), bauds, st.integers(0, 1), st.integers(0, 1 << 14)),
)
others = st.one_of(
    hellos,
    st.builds(events.OtherProtocol, words, names),
    st.builds(events.Digest, counts, words, st.lists(words, min_size=4, max_size=4).map(lambda each: _by_head(each))),
    st.builds(events.BlockLost, texts, st.none() | words, texts),
    st.builds(events.SelfTest, counts, st.integers(0, 2), words, words, people, people, texts),
    st.builds(
        events.Settings,
        *(st.integers(0, 1), st.integers(1, 32), st.integers(1, 32768), st.integers(0, 1023), st.integers(0, 32768)),
        *(st.integers(0, 3_600_000), st.integers(0, 3_600_000), st.integers(0, 3_600_000), st.integers(10, 95)),
    ),
    st.builds(events.Stats, counts, st.integers(0, 4), *(counts for _ in range(9)), st.integers(-1, 1 << 24), bauds),
    st.builds(events.Trouble, st.integers(1, 999), st.integers(1, 1000), texts),
    st.builds(events.Print, texts),
    st.builds(events.Restarted, hellos),
    st.builds(events.Lost, texts),
    st.builds(events.Found, texts),
    st.builds(Note, texts),
)


def _by_head(numbers: list[int]) -> dict[str, int]:
    return dict(zip(HEAD_NAMES, numbers, strict=True))


def item(event: object, at: float = 0.0) -> Item:
    return Item("bit", event, at)


def recorded(path: Path, *items: Item) -> Path:
    recorder = Recorder(path, 100.0)
    for each in items:
        recorder.take(each)
    recorder.close()
    return path


@given(st.lists(frames | others, max_size=8), st.lists(st.floats(0, 1e4), min_size=8, max_size=8))
def test_what_is_recorded_is_what_is_read(tmp_path_factory: pytest.TempPathFactory, said: list, times: list) -> None:
    path = tmp_path_factory.mktemp("recording") / "one.jsonl"
    times = sorted(times)
    recorder = Recorder(path, 0.0)
    for event, at in zip(said, times, strict=False):
        recorder.take(item(event, at))
    written = path.read_text(encoding="utf-8").splitlines()
    recorder.close()
    assert len(written) == 1 + len(said)
    if said:
        assert list(read(path)) == [(round(1000 * at), "bit", event) for event, at in zip(said, times, strict=False)]


def test_every_kind_of_event_is_recorded_or_left_out_on_purpose() -> None:
    kinds = set(typing.get_args(events.Event)) | {Note}
    assert kinds - set(KINDS.values()) == {Frame, events.Block}


def test_a_frames_line_is_the_monitors_json_with_time_and_source(tmp_path: Path) -> None:
    frame = actors.frame(7, [actors.person(100, 60)])
    path = recorded(tmp_path / "one.jsonl", item(frame, 101.5))
    head, line = map(json.loads, path.read_text().splitlines())
    assert head["format"] == "posenet-maix recording 1"
    assert line == {"at_ms": 1500, **frame.to_dict("bit"), "source": 0}


def test_the_windows_of_a_frame_are_kept(tmp_path: Path) -> None:
    frame = Frame(3, 100, 0, dict.fromkeys(STAGES, 5), (), ((128, 128, 512), (7, 9, 300)), 41_000)
    path = recorded(tmp_path / "a.jsonl", item(frame))
    assert [event for _, _, event in read(path)] == [frame]


def test_as_many_windows_as_there_are_may_be_in_a_frame(tmp_path: Path) -> None:
    frame = Frame(3, 100, 0, dict.fromkeys(STAGES, 5), (), ((128, 128, 512),) * MOST_WINDOWS, 41_000)
    assert [event for _, _, event in read(recorded(tmp_path / "a.jsonl", item(frame)))] == [frame]
    more = replace(frame, windows=((128, 128, 512),) * (MOST_WINDOWS + 1))
    with pytest.raises(RecordingError, match=f"windows must be at most {MOST_WINDOWS} lists"):
        list(read(recorded(tmp_path / "b.jsonl", item(more))))


def test_each_line_is_in_the_file_at_once(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "one.jsonl", 0.0)
    recorder.take(item(events.Print("hello")))
    assert "hello" in (tmp_path / "one.jsonl").read_text()
    recorder.close()


def test_a_file_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "dear.jsonl"
    path.write_text("dear")
    with pytest.raises(RecordingError, match=r"dear\.jsonl: exists already; delete it, or choose another name"):
        Recorder(path, 0.0)
    assert path.read_text() == "dear"


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"cannot be written \(No such file or directory\); choose another place"):
        Recorder(tmp_path / "none" / "one.jsonl", 0.0)


def test_nothing_recorded_leaves_no_file(tmp_path: Path) -> None:
    assert not recorded(tmp_path / "one.jsonl").exists()


def test_a_full_disk_is_one_line() -> None:
    recorder = Recorder.__new__(Recorder)
    recorder._path, recorder._started, recorder.lines = Path("/dev/full"), 0.0, 0
    recorder._file = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 - closed below
    with pytest.raises(RecordingError, match=r"/dev/full: recording stopped after 0 lines \(No space left on device\)"):
        recorder.take(item(events.Print("hello")))
    with pytest.raises(OSError, match="No space"):
        recorder._file.close()


@pytest.mark.parametrize("kept", range(1, 40))
def test_a_torn_last_line_is_left_out_with_a_word(tmp_path: Path, kept: int) -> None:
    path = recorded(tmp_path / "one.jsonl", item(actors.frame(1)), item(actors.frame(2)))
    whole = path.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    path.write_bytes(whole[: last + kept])
    (_, _, frame), (_, source, note) = read(path)
    assert frame.number == 1
    assert source == "one.jsonl"
    assert note == Note(f"{path}: the last line, 3, is torn and was left out")


def test_a_last_line_without_its_end_is_whole_all_the_same(tmp_path: Path) -> None:
    path = recorded(tmp_path / "one.jsonl", item(actors.frame(1)))
    path.write_bytes(path.read_bytes().rstrip())
    assert [event.number for _, _, event in read(path)] == [1]


GOOD = {"at_ms": 0, **actors.frame(1, [actors.person(100, 60)]).to_dict("bit"), "source": 0}


def changed(**entries: object) -> dict:
    return {**GOOD, **entries}


def with_keypoint(keypoint: object) -> dict:
    return changed(poses=[{"score": 1, "keypoints": [keypoint] * 17}])


@pytest.mark.parametrize("line", [
    [],
    {"at_ms": 0},
    changed(at_ms="now"),
    changed(board=None),
    changed(frame=1.5),
    changed(frame=True),
    changed(frame=1 << 60),
    changed(stages_us={"kpu": 1}),
    changed(stages_us=None),
    changed(poses={}),
    changed(poses=[{"score": 1}]),
    changed(poses=[{"score": 1, "keypoints": []}]),
    changed(poses=[{"score": None, "keypoints": [[0, 0, 0]] * 17}]),
    with_keypoint([1, 2]),
    with_keypoint([1, 2, "3"]),
    with_keypoint([1, 2, 1 << 15]),
    with_keypoint(None),
    {"at_ms": 0, "board": "bit", "print": "hello"},
    {"at_ms": 0, "board": "bit", "print": {}},
    {"at_ms": 0, "board": "bit", "hello": {"protocol": "1"}},
    {"at_ms": 0, "board": "bit", "restarted": {"hello": None}},
    {"at_ms": 0, "board": "bit", "digest": {"frame": 1, "heads": 2, "by_head": {"heatmap": "3"}}},
])  # fmt: skip
def test_a_damaged_line_is_named(tmp_path: Path, line: object) -> None:
    path = recorded(tmp_path / "one.jsonl", item(actors.frame(1)))
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
    with pytest.raises(RecordingError, match=r"one\.jsonl:3: is damaged \(.+\); delete this line"):
        list(read(path))


def test_kinds_that_a_later_version_adds_are_passed_over(tmp_path: Path) -> None:
    path = recorded(tmp_path / "one.jsonl", item(actors.frame(1)))
    with path.open("a") as file:
        file.write('{"at_ms": 1, "board": "bit", "weather": {"rain": 1}}\n')
        file.write('{"at_ms": 2, "board": "bit", "print": {"text": "on", "colour": "red"}}\n')
    assert [event for _, _, event in read(path)][1:] == [events.Print("on")]


@pytest.mark.parametrize(("content", "said"), [
    (b"", "is no recording: its first line must have the format 'posenet-maix recording 1'"),
    (b'{"frame": 1}\n', "is no recording: its first line"),
    (b"[]\n", "is no recording: its first line"),
    (b'{"format": "posenet-maix recording 9"}\n', "is no recording: its first line"),
    (b"\xff\xfe\x00", "is no recording: its first line"),
])  # fmt: skip
def test_a_file_that_is_none(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "one.jsonl"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=said):
        sources.of_recording(path)


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"none: cannot be read \(No such file or directory\); check the name"):
        sources.of_recording(tmp_path / "none")


def test_frames_of_a_turned_picture_stand_in_what_is_shown_and_lie_in_a_recording(tmp_path: Path) -> None:
    """The recording keeps the board's own numbers, and its HELLO, so that played again they stand as well."""
    hello = events.Hello(*peer.HELLO[:12], None, *peer.HELLO[13:15], turned=1)
    (frame,) = actors.walking(1)
    expected = [[[y, x, score] for x, y, score in pose.keypoints] for pose in frame.poses]
    shown = FrameProcessor().process_of(Source(0, "maix_bit", "/dev/x", hello), "maix_bit", frame, 0.0)
    assert shown.size == (240, 320)
    assert [pose["keypoints"] for pose in shown.to_dict()["poses"]] == expected

    recorder = Recorder(tmp_path / "turned.jsonl", 0.0)
    for event in (hello, frame):
        recorder.take(Item("maix_bit", event, 0.0))
    recorder.close()
    lines = (tmp_path / "turned.jsonl").read_text().splitlines()
    assert json.loads(lines[2])["poses"] == [
        {"score": pose.score, "keypoints": [list(keypoint) for keypoint in pose.keypoints]} for pose in frame.poses
    ]
    with Monitor.replay(tmp_path / "turned.jsonl") as monitor:
        (again,) = monitor
    assert again.size == (240, 320)
    assert [pose["keypoints"] for pose in again.to_dict()["poses"]] == expected
