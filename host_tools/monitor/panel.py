"""What a terminal shows of one board: the figures of its people, and the numbers beside or below them."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.align import Align
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from conversion.printing import counted
from host_tools.monitor import event_format, figure
from host_tools.monitor.feed import Source
from host_tools.monitor.frame_processing import ProcessedFrame
from host_tools.monitor.rates import Rates
from host_tools.serial_link import STAGES, STATES, Stats, units

_SIDE_COLUMNS = 30
_SIDE_FROM = 66
_BELOW_ROWS = 3
# The frame of a panel and the space within it.
_FRAME_COLUMNS, _FRAME_ROWS = 4, 2
_LATE_SECONDS = 2.0
_RUNNING = 1


@dataclass
class Board:
    """What was last heard of a source."""

    source: Source
    rates: Rates = field(default_factory=Rates)
    processed: ProcessedFrame | None = None
    stats: Stats | None = None


def panel(board: Board, columns: int, rows: int, now: float) -> Panel:
    """A panel of that size: the numbers beside the figure where there is room, else below."""
    inner = columns - _FRAME_COLUMNS, rows - _FRAME_ROWS
    content = _side_by_side(board, *inner) if inner[0] >= _SIDE_FROM else _stacked(board, *inner)
    title = Text.assemble((board.source.label, "bold"), f" {_rate(board, now)}")
    return Panel(content, title=title, subtitle=_state(board, now), width=columns, height=max(3, rows))


def _side_by_side(board: Board, columns: int, rows: int) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=columns - _SIDE_COLUMNS - 1, no_wrap=True)
    grid.add_column(width=_SIDE_COLUMNS, no_wrap=True, overflow="ellipsis")
    details = Text("\n", no_wrap=True, overflow="ellipsis").join([*_people(board), *_numbers(board)][:rows])
    grid.add_row(_figure(board, columns - _SIDE_COLUMNS - 1, rows), details)
    return grid


def _stacked(board: Board, columns: int, rows: int) -> RenderableType:
    """Figure above, one line each of people, stages and link below; without a figure where there is no room."""
    lines = [Text("")]
    if board.processed is not None:
        lines = [_one_line(board), Text(event_format.stages(board.processed.frame.stages_us))]
    lines.append(Text(_link(board.source)))
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return Group(_figure(board, columns, rows - _BELOW_ROWS), *lines) if rows > _BELOW_ROWS else Group(*lines)


def _figure(board: Board, columns: int, rows: int) -> RenderableType:
    if board.processed is None:
        return Text("no frame yet" + "\n" * (rows - 1), style="dim")
    width, height = figure.cells(board.processed.size, columns, rows)
    drawn = figure.draw(board.processed.frame.poses, board.processed.size, width, height, board.processed.colours)
    return Align.center(drawn, width=columns)


def _rate(board: Board, now: float) -> str:
    arriving, computed = board.rates.arriving(now), board.rates.computed(now)
    if not arriving:
        return ""
    # The board may compute more than the line carries.
    more = f" of {computed:.1f} computed" if computed > 1.05 * arriving else ""
    return f"{arriving:.1f} frames/s{more}"


def _state(board: Board, now: float) -> str | None:
    if not board.source.alive:
        return "ended"
    if board.processed is not None and now - board.processed.at > _LATE_SECONDS:
        why = f" ({STATES[board.stats.state]})" if board.stats and board.stats.state != _RUNNING else ""
        return f"no frame for {now - board.processed.at:.0f} s{why}"
    return None


def _people(board: Board) -> list[Text]:
    """A line for each person in its colour: number, score, how many keypoints are drawn."""
    return [_person(board, place, keypoints=True) for place in range(_count(board))] or [_nobody()]


def _one_line(board: Board) -> Text:
    return Text("   ").join([_person(board, place) for place in range(_count(board))] or [_nobody()])


def _count(board: Board) -> int:
    return len(board.processed.frame.poses) if board.processed else 0


def _nobody() -> Text:
    return Text("nobody", style="dim")


def _person(board: Board, place: int, keypoints: bool = False) -> Text:
    pose, ids = board.processed.frame.poses[place], board.processed.ids
    line = f"#{ids[place]}" if ids else f"{place + 1}"
    line += f"  {pose.score / units.SCORE_ONE:.2f}"
    if keypoints:
        drawn = sum(score >= figure.PART_SCORE for _, _, score in pose.keypoints)
        line += f"  {drawn} of {len(pose.keypoints)} keypoints"
    return Text(line, style=figure.style(board.processed.colours[place]))


def _numbers(board: Board) -> list[Text]:
    """Frame, stages, link and board, a line each."""
    lines = []
    if board.processed is not None:
        frame = board.processed.frame
        lines += ["", f"frame {frame.number}, {frame.t_ms / 1000:.1f} s"]
        lines += [f"{stage:8}{frame.stages_us[stage] / 1000:9.1f} ms" for stage in STAGES]
    lines += ["", *_link(board.source).split(", ")]
    if hello := board.source.hello:
        baud = board.source.baud or hello.baud
        lines += ["", f"{event_format.size_of(hello)}, {baud} baud", f"program {hello.firmware}"]
        lines.append(f"{hello.system} {hello.release}")
    if stats := board.stats:
        lines += [f"skipped {stats.skipped}, errors {stats.errors}", f"heap free {stats.heap_free // 1024} KiB"]
    return [Text(line) for line in lines]


def _link(source: Source) -> str:
    if source.statistics is None:
        return "a recording" if source.alive else "end of the recording"
    return f"{counted(source.statistics.frames, 'frame')}, {event_format.mishaps(source.statistics)}"
