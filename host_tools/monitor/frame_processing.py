"""Frames as they are shown and handed out: of which board, smoothed and with person ids where asked for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from host_tools.monitor.feed import DEFAULT_SIZE, Source
from host_tools.monitor.people import People
from host_tools.monitor.smoothing import Smoother
from host_tools.serial_link import Frame, Settings


@dataclass(frozen=True)
class ProcessedFrame:
    """A frame of the source `label`, received at `at` (time.monotonic).

    `colours` are numbers of its people, which they keep from frame to frame; `ids` None if not asked for.
    """

    label: str
    frame: Frame
    at: float
    size: tuple[int, int]
    colours: tuple[int, ...]
    ids: tuple[int, ...] | None = None

    def to_dict(self) -> dict:
        """The object of `monitor --json`; each pose has an `id` where ids were asked for."""
        made = self.frame.to_dict(self.label)
        for pose, person in zip(made["poses"], self.ids or (), strict=False):
            pose["id"] = person
        return made


class FrameProcessor:
    """Processes the frames of any number of sources."""

    def __init__(self, smooth: bool = False, ids: bool = False) -> None:
        """Colours and smoothing follow persons too, whether their ids are shown or not."""
        self._smooth, self._ids = smooth, ids
        self._people: defaultdict[str, People] = defaultdict(People)
        self._smoothers: defaultdict[str, Smoother] = defaultdict(Smoother)
        # Sources whose board smooths by itself.
        self._smooth_already: set[str] = set()

    def heed(self, label: str, event: object) -> None:
        """Something that a source has said beside frames: what its board has smoothed is not smoothed once more."""
        if not isinstance(event, Settings):
            return
        self._smoothers.pop(label, None)
        if event.smooth:
            self._smooth_already.add(label)
        else:
            self._smooth_already.discard(label)

    def process_of(self, source: Source | None, label: str, frame: Frame, at: float) -> ProcessedFrame:
        """A frame as `source` has sent it, upright; None for a source that is not known yet."""
        if source is None:
            return self.process(label, frame, at, DEFAULT_SIZE)
        return self.process(label, source.upright(frame), at, source.size)

    def process(self, label: str, frame: Frame, at: float, size: tuple[int, int]) -> ProcessedFrame:
        """A frame of a source whose model's picture has that size; frames must come in their order."""
        people = self._people[label]
        ids = people.identify(frame.poses, frame.t_ms)
        if self._smooth and label not in self._smooth_already:
            frame = replace(frame, poses=self._smoothers[label].smooth(frame.poses, ids, frame.t_ms, size))
        return ProcessedFrame(label, frame, at, size, people.colours, ids if self._ids else None)
