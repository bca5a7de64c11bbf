"""Runs `python -m host_tools verify` in this process."""

from __future__ import annotations

import json
from pathlib import Path

from host_tools import cli
from host_tools.serial_link.events import STATES, Stats
from host_tools.serial_link.link import Link
from tests.command_line import Ended, invoke
from tests.jumping import VirtualBoard
from tests.patience import HANG_SECONDS


def verify(port: str | None, *arguments: str | int | Path) -> Ended:
    """The command with these options."""
    return invoke(cli.main, ["verify", *([] if port is None else ["--port", port]), *arguments])


def verdict(port: str, *arguments: str | int | Path) -> tuple[int, dict]:
    """Exit code and what --json prints."""
    ended = verify(port, "--json", *arguments)
    assert ended.stdout.count("\n") == 1, ended
    return ended.exit_code, json.loads(ended.stdout)


def state(board: VirtualBoard) -> str:
    """What the board's STATS says now."""
    with Link(board.port) as link:
        link.ask("STATS")
        return STATES[link.wait_for(Stats, HANG_SECONDS).state]


def told(board: VirtualBoard, *sentence: int | str) -> None:
    """Ask the running program for something."""
    board.wait_for("$FRAME,")
    with Link(board.port) as link:
        link.ask(*sentence)
