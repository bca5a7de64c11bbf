"""Recordings: what boards said, one JSON object a line. The format, and the writer.

The first line is {"format": "posenet-maix recording 1", "started": "2026-01-31T12:00:00Z"}. Each other line has
`at_ms`, milliseconds since then, and `board`, the label of the source. A frame's line is the object of `monitor --json`
with these, and with `source` as in the FRAME sentence; any other line has one more key, which is the kind of event, and
an object with its fields: {"at_ms": 12, "board": "maix_bit", "print": {"text": "hello"}}. Numbers are the board's own,
neither smoothed nor with ids. Pictures and other blocks of data are not recorded.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import types
import typing
from io import TextIOWrapper
from pathlib import Path

from conversion.network import HEAD_NAMES, KEYPOINTS
from conversion.outside.text import printable, shown
from conversion.printing import counted
from host_tools.errors import HostToolError
from host_tools.monitor.feed import Item, Note
from host_tools.monitor.output import Output
from host_tools.serial_link import MOST_WINDOWS, STAGES, Frame, Pose, events, units

FORMAT = "posenet-maix recording 1"
KINDS = {
    "hello": events.Hello,
    "other_protocol": events.OtherProtocol,
    "digest": events.Digest,
    "block_lost": events.BlockLost,
    "selftest": events.SelfTest,
    "settings": events.Settings,
    "stats": events.Stats,
    "trouble": events.Trouble,
    "print": events.Print,
    "restarted": events.Restarted,
    "lost": events.Lost,
    "found": events.Found,
    "note": Note,
}
# A recording of 115 days. Waiting for a moment that no clock reaches would never end.
MOST_MS = 10_000_000_000
# A line that a board prints has 2 KiB in the reader, and six times that in JSON's escapes; so has a frame of 32 people.
MOST_LINE_BYTES = 256 * 1024
# A board's name, and the port where there are several; topics of MQTT hold it.
_MOST_LABEL, _MOST_TEXT = 300, 8192
_NAMES = {kind: name for name, kind in KINDS.items()}


class RecordingError(HostToolError):
    """A recording that cannot be written, or a file that is none."""


def to_dict(item: Item, at_ms: int) -> dict | None:
    """An item as the object of its line; None for what is not recorded."""
    match item.event:
        case Frame() as frame:
            return {"at_ms": at_ms, **frame.to_dict(item.source), "source": frame.source}
        case event if type(event) in _NAMES:
            fields = dataclasses.asdict(event)
            return {"at_ms": at_ms, "board": item.source, _NAMES[type(event)]: fields}
    return None


def from_dict(line: object) -> tuple[int, str, events.Event | Note] | None:
    """(at_ms, label, event) of a line's object; None for a kind of event that this version does not know.

    ValueError for anything that is no line of a recording.
    """
    if not isinstance(line, dict) or type(line.get("at_ms")) is not int or not isinstance(line.get("board"), str):
        raise ValueError("no line of a recording")
    at_ms, label = line["at_ms"], line["board"]
    if not 0 <= at_ms <= MOST_MS:
        raise ValueError(f"at_ms is {shown(at_ms)}, must be from 0 to {MOST_MS}")
    if not 0 < len(label) <= _MOST_LABEL:
        raise ValueError(f"board has {len(label)} letters, must have from 1 to {_MOST_LABEL}")
    if "poses" in line:
        return at_ms, printable(label), _frame(line)
    for name, kind in KINDS.items():
        if name in line:
            event = _event(kind, line[name])
            events.check(event)
            return at_ms, printable(label), event
    return None


def _frame(line: dict) -> Frame:
    numbers = [line.get(name) for name in ("frame", "t_ms", "source")]
    stages, poses = line.get("stages_us"), line["poses"]
    if not _are_integers(numbers) or not isinstance(stages, dict) or not isinstance(poses, list):
        raise ValueError("a frame whose fields are not whole")
    if tuple(stages) != STAGES or not _are_integers(stages.values()):
        raise ValueError(f"stages_us must have {', '.join(STAGES)}, in microseconds")
    if min(numbers[:2]) < 0 or len(poses) > units.MOST_POSES:
        raise ValueError(f"a frame before the first one, or of more than {units.MOST_POSES} people")
    return Frame(*numbers, stages, tuple(map(_pose, poses)), *_zoom(line))


def _zoom(line: dict) -> tuple[tuple[tuple[int, int, int], ...], int]:
    """The windows of a frame with zoom, and the time to make them."""
    windows, microseconds = line.get("windows", []), line.get("windows_us", 0)
    if not isinstance(windows, list) or len(windows) > MOST_WINDOWS or not _are_integers([microseconds]):
        raise ValueError(f"windows must be at most {MOST_WINDOWS} lists, windows_us whole")
    for window in windows:
        if not isinstance(window, list) or len(window) != 3 or not _are_integers(window):
            raise ValueError("a window must be three whole numbers: x0, y0, step")
    return tuple(map(tuple, windows)), microseconds


def _pose(pose: object) -> Pose:
    keypoints = pose.get("keypoints") if isinstance(pose, dict) else None
    if not isinstance(keypoints, list) or len(keypoints) != len(KEYPOINTS) or not _is_score(pose.get("score")):
        raise ValueError(f"a pose must have a score from 0 to {units.SCORE_ONE} and {len(KEYPOINTS)} keypoints")
    for keypoint in keypoints:
        if (
            not isinstance(keypoint, list)
            or len(keypoint) != 3
            or not _are_integers(keypoint, 1 << 15)
            or not _is_score(keypoint[2])
        ):
            raise ValueError("a keypoint must be three whole numbers: two of 16 bits, and a score")
    return Pose(pose["score"], tuple(map(tuple, keypoints)))


def _is_score(value: object) -> bool:
    return type(value) is int and 0 <= value <= units.SCORE_ONE


def _are_integers(values: typing.Iterable[object], limit: int = 1 << 40) -> bool:
    return all(type(value) is int and -limit <= value < limit for value in values)


def _event(kind: type, fields: object) -> typing.Any:
    """A dataclass from its fields, each of the type that it declares; fields that it does not have are passed over."""
    if not isinstance(fields, dict):
        raise ValueError(f"{_NAMES[kind]} must be an object")
    made = {}
    for name, hint in typing.get_type_hints(kind).items():
        value = fields.get(name)
        if dataclasses.is_dataclass(hint):
            value = _event(hint, value)
        elif not _fits(value, hint):
            raise ValueError(f"{_NAMES[kind]}.{name} is {shown(repr(value))}")
        made[name] = printable(value[:_MOST_TEXT]) if isinstance(value, str) else value
    return kind(**made)


def _fits(value: object, hint: object) -> bool:
    if isinstance(hint, types.UnionType):
        return any(_fits(value, choice) for choice in typing.get_args(hint))
    if typing.get_origin(hint) is dict:
        return isinstance(value, dict) and tuple(value) == HEAD_NAMES and _are_integers(value.values())
    return _are_integers([value]) if hint is int else type(value) is hint


class Recorder(Output):
    """Writes items to a file as they come, each line whole and out of our hands at once. Call close()."""

    def __init__(self, path: Path, started: float) -> None:
        """Begins the file; `started` is the time.monotonic() that its times count from. RecordingError if it exists."""
        self._path, self._started = path, started
        self.lines = 0
        try:
            self._file: TextIOWrapper = path.open("x", encoding="utf-8", newline="\n")
        except FileExistsError:
            raise RecordingError(f"{path}: exists already; delete it, or choose another name") from None
        except OSError as error:
            raise RecordingError(f"{path}: cannot be written ({error.strerror}); choose another place") from error
        now = datetime.datetime.now(datetime.timezone.utc)
        self._write({"format": FORMAT, "started": now.strftime("%Y-%m-%dT%H:%M:%SZ")})

    def take(self, item: Item) -> None:
        """Write an item, if it is of a kind that is recorded; RecordingError when the disk is full, say."""
        line = to_dict(item, max(0, round((item.at - self._started) * 1000)))
        if line is not None:
            self._write(line)
            self.lines += 1

    @property
    def summary(self) -> str:
        """What was written, once it is closed."""
        if not self.lines:
            return f"{self._path}: not written, since nothing came"
        return f"{self._path}: written, {counted(self.lines, 'line')}; `monitor --replay` plays it"

    def _write(self, line: dict) -> None:
        try:
            self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
            self._file.flush()
        except OSError as error:
            raise RecordingError(
                f"{self._path}: recording stopped after {counted(self.lines, 'line')} ({error.strerror}); it can be "
                "replayed"
            ) from error

    def close(self) -> None:
        """End the file; one with nothing in it is removed."""
        try:
            self._file.close()
        except OSError as error:
            raise RecordingError(f"{self._path}: its end could not be written ({error.strerror})") from error
        finally:
            if not self.lines:
                self._path.unlink(missing_ok=True)
