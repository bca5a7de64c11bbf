"""How the commands of this package are stopped, and words that they share; how they print is `conversion.printing`."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from conversion import command_line, progress
from conversion.printing import talk, talk_console
from conversion.progress import Report

_SHOWN_DIGITS = 16


@contextmanager
def until_signalled() -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM and a closed terminal set, in place of ending the program where it stands.

    What does not heed it within `command_line.STOP_SECONDS` is ended all the same.
    """
    over = threading.Event()

    def end(number: int, _: object) -> None:
        over.set()
        command_line.end_soon(number)

    kept = {number: signal.signal(number, end) for number in command_line.heeded()}
    try:
        yield over
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


@contextmanager
def stopped_cleanly(meaning: str) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the work so that everything is put away; `meaning` says what that leaves on the board."""
    try:
        yield
    except KeyboardInterrupt:
        talk(meaning)
        sys.exit(command_line.STOPPED)


def shortened(sha256: str) -> str:
    """The beginning of a hash, enough to tell files apart by eye."""
    return sha256[:_SHOWN_DIGITS] + "…"


def bar() -> AbstractContextManager[Report]:
    """A progress bar beside the talk, see `conversion.progress`."""
    return progress.bar(console=talk_console)
