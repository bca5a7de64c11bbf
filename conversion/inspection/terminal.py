"""An inspection for the terminal: facts, tensors, layers, remarks, readable at 100 columns."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from conversion.inspection import tabular, text_format
from conversion.inspection.model import Inspection
from conversion.inspection.tabular import TextTable

# The tables of layers are made to fit this.
WIDTH = 100


def show(inspection: Inspection) -> None:
    """Print it to stdout. In a pipe, where rich assumes 80 columns, as wide as the tables want to be."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, WIDTH)
    for part in renderables(inspection):
        console.print(part)


def renderables(inspection: Inspection) -> Iterator[RenderableType]:
    """What to print, one thing after another. Texts from files are plain text, never markup."""
    yield Text(inspection.path.name, style="bold")
    yield _facts(text_format.facts(inspection))
    for remark in inspection.remarks:
        yield _facts([("!", remark)])
    if inspection.firmware is not None:
        return
    yield _drawn("inputs", tabular.tensors(inspection.inputs))
    yield _drawn("outputs", tabular.tensors(inspection.outputs))
    yield _drawn("layers", tabular.layers(inspection, full=False))


def _facts(pairs: text_format.Facts) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, text in pairs:
        table.add_row(Text(name), Text(text))
    return table


def _drawn(title: str, found: TextTable) -> Table:
    """The table; names give way where the terminal is narrow, figures do not."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in found.columns:
        # rich takes width from the columns that it may wrap; what the others hold stays whole.
        table.add_column(column.title, justify="right" if column.number else "left", no_wrap=not column.yields)
    for row in found.rows:
        table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in row))
    return table
