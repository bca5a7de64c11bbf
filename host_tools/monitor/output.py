"""What a monitor's run is given to: the terminal, lines, a file, a broker, a picture, a page. This one does nothing."""

from __future__ import annotations

from host_tools.monitor.feed import Item, Source
from host_tools.monitor.frame_processing import ProcessedFrame


class Output:
    """Override what is of use. Everything is called from the run's own thread, one after another."""

    def take(self, item: Item) -> None:
        """Anything has come, a frame too, as the board sent it; `frame` or `event` is called next."""

    def frame(self, processed: ProcessedFrame) -> None:
        """A frame has come: smoothed and with ids where that was asked for."""

    def event(self, item: Item) -> None:
        """Anything but a frame has come."""

    def tick(self, sources: list[Source], now: float) -> None:
        """Called ten times a second or more often, also while nothing comes; `now` is time.monotonic()."""

    def close(self) -> None:
        """The run is over, whichever way; called once."""
