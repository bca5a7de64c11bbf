"""The monitor's output where stdout is no terminal, or JSON is asked for: one line a frame."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from typing import TextIO

from host_tools.monitor import event_format
from host_tools.monitor.feed import Item
from host_tools.monitor.frame_processing import ProcessedFrame
from host_tools.monitor.output import Output
from host_tools.monitor.rates import Rates
from host_tools.serial_link import Print


class JsonFrames(Output):
    """Frames as JSON on `output`, each line flushed; what else happens goes to `talk`."""

    def __init__(self, output: TextIO, talk: Callable[[str], None]) -> None:
        self._output, self._talk = output, talk

    def frame(self, processed: ProcessedFrame) -> None:
        """Print a frame."""
        print(json.dumps(processed.to_dict(), separators=(",", ":")), file=self._output, flush=True)

    def event(self, item: Item) -> None:
        """Tell of anything else."""
        text = event_format.of(item.event)
        if text is not None:
            self._talk(f"{item.source}: {text}")


class PlainText(JsonFrames):
    """Frames as text, and the board's own prints between them, on `output`; what the host notices goes to `talk`."""

    def __init__(self, output: TextIO, talk: Callable[[str], None]) -> None:
        super().__init__(output, talk)
        self._rates: defaultdict[str, Rates] = defaultdict(Rates)

    def frame(self, processed: ProcessedFrame) -> None:
        """Print a frame: board, number, people with their scores, frames a second, times of the stages."""
        rates = self._rates[processed.label]
        rates.add(processed.at, processed.frame)
        self._print(
            f"{processed.label} frame {processed.frame.number}: {event_format.scores(processed)}, "
            f"{rates.arriving(processed.at):.1f} frames/s, {event_format.stages(processed.frame.stages_us)}"
        )

    def event(self, item: Item) -> None:
        """Print what the board prints."""
        if isinstance(item.event, Print):
            self._print(f"{item.source}> {item.event.text}")
        else:
            super().event(item)

    def _print(self, line: str) -> None:
        encoding = self._output.encoding or "utf-8"
        print(line.encode(encoding, "backslashreplace").decode(encoding), file=self._output, flush=True)
