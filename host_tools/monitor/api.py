"""`from host_tools import Monitor`: people that boards see, in a program of your own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from dataclasses import dataclass
from pathlib import Path

from conversion.network import KEYPOINTS
from host_tools import time_limits
from host_tools.closing import Closing
from host_tools.errors import LinkError
from host_tools.monitor import event_format, sources
from host_tools.monitor.feed import Feed, Item, Source
from host_tools.monitor.frame_processing import FrameProcessor, ProcessedFrame
from host_tools.serial_link import FASTEST, ports, sentences, units
from host_tools.time_limits import Limit

_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Point:
    """A keypoint: x, y in pixels of the model's picture, y downwards, also outside of it; score 0..1."""

    x: float
    y: float
    score: float


@dataclass(frozen=True)
class Person:
    """One person: score 0..1, id (None without `ids`), and keypoints by name: person["leftWrist"].

    `pose` has the board's own integers.
    """

    pose: sentences.Pose
    id: int | None = None

    @property
    def score(self) -> float:
        """How sure the network is of the whole person, 0..1."""
        return self.pose.score / units.SCORE_ONE

    def __getitem__(self, name: str) -> Point:
        """A keypoint by its name; KeyError lists the names."""
        if name not in KEYPOINTS:
            raise KeyError(f"{name!r} is no keypoint; there are {', '.join(KEYPOINTS)}")
        x16, y16, score = self.pose.keypoints[KEYPOINTS.index(name)]
        return Point(x16 / units.PER_PIXEL, y16 / units.PER_PIXEL, score / units.SCORE_ONE)

    @property
    def keypoints(self) -> dict[str, Point]:
        """All 17, by name."""
        return {name: self[name] for name in KEYPOINTS}


@dataclass(frozen=True)
class Frame:
    """One frame: the board, its frame number and time, microseconds of each stage, size of the picture, people."""

    board: str
    number: int
    t_ms: int
    stages_us: dict[str, int]
    size: tuple[int, int]
    people: tuple[Person, ...]
    processed: ProcessedFrame

    @classmethod
    def of(cls, processed: ProcessedFrame) -> Frame:
        """A frame as the monitor sees it."""
        frame = processed.frame
        ids = processed.ids or (None,) * len(frame.poses)
        people = tuple(Person(pose, person) for pose, person in zip(frame.poses, ids, strict=True))
        return cls(processed.label, frame.number, frame.t_ms, dict(frame.stages_us), processed.size, people, processed)

    def to_dict(self) -> dict:
        """The object of `monitor --json`."""
        return self.processed.to_dict()


class Monitor(Closing):
    """Frames of one board, or of several, as they come. A context manager and an iterator.

    with Monitor() as monitor:
        for frame in monitor:
            for person in frame.people:
                if person["leftWrist"].y < person["nose"].y:
                    print("a hand is up")
    """

    def __init__(
        self,
        *wanted: str,
        baud: int | None = FASTEST,
        smooth: bool = False,
        ids: bool = False,
        patience: float | Limit | None = time_limits.MONITOR_FRAME,
        other: Callable[[Item], None] | None = None,
    ) -> None:
        """Open the ports named (as `--port` takes them), or the only board that there is; LinkError where that fails.

        `baud` is the line's speed (FASTEST: as fast as it goes, None: as it is), `smooth` smooths keypoints, `ids`
        numbers people. After `patience` seconds without a frame the iteration raises LinkError, which says why; None
        waits for ever. `other` is called with each Item that is no frame: what a board prints (`events.Print`), that it
        is lost and found, and so on.
        """
        self._watch(sources.of_ports(ports.choose_all(wanted), baud=baud), smooth, ids, patience, other)

    @classmethod
    def replay(
        cls,
        path: Path | str,
        *,
        speed: float = 0.0,
        smooth: bool = False,
        ids: bool = False,
        other: Callable[[Item], None] | None = None,
    ) -> Monitor:
        """The frames of a recording, `speed` times as fast as they came; 0: as fast as they are taken.

        RecordingError if the file is no recording or is damaged.
        """
        monitor = cls.__new__(cls)
        monitor._watch(sources.of_recording(Path(path), speed), smooth, ids, None, other)
        return monitor

    def _watch(
        self, feed: Feed, smooth: bool, ids: bool, patience: float | Limit | None, other: Callable[[Item], None] | None
    ) -> None:
        self._feed, self._processor = feed, FrameProcessor(smooth, ids)
        self._patience = patience.seconds if isinstance(patience, Limit) else patience
        self._other = other
        self._said: dict[str, str] = {}

    def __iter__(self) -> Iterator[Frame]:
        """Every frame, until the monitor is closed or the recording ends."""
        while not self._feed.ended:
            frame = self.next(self._patience)
            if frame is not None:
                yield frame
            elif not self._feed.ended:
                said = "; ".join(f"{label}: {text}" for label, text in self._said.items()) or "nothing else was said"
                raise LinkError(f"no frame in {self._patience:g} s; {said}")

    @property
    def boards(self) -> Sequence[Source]:
        """The boards, with what is known of each: label, port, hello, statistics."""
        return self._feed.sources

    def next(self, seconds: float | None = None) -> Frame | None:
        """The next frame; None if none comes within `seconds` (None: no limit) or the feed has ended."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self._feed.ended:
            left = _POLL_SECONDS if deadline is None else min(_POLL_SECONDS, deadline - time.monotonic())
            item = self._feed.next(max(0.0, left))
            if item is not None and isinstance(item.event, sentences.Frame):
                source = self._feed.source(item.source)
                return Frame.of(self._processor.process_of(source, item.source, item.event, item.at))
            if item is not None:
                self._tell(item)
            elif left <= 0:
                return None
        return None

    def ask(self, board: str, kind: str, *fields: int | str | None, seconds: float | None = None) -> int:
        """Send a sentence of firmware/README.md to a board, `ask("maix_bit", "POSES", 1, None, None, None)`.

        Returns the reply's value; Refused or LinkError where the board says no, or nothing.
        """
        reply, seconds = self._feed.ask(board, kind, *fields), time_limits.MONITOR_ANSWER.unless(seconds)
        try:
            return reply.result(seconds)
        except (futures.TimeoutError, futures.CancelledError) as error:
            reply.cancel()
            raise LinkError(f"{board}: no answer to {kind} within {seconds:g} s; is the board still there?") from error

    def close(self) -> None:
        """Close the ports."""
        self._feed.close()

    def _tell(self, item: Item) -> None:
        self._processor.heed(item.source, item.event)
        text = event_format.of(item.event)
        if text is not None:
            self._said[item.source] = text
        if self._other is not None:
            self._other(item)
