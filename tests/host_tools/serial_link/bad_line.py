"""Frames as the firmware's own sender writes them, over a line that loses, changes and adds bytes; what arrives.

`python -m tests.host_tools.serial_link.bad_line [FRAMES]` prints the measurement that the tests check.
"""

from __future__ import annotations

import importlib
import random
import sys
from dataclasses import dataclass

from host_tools.serial_link.decoder import Decoder
from host_tools.serial_link.events import Print
from host_tools.serial_link.sentences import STAGES, Frame, Pose
from host_tools.serial_link.statistics import Statistics
from tests.firmware.app import sentences
from tests.firmware.app.board import Board

MOST_PEOPLE = 3
_MARKS = b"\n$"


@dataclass(frozen=True)
class Sent:
    """What was put on the line: its bytes, and the frames that they mean, read by the firmware tests' own reader."""

    data: bytes
    frames: tuple[Frame, ...]


class _Person:
    """A pose as the decoder leaves it for the sender."""

    def __init__(self, numbers: random.Random) -> None:
        self.score = numbers.randrange(256)
        self.x16 = [numbers.randrange(-800, 6000) for _ in range(17)]
        self.y16 = [numbers.randrange(-800, 4600) for _ in range(17)]
        self.scores = [numbers.randrange(256) for _ in range(17)]


class _Uart:
    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        self.data += data


def sent_by_firmware(count: int, seed: int) -> Sent:
    """So many frames of 0 to 3 random people, numbered from 1, written by `firmware/pose_sender.py`."""
    numbers, uart = random.Random(seed), _Uart()
    with Board().modules():
        link = importlib.import_module("pose_link").Link(uart)
        settings = importlib.import_module("pose_settings").Settings()
        sender = importlib.import_module("pose_sender").Sender(link, settings)
        for number in range(1, count + 1):
            people = [_Person(numbers) for _ in range(numbers.randrange(MOST_PEOPLE + 1))]
            stages = [numbers.randrange(200_000) for _ in STAGES]
            sender.frame(number, 0, people, len(people), stages, True)
    data = bytes(uart.data)
    return Sent(data, tuple(_frame(*each) for each in sentences.frames(sentences.read(data))))


def _frame(frame: tuple, poses: list[tuple]) -> Frame:
    number, t_ms, source, _, *stages = frame
    people = tuple(Pose(pose[2], tuple(tuple(pose[at : at + 3]) for at in range(3, 54, 3))) for pose in poses)
    return Frame(number, t_ms, source, dict(zip(STAGES, stages, strict=True)), people)


@dataclass(frozen=True)
class Arrived:
    """What comes out of a bad line; of the sentences that went in (lines, from 0) those that it hit.

    `hits`: bytes changed, lost or added. `marks`: line feeds and dollars that it made, each of which may make one
    sentence look like two.
    """

    data: bytes
    hits: int
    marks: int
    lines_hit: frozenset[int]


def through_bad_line(data: bytes, rate: float, fault: str, seed: int) -> Arrived:
    """What a line delivers that hits one byte in 1/rate: `corrupt` (another byte), `flip` (a bit), `drop`, `insert`."""
    numbers = random.Random(f"{fault} {seed}")
    arrived, lines, line, hits, marks = bytearray(), set(), 0, 0, 0
    for byte in data:
        if numbers.random() < rate:
            lines.add(line)
            hits += 1
            instead = _faulty(byte, fault, numbers)
            marks += sum(made in _MARKS for made in instead) - (byte in _MARKS and fault == "insert")
            arrived += instead
        else:
            arrived.append(byte)
        line += byte == 0x0A
    return Arrived(bytes(arrived), hits, marks, frozenset(lines))


def _faulty(byte: int, fault: str, numbers: random.Random) -> bytes:
    if fault == "corrupt":
        return bytes([(byte + numbers.randrange(1, 256)) % 256])
    if fault == "flip":
        return bytes([byte ^ 1 << numbers.randrange(8)])
    return b"" if fault == "drop" else bytes([numbers.randrange(256), byte])


def frames_untouched(sent: Sent, arrived: Arrived) -> list[Frame]:
    """The frames none of whose lines was hit: these must arrive."""
    found, line = [], 0
    for frame in sent.frames:
        lines = range(line, line + 1 + len(frame.poses))
        line = lines.stop
        if arrived.lines_hit.isdisjoint(lines):
            found.append(frame)
    return found


@dataclass(frozen=True)
class Read:
    """What a reader makes of what arrives."""

    frames: list[Frame]
    prints: list[Print]
    statistics: Statistics


def read(data: bytes, step: int = 997) -> Read:
    """Frames and counts of bytes that come in pieces."""
    decoder = Decoder()
    events = [event for at in range(0, len(data), step) for event in decoder.feed(data[at : at + step], 0.0)]
    frames = [event for event in events if isinstance(event, Frame)]
    return Read(frames, [event for event in events if isinstance(event, Print)], decoder.statistics)


FAULTS = ("corrupt", "flip", "drop", "insert")


def main() -> None:
    """Print one line for each fault."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    sent = sent_by_firmware(count, seed=1)
    by_number = {frame.number: frame for frame in sent.frames}
    print(f"{count} frames, {len(sent.data)} bytes, {sent.data.count(10)} sentences; one byte in 1000 is hit")
    for fault in FAULTS:
        arrived = through_bad_line(sent.data, 1e-3, fault, seed=1)
        got = read(arrived.data)
        counts = got.statistics
        print(
            f"{fault}: {arrived.hits} bytes in {len(arrived.lines_hit)} sentences hit; frames untouched "
            f"{len(frames_untouched(sent, arrived))}, accepted {counts.frames}, of these wrong "
            f"{sum(by_number.get(frame.number) != frame for frame in got.frames)}, missed {counts.missed}, torn "
            f"{counts.torn}; sentences read {counts.sentences}, damaged {counts.damaged}, taken for prints "
            f"{len(got.prints)}, marks made {arrived.marks}, absurd {counts.absurd}"
        )


if __name__ == "__main__":
    main()
