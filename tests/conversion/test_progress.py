"""The progress bar."""

from __future__ import annotations

import io
import threading

import pytest
from rich.console import Console

from conversion import progress


@pytest.mark.parametrize(("terminal", "shown"), [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize(
    ("last", "said"),
    [
        (("sending the picture", 76_800, 153_600, progress.BYTES), "75.0 of 150.0 KiB"),
        (("live frames", 2, 5, "frames"), "2 of 5 frames"),
        (("conv0", 1, 28), "1 of 28 "),
        (("the board runs the picture", 0, 0), "the board runs the picture"),
    ],
)
def test_the_bar_shows_what_is_done_on_a_terminal_only(terminal: bool, shown: bool, last: tuple, said: str) -> None:
    drawn = io.StringIO()
    console = Console(file=drawn, force_terminal=terminal, width=100, force_interactive=terminal)
    with progress.bar(shown, console) as report:
        report("something before", 3, 4)
        report(*last)
    assert (said in drawn.getvalue()) == (terminal and shown)
    assert (terminal and shown) or drawn.getvalue() == ""


def test_what_takes_long_says_for_what_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    said = threading.Event()
    monkeypatch.setattr(progress, "SILENT_SECONDS", 0.01)
    with progress.awaited("the server", lambda line: (told.append(line), said.set())):
        assert said.wait(60)
    monkeypatch.setattr(progress, "SILENT_SECONDS", 3600.0)
    with progress.awaited("nobody", told.append):
        pass
    assert told == ["waiting for the server"]
