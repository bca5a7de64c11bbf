"""Reads what a board says on the serial line: sentences among other text, and whole frames made of them.

The table of sentences is firmware/README.md, "The serial line".
"""

from __future__ import annotations

import binascii
import re
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from conversion.network import KEYPOINTS
from conversion.outside.text import printable
from host_tools.serial_link.units import MOST_POSES, SCORE_ONE

MAX_SENTENCE = 1024
LINE_END = b"\r\n"
STAGES = ("capture", "kpu", "decode", "draw", "send")
# A coordinate fits 16 bits in 1/16 pixel, a score is a byte; what is beyond was not computed by the firmware.
_COORDINATES = range(-(1 << 15), 1 << 15)
_SCORES = range(SCORE_ONE + 1)
_SENTENCE = re.compile(rb"\$([A-Z]{1,12}),?([ -#%-)+-~]*)\*([0-9A-F]{4})")
_BEGIN = re.compile(rb"\$[A-Z]")
# How a sentence ends that has lost its `$` or its type.
_CHECKSUM = re.compile(rb"\*[0-9A-F]{4}")
_CHECKSUM_BYTES = 5
# What is left of a sentence for somebody who begins to listen in the middle of it.
_REST = re.compile(rb"[^$\s]*\*[0-9A-F]{4}|[0-9A-F]{1,4}")
_INTEGER = re.compile(r"-?[0-9]{1,12}")
_FRAME_FIELDS = 9
# A frame with zoom goes on: the time to make its windows, then three integers for each.
_WINDOW_FIELDS = 3
MOST_WINDOWS = 4
_POSE_FIELDS = 3 + 3 * len(KEYPOINTS)


@dataclass(frozen=True)
class Sentence:
    """One valid sentence: its type and its fields, as text."""

    kind: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Pose:
    """One person as the board sent it: score in 1/255; keypoints (x, y in 1/16 input pixel, score in 1/255)."""

    score: int
    keypoints: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Frame:
    """One whole frame: its number, the board's time in ms, microseconds of each stage, the people in it.

    With zoom also the `windows` (x0, y0, step) that the network saw one after another, in 1/256 pixel of the camera's
    frame, and the microseconds that making them took.
    """

    number: int
    t_ms: int
    source: int
    stages_us: dict[str, int]
    poses: tuple[Pose, ...]
    windows: tuple[tuple[int, int, int], ...] = ()
    windows_us: int = 0

    def transposed(self) -> Frame:
        """The frame with x and y of all keypoints exchanged: upright where people lie on their side in memory."""
        poses = (replace(pose, keypoints=tuple((y, x, score) for x, y, score in pose.keypoints)) for pose in self.poses)
        return replace(self, poses=tuple(poses))

    def to_dict(self, board: str) -> dict:
        """The JSON form of `monitor --json`."""
        zoom = {"windows_us": self.windows_us, "windows": [list(window) for window in self.windows]}
        return {
            "frame": self.number,
            "board": board,
            "t_ms": self.t_ms,
            "stages_us": dict(self.stages_us),
            **(zoom if self.windows else {}),
            "poses": [
                {"score": pose.score, "keypoints": [list(keypoint) for keypoint in pose.keypoints]}
                for pose in self.poses
            ],
        }


def integer(text: str) -> int:
    """The number in a field; ValueError where it holds none."""
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"{text!r} is no integer")
    return int(text)


def made(kind: str, *fields: int | str | None) -> bytes:
    """The line of a sentence, with its end; None is an empty field. ValueError for what no sentence can hold."""
    body = ",".join([kind, *("" if value is None else str(value) for value in fields)]).encode()
    line = b"$%s*%04X" % (body, binascii.crc_hqx(body, 0xFFFF))
    if len(line) + len(LINE_END) > MAX_SENTENCE or not _SENTENCE.fullmatch(line):
        raise ValueError(f"{kind} with {len(fields)} fields, {len(line)} bytes, cannot be a sentence")
    return line + LINE_END


def text_of(field: str) -> str:
    """A text field as the board meant it: `%` and two hex digits stand for a byte; what does not print is replaced."""
    return printable(urllib.parse.unquote(field, errors="replace"))


def read(line: bytes) -> Sentence | None:
    """The sentence in a line, without its end; None for a line that has no whole, valid one."""
    start = line.rfind(b"$")
    if start < 0 or len(line) - start + len(LINE_END) > MAX_SENTENCE:
        return None
    match = _SENTENCE.fullmatch(line, start)
    if match is None or binascii.crc_hqx(line[start + 1 : match.start(3) - 1], 0xFFFF) != int(match[3], 16):
        return None
    return Sentence(match[1].decode(), tuple(match[2].decode().split(",")))


def _is_headless(line: bytes) -> bool:
    """Fields without spaces, and a checksum at the very end. No pattern for the whole: it would try every comma."""
    ends = _CHECKSUM.fullmatch(line[-_CHECKSUM_BYTES:]) is not None
    return ends and b"," in line[:-_CHECKSUM_BYTES] and len(line.split()) == 1 and not line[-1:].isspace()


@dataclass
class Reader:
    """Takes bytes as they come, gives sentences; counts those that were damaged.

    `damaged` counts lines that look like a sentence and are none (several times, if several sentences run together in
    it), `cut` sentences whose end was lost, so that a whole one stands on the same line.
    """

    damaged: int = 0
    cut: int = 0
    text: list[str] = field(default_factory=list)
    _rest: bytes = b""
    _first: bool = True

    def feed(self, data: bytes) -> Iterator[Sentence]:
        """The sentences that `data` completes. Other lines, the board's own prints, are appended to `text`."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        # A line without end is no sentence; keep enough of it to tell.
        self._rest = self._rest[-2 * MAX_SENTENCE :]
        for line in lines:
            line = line.rstrip(b"\r")
            if self._first and _REST.fullmatch(line):
                line = b""
            self._first = False
            sentence = read(line)
            if sentence is not None:
                self.cut += len(_BEGIN.findall(line)) - 1
                yield sentence
            elif (begins := len(_BEGIN.findall(line))) or _is_headless(line):
                self.damaged += max(1, begins)
            elif line:
                self.text.append(line.decode("utf-8", errors="replace"))

    def drop(self) -> None:
        """Forget the line that has not ended: its end will not come, and what comes may be the end of another."""
        self._rest, self._first = b"", True


@dataclass
class Frames:
    """Puts FRAME and POSE sentences together; a frame that another one cuts off is torn and never given out.

    `absurd` counts sentences whose checksum is right and whose fields cannot be, among them those `misplaced`: poses
    that do not continue the frame, as happens behind a lost one.
    """

    torn: int = 0
    absurd: int = 0
    misplaced: int = 0
    _frame: list[int] | None = None
    _poses: list[Pose] = field(default_factory=list)

    def add(self, sentence: Sentence) -> Frame | None:
        """The frame that this sentence completes, if any; sentences of other types are passed over."""
        if sentence.kind not in ("FRAME", "POSE"):
            return None
        try:
            numbers = [integer(text) for text in sentence.fields]
            return self._begin(numbers) if sentence.kind == "FRAME" else self._continue(numbers)
        except ValueError:
            self.absurd += 1
            self.drop()
            return None

    def _begin(self, numbers: list[int]) -> Frame | None:
        self.drop()
        if len(numbers) < _FRAME_FIELDS or min(numbers[:2]) < 0 or numbers[3] not in range(MOST_POSES + 1):
            raise ValueError("a FRAME with impossible fields")
        self._frame, self._poses = numbers, []
        return self._whole()

    def _continue(self, numbers: list[int]) -> Frame | None:
        if self._frame is None:
            return None
        if len(numbers) < _POSE_FIELDS or numbers[:2] != [self._frame[0], len(self._poses)]:
            self.misplaced += len(numbers) >= _POSE_FIELDS
            raise ValueError("a POSE of another frame, or out of order")
        keypoints = tuple(zip(*(numbers[3 + part : _POSE_FIELDS : 3] for part in range(3)), strict=True))
        sound = all(x in _COORDINATES and y in _COORDINATES and score in _SCORES for x, y, score in keypoints)
        if not sound or numbers[2] not in _SCORES:
            raise ValueError("a POSE with impossible fields")
        self._poses.append(Pose(numbers[2], keypoints))
        return self._whole()

    def _whole(self) -> Frame | None:
        if self._frame is None or len(self._poses) < self._frame[3]:
            return None
        number, t_ms, source, _, *stages = self._frame[:_FRAME_FIELDS]
        zoom = _windows(self._frame[_FRAME_FIELDS:])
        frame = Frame(number, t_ms, source, dict(zip(STAGES, stages, strict=True)), tuple(self._poses), *zoom)
        self._frame = None
        return frame

    def drop(self) -> None:
        """Give up the frame that is not whole: it is torn."""
        self.torn += self._frame is not None
        self._frame = None


def _windows(numbers: list[int]) -> tuple[tuple[tuple[int, int, int], ...], int]:
    """The windows of a FRAME's last fields and the time that they took; none where it has no such fields."""
    windows = tuple(zip(*(numbers[1 + n :: _WINDOW_FIELDS] for n in range(_WINDOW_FIELDS)), strict=False))
    return (windows[:MOST_WINDOWS], numbers[0]) if windows else ((), 0)
