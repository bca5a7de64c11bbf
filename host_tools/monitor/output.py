"""What a monitor's run is given to: the terminal, lines, a broker, a picture. This one does nothing with it."""

from __future__ import annotations

from host_tools.monitor.frame_processing import Seen
from host_tools.monitor.items import Item, Source


class Output:
    """Override what is of use."""

    def frame(self, seen: Seen) -> None:
        """A frame has come."""

    def event(self, item: Item) -> None:
        """Anything else has come."""

    def tick(self, sources: list[Source], now: float) -> None:
        """Called ten times a second or more often, also while nothing comes; `now` is time.monotonic()."""

    def close(self) -> None:
        """The run is over, whichever way; called once."""
