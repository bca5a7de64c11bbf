"""How the commands speak: results on stdout, talk on stderr; and how they are stopped."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

talk_console = Console(stderr=True, highlight=False)
# Where nobody looks there is no edge to wrap lines at: a hash stays in one piece.
_WIDTH = None if sys.stdout.isatty() else 200
result_console = Console(highlight=False, soft_wrap=True, width=_WIDTH)
_SHOWN_DIGITS = 16
# What shells give a command that Ctrl-C ended: 128 and the number of the signal.
STOPPED = 128 + signal.SIGINT


def talk(message: str) -> None:
    """One line about what happens."""
    talk_console.print(f"· {message}", style="dim", markup=False, soft_wrap=True)


@contextmanager
def until_signalled() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, in place of ending the program where it stands."""
    over = threading.Event()
    kept = {number: signal.signal(number, lambda *_: over.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield over
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


@contextmanager
def stopped_cleanly(meaning: str) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the work so that everything is put away; `meaning` says what that leaves on the board."""
    kept = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        talk(meaning)
        sys.exit(STOPPED)
    finally:
        signal.signal(signal.SIGTERM, kept)


def shortened(sha256: str) -> str:
    """The beginning of a hash, enough to tell files apart by eye."""
    return sha256[:_SHOWN_DIGITS] + "…"


@contextmanager
def byte_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A function that takes (what, bytes done, bytes in all); it draws on a terminal only."""
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=talk_console, transient=True, disable=not talk_console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        shown: str | None = None

        def report(what: str, done: int, total: int) -> None:
            nonlocal shown
            if what != shown:
                # Rate and time left begin anew with each stage.
                progress.reset(task, total=total, description=what)
                shown = what
            progress.update(task, completed=done)

        yield report
