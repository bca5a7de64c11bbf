"""A progress bar on stderr for what a verification does, where stderr is a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from host_tools.verification.judging import Report

_KIB = 1024
_BAR_WIDTH = 24


class _Amount(ProgressColumn):
    """How much of how much is done; of bytes also how fast."""

    def render(self, task: Task) -> Text:
        if not task.total:
            return Text("")
        if task.fields["unit"] != "bytes":
            return Text(f"{task.completed:.0f} of {task.total:.0f} {task.fields['unit']}")
        rate = f", {task.speed / _KIB:.1f} KiB/s" if task.speed else ""
        return Text(f"{task.completed / _KIB:.1f} of {task.total / _KIB:.1f} KiB{rate}")


@contextmanager
def bar(console: Console) -> Iterator[Report]:
    """A function that takes (what, done, total, unit), total 0 where it is not known; draws only on a terminal."""
    columns = (TextColumn("  {task.description}"), BarColumn(_BAR_WIDTH), _Amount(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        shown: dict[str, object] = {}

        def report(what: str, done: int, total: int, unit: str) -> None:
            if shown.get("what") != what:
                if "task" in shown:
                    progress.remove_task(shown["task"])
                shown["what"], shown["task"] = what, progress.add_task(what, total=total or None, unit=unit)
            progress.update(shown["task"], completed=done, total=total or None)

        yield report
