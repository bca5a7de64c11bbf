"""Frames as they are shown and handed out: of which board, smoothed and with person ids where asked for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from host_tools.monitor.feed import DEFAULT_SIZE, Source
from host_tools.monitor.people import People
from host_tools.monitor.smoothing import Smoother
from host_tools.serial_link import Frame


@dataclass(frozen=True)
class ProcessedFrame:
    """A frame of the source `label`, received at `at` (time.monotonic); `ids` of its people, None if not asked for."""

    label: str
    frame: Frame
    at: float
    size: tuple[int, int]
    ids: tuple[int, ...] | None = None

    def to_dict(self) -> dict:
        """The object of `monitor --json`; each pose has an `id` where ids were asked for."""
        made = self.frame.to_dict(self.label)
        for pose, person in zip(made["poses"], self.ids or (), strict=False):
            pose["id"] = person
        return made

    @property
    def colours(self) -> tuple[int, ...]:
        """A number for each person that chooses the colour: the id, so that a person keeps it, or the place."""
        if self.ids is None:
            return tuple(range(len(self.frame.poses)))
        return tuple(person - 1 for person in self.ids)


class FrameProcessor:
    """Processes the frames of any number of sources."""

    def __init__(self, smooth: bool = False, ids: bool = False) -> None:
        """Smoothing follows persons too, whether their ids are shown or not."""
        self._smooth, self._ids = smooth, ids
        self._people: defaultdict[str, People] = defaultdict(People)
        self._smoothers: defaultdict[str, Smoother] = defaultdict(Smoother)

    def process_of(self, source: Source | None, label: str, frame: Frame, at: float) -> ProcessedFrame:
        """A frame as `source` has sent it, upright; None for a source that is not known yet."""
        if source is None:
            return self.process(label, frame, at, DEFAULT_SIZE)
        return self.process(label, source.upright(frame), at, source.size)

    def process(self, label: str, frame: Frame, at: float, size: tuple[int, int]) -> ProcessedFrame:
        """A frame of a source whose model's picture has that size; frames must come in their order."""
        if not (self._smooth or self._ids):
            return ProcessedFrame(label, frame, at, size)
        ids = self._people[label].identify(frame.poses, frame.t_ms)
        if self._smooth:
            frame = replace(frame, poses=self._smoothers[label].smooth(frame.poses, ids, frame.t_ms, size))
        return ProcessedFrame(label, frame, at, size, ids if self._ids else None)
