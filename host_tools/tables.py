"""Rows of results: a table where it fits the terminal, one column below the other where not, plain lines for a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from host_tools.talk import result_console

# Between the cells of a line that a program reads, and what stands for an empty one there.
_GAP, _NOTHING = "  ", "-"
# A border and a space on either side of each cell, and the last border.
_BORDER = 3


def show(columns: Sequence[str], rows: Iterable[Sequence[str]], console: Console = result_console) -> None:
    """Print rows under the names of their columns; no word is broken, and nothing is padded that nobody looks at."""
    cells = [tuple(row) for row in rows]
    if not console.is_terminal:
        for row in (columns, *cells):
            _print(console, _GAP.join(cell or _NOTHING for cell in row))
    elif _width(columns, cells) <= console.width:
        table = Table(*map(escape, columns))
        for row in cells:
            table.add_row(*map(escape, row))
        console.print(table)
    else:
        for row in cells:
            _print(console, row[0] or row[1])
            for name, cell in list(zip(columns, row, strict=True))[1:]:
                if cell:
                    _print(console, f"    {name}: {cell}")


def _width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    widest = (max(len(row[number]) for row in (columns, *rows)) for number in range(len(columns)))
    return sum(width + _BORDER for width in widest) + 1


def _print(console: Console, line: str) -> None:
    console.print(line, markup=False, soft_wrap=not console.is_terminal)
