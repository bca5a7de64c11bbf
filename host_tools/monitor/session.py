"""One run of the monitor: takes items from a feed, gives them to the outputs, and ends when it should."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from conversion.printing import counted
from host_tools import time_limits
from host_tools.errors import LinkError
from host_tools.monitor import event_format
from host_tools.monitor.feed import Feed, Item, Note
from host_tools.monitor.frame_processing import FrameProcessor
from host_tools.monitor.output import Output
from host_tools.serial_link import Frame, events

_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Limits:
    """When a run ends by itself: after so many frames (of all boards together), after so many seconds; None: never."""

    frames: int | None = None
    seconds: float | None = None


class Session:
    """A run, whose loop takes items from the feed. `outputs` get all of them, and frames as `processor` makes them."""

    def __init__(self, feed: Feed, outputs: Sequence[Output], limits: Limits, processor: FrameProcessor) -> None:
        self._feed, self._outputs, self._limits, self._processor = feed, outputs, limits, processor
        self.frames = 0
        self._started = self._last_frame = time.monotonic()
        self._reasons: dict[str, str] = {}

    def run(self, over: threading.Event) -> None:
        """Until `over` is set, a limit is reached, or the feed ends.

        LinkError if frames are waited for (there is a limit) and none come, with what the boards say instead;
        RecordingError for a damaged recording, or one that cannot be written on.
        """
        while not over.is_set() and not self._done:
            self._take(self._feed.next(_POLL_SECONDS))

    @property
    def _done(self) -> bool:
        """Whether the run has come to its end."""
        enough = self._limits.frames is not None and self.frames >= self._limits.frames
        late = self._limits.seconds is not None and time.monotonic() - self._started >= self._limits.seconds
        if (late or self._feed.ended) and not self.frames:
            raise LinkError(self._why_silent())
        return enough or late or self._feed.ended

    def _take(self, item: Item | None) -> None:
        """One item, or the time that has passed without one."""
        now = time.monotonic()
        if item is not None:
            self._note_reason(item)
            self._hand_out(item)
        elif self._limits.frames is not None and now - self._last_frame > self._patience:
            raise LinkError(self._why_silent())
        sources = self._feed.sources
        for output in self._outputs:
            output.tick(sources, now)

    @property
    def summary(self) -> str:
        """What there was, in one line."""
        seconds = time.monotonic() - self._started
        lost = f"; {counted(self._feed.lost, 'event')} came faster than they were shown" if self._feed.lost else ""
        links = [
            f"{source.label}: {event_format.mishaps(source.statistics)}"
            for source in self._feed.sources
            if source.statistics
        ]
        return "; ".join([f"{counted(self.frames, 'frame')} in {seconds:.1f} s{lost}", *links])

    @property
    def _patience(self) -> float:
        return (time_limits.NEXT_FRAME if self.frames else time_limits.FIRST_FRAME).seconds

    def _hand_out(self, item: Item) -> None:
        for output in self._outputs:
            output.take(item)
        if not isinstance(item.event, Frame):
            for output in self._outputs:
                output.event(item)
            return
        self.frames += 1
        self._last_frame = time.monotonic()
        source = self._feed.source(item.source)
        processed = self._processor.process_of(source, item.source, item.event, item.at)
        for output in self._outputs:
            output.frame(processed)

    def _note_reason(self, item: Item) -> None:
        """Keep what a source said last that explains why it sends no frames."""
        if isinstance(item.event, Note | events.Lost | events.Trouble | events.OtherProtocol):
            self._reasons[item.source] = event_format.of(item.event) or ""

    def _why_silent(self) -> str:
        seconds = time.monotonic() - self._last_frame
        reasons = "; ".join(f"{label}: {reason}" for label, reason in self._reasons.items())
        if not reasons:
            recorded = all(source.statistics is None for source in self._feed.sources)
            why = "it holds none" if recorded else "the board answers; is it paused? Press its key, or reset it"
            reasons = f"{', '.join(source.label for source in self._feed.sources)}: {why}"
        return f"no frame in {seconds:.0f} s; {reasons}"
