"""The monitor on a terminal: a live panel for each board; what boards print, and what happens, scrolls above."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from host_tools.monitor import event_format
from host_tools.monitor.feed import Item, Source
from host_tools.monitor.frame_processing import ProcessedFrame
from host_tools.monitor.output import Output
from host_tools.monitor.panel import Board, panel
from host_tools.serial_link import Print, Stats

REDRAW_SECONDS = 0.1
# Above the panels a few lines stay free for what boards print.
_ROWS_ABOVE = 6
_LEAST_ROWS = 8
_LEAST_COLUMNS = 40


def fits(console: Console) -> bool:
    """Whether figures can be drawn there: a terminal that moves its cursor, and that knows braille."""
    return console.is_terminal and not console.is_dumb_terminal and console.encoding.lower().startswith("utf")


class Terminal(Output):
    """Draws into a console from its first event to close()."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._boards: dict[int, Board] = {}
        self._numbers: dict[str, int] = {}
        self._now, self._drawn_at = 0.0, -math.inf
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._live.start()

    def frame(self, processed: ProcessedFrame) -> None:
        """Take a frame; it is drawn with the next tick."""
        board = self._board(processed.label)
        if board is not None:
            board.processed = processed
            board.rates.add(processed.at, processed.frame)

    def event(self, item: Item) -> None:
        """Print what the board or the host says."""
        if isinstance(item.event, Stats) and (board := self._board(item.source)) is not None:
            board.stats = item.event
        text = event_format.of(item.event)
        if text is not None:
            own = isinstance(item.event, Print)
            name = f"{item.source}{'>' if own else ':'} " if len(self._boards) > 1 or not own else ""
            self._live.console.print(Text.assemble((name, "bold"), (text, "" if own else "dim")))

    def tick(self, sources: list[Source], now: float) -> None:
        """Draw all boards, not more often than ten times a second."""
        self._know(sources)
        self._now = now
        if now - self._drawn_at >= REDRAW_SECONDS:
            self._drawn_at = now
            self._draw()

    def close(self) -> None:
        """Leave the picture of the last frame on the screen."""
        self._draw()
        self._live.stop()

    def _draw(self) -> None:
        self._live.update(self._picture(self._now), refresh=True)

    def _know(self, sources: list[Source]) -> None:
        for source in sources:
            self._boards.setdefault(source.number, Board(source)).source = source
            self._numbers[source.label] = source.number

    def _board(self, label: str) -> Board | None:
        number = self._numbers.get(label)
        return None if number is None else self._boards[number]

    def _picture(self, now: float) -> RenderableType:
        """Panels in rows, so many in each as have room."""
        width, height = self._console.size
        across = max(1, min(len(self._boards), width // _LEAST_COLUMNS))
        down = math.ceil(len(self._boards) / across)
        rows = max(_LEAST_ROWS, height - _ROWS_ABOVE) // max(1, down)
        panels = [panel(board, width // across, rows, now) for board in self._boards.values()]
        return Group(*_in_rows(panels, across))


def _in_rows(panels: list[RenderableType], across: int) -> Iterator[RenderableType]:
    for start in range(0, len(panels), across):
        grid = Table.grid()
        grid.add_row(*panels[start : start + across])
        yield grid
