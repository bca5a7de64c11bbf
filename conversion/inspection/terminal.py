"""An inspection for the terminal: facts, tensors, layers, remarks."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from conversion.inspection import tabular, text_format
from conversion.inspection.model import Inspection
from conversion.inspection.tabular import TextTable
from conversion.printing import Column, Line, Named, Table, show


def print_all(inspection: Inspection) -> None:
    """Print it to stdout."""
    for part in renderables(inspection):
        show(part)


def renderables(inspection: Inspection) -> Iterator[RenderableType]:
    """What to print, one thing after another."""
    yield Line(inspection.path.name, style="bold")
    yield Named(text_format.facts(inspection))
    for remark in inspection.remarks:
        yield Named([("!", remark)])
    if inspection.firmware is not None:
        return
    yield _table("inputs", tabular.tensors(inspection.inputs))
    yield _table("outputs", tabular.tensors(inspection.outputs))
    yield _table("layers", tabular.layers(inspection, full=False))


def _table(title: str, found: TextTable) -> Table:
    """Names wrap where the terminal is narrow, figures do not."""
    columns = [Column(column.title, column.number, column.wraps) for column in found.columns]
    return Table(columns, list(found.rows), title)
