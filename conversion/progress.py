"""What a long step tells who waits for it: lines of talk, and a progress bar on stderr where that is a terminal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

BYTES = "bytes"
_KIB = 1024
_BAR_WIDTH = 24

# Is given one line about what happens.
Talk = Callable[[str], None]
# Is given how much of one thing is done, and how much there is in all.
Count = Callable[[int, int], None]


class Report(Protocol):
    """Is given what is being done, how much of it is done, and how much there is in all (0: not known)."""

    def __call__(self, what: str, done: int, total: int, unit: str = "") -> None:
        """`unit` is a word for many: "photos", or BYTES."""


def silent(line: str) -> None:
    """A Talk that says nothing."""


def unreported(what: str, done: int, total: int, unit: str = "") -> None:
    """A Report that shows nothing."""


# Who waits longer than this wants to know for what.
SILENT_SECONDS = 2.0


@contextmanager
def awaited(what: str, talk: Talk) -> Iterator[None]:
    """Say what is waited for where a block takes longer than SILENT_SECONDS; `talk` is called in another thread."""
    timer = threading.Timer(SILENT_SECONDS, talk, (f"waiting for {what}",))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


class _Amount(ProgressColumn):
    """How much of how much is done; of bytes also how fast."""

    def render(self, task: Task) -> Text:
        if not task.total:
            return Text("")
        if task.fields["unit"] != BYTES:
            return Text(f"{task.completed:.0f} of {task.total:.0f} {task.fields['unit']}".rstrip())
        rate = f", {task.speed / _KIB:.1f} KiB/s" if task.speed else ""
        return Text(f"{task.completed / _KIB:.1f} of {task.total / _KIB:.1f} KiB{rate}")


@contextmanager
def bar(shown: bool = True, console: Console | None = None) -> Iterator[Report]:
    """A Report that draws a bar on `console` (None: on stderr) if that is a terminal; nothing unless `shown`.

    Rate and time left begin anew when something else is being done.
    """
    console = console or Console(stderr=True)
    columns = (TextColumn("  {task.description}"), BarColumn(_BAR_WIDTH), _Amount(), TimeRemainingColumn())
    disabled = not (shown and console.is_terminal)
    with Progress(*columns, console=console, transient=True, disable=disabled) as progress:
        drawn: dict[str, object] = {}

        def report(what: str, done: int, total: int, unit: str = "") -> None:
            if drawn.get("what") != what:
                if "task" in drawn:
                    progress.remove_task(drawn["task"])
                drawn["what"], drawn["task"] = what, progress.add_task(what, total=total or None, unit=unit)
            progress.update(drawn["task"], completed=done, total=total or None)

        yield report
