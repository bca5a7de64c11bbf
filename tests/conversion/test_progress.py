"""The progress bar."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from conversion import progress


@pytest.mark.parametrize(("terminal", "shown"), [(True, True), (True, False), (False, True)])
def test_progress_shows_amount_rate_and_time_left_on_a_terminal_only(terminal: bool, shown: bool) -> None:
    drawn = io.StringIO()
    console = Console(file=drawn, force_terminal=terminal, width=100, force_interactive=terminal)
    with progress.bar(shown, console) as report:
        for done in range(0, 153_600, 7_200):
            report("sending the picture", done, 153_600, progress.BYTES)
        report("the board runs the picture", 0, 0)
        report("live frames", 2, 5, "frames")
        report("conv0", 1, 28)
    visible = terminal and shown
    assert ("sending the picture" in drawn.getvalue()) == visible
    assert ("of 150.0 KiB" in drawn.getvalue()) == visible
    assert ("2 of 5 frames" in drawn.getvalue()) == visible
    assert ("1 of 28 " in drawn.getvalue()) == visible
    assert visible or drawn.getvalue() == ""
