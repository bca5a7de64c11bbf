"""Which kmodel a command takes where none is named: the only one, the one of the default size, or asked by number."""

from __future__ import annotations

import sys
from pathlib import Path

import rich_click as click

from conversion.printing import talk
from host_tools import payload


def chosen(model: Path | None) -> Path:
    """The kmodel, see `payload.kmodel`; says which it is where there are several."""
    path = payload.kmodel(model, _ask if sys.stdin.isatty() else None)
    if model is None and (others := [each.name for each in payload.built() if each != path]):
        talk(f"taking {path.name}; also in {payload.BUILD}: {', '.join(others)} (--model)")
    return path


def _ask(found: list[Path]) -> Path:
    """Which of several, by its number."""
    for number, path in enumerate(found, start=1):
        click.echo(f"{number}: {path.name}", err=True)
    number = click.prompt("which kmodel", type=click.IntRange(1, len(found)), err=True)
    return found[number - 1]
