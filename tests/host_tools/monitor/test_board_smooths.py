"""Who smooths: the monitor where that is asked for, but never once more what a board has smoothed."""

from __future__ import annotations

import threading

from host_tools.monitor.api import Monitor
from host_tools.monitor.feed import Item, Source
from host_tools.monitor.frame_processing import FrameProcessor, ProcessedFrame
from host_tools.monitor.output import Output
from host_tools.monitor.session import Limits, Session
from host_tools.serial_link import Frame
from host_tools.serial_link.events import Settings
from tests.host_tools.monitor import actors
from tests.host_tools.monitor.actors import SIZE, person


def settings(smooth: int | None) -> Settings:
    return Settings(0, 5, 16384, 20, 3277, 0, 10000, 0, 50, 20, 8, 0, smooth)


def test_what_a_board_smooths_is_not_smoothed_once_more() -> None:
    frames = [actors.frame(n, [person(100 + n % 2 * 0.4, 60)]) for n in range(1, 9)]
    for smooth, told in ((1, True), (0, False), (None, False)):
        processor = FrameProcessor(smooth=True)
        # Another board says nothing about this one.
        processor.heed("other", settings(smooth=1 - bool(smooth)))
        processor.heed("bit", settings(smooth=smooth))
        processor.heed("bit", None)
        made = [processor.process("bit", frame, 0.0, SIZE).frame for frame in frames]
        assert (made == frames) is told
    processor.heed("bit", settings(smooth=1))
    assert processor.process("bit", frames[0], 0.0, SIZE).frame == frames[0]


class Said:
    """A feed of items that are here already."""

    sources: tuple[Source, ...] = ()
    lost = 0

    def __init__(self, events_: list[object]) -> None:
        self._items = [Item("bit", event, 0.0) for event in events_]

    @property
    def ended(self) -> bool:
        return not self._items

    def next(self, seconds: float) -> Item:
        return self._items.pop(0)

    def source(self, label: str) -> None:
        """Nothing is known of it."""


class Handed(Output):
    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def frame(self, processed: ProcessedFrame) -> None:
        self.frames.append(processed.frame)


def test_a_run_and_the_interface_smooth_until_the_board_does() -> None:
    frames = [actors.frame(n, [person(100 + n % 2 * 0.4, 60)]) for n in range(1, 9)]
    for smooth in (0, 1):
        told = [settings(smooth=1 - smooth), settings(smooth=smooth), *frames]
        handed = Handed()
        Session(Said(told), [handed], Limits(), FrameProcessor(smooth=True)).run(threading.Event())
        assert (handed.frames == frames) is bool(smooth)
        monitor = Monitor.__new__(Monitor)
        monitor._watch(Said(told), True, False, None, None)
        people = [frame.people[0].keypoints for frame in monitor]
        plain = Monitor.__new__(Monitor)
        plain._watch(Said(frames), False, False, None, None)
        assert (people == [frame.people[0].keypoints for frame in plain]) is bool(smooth)
