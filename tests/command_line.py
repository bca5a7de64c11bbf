"""Runs a command line in this process and keeps what it leaves, its stdout and stderr apart."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

from click import Command


@dataclass(frozen=True)
class Ended:
    """What a command left."""

    exit_code: int
    stdout: str
    stderr: str


def invoke(command: Command, arguments: Sequence[object]) -> Ended:
    """Run it with these arguments, as a shell would; whatever it raises but its own end is raised here."""
    return ended(lambda: command.main([str(argument) for argument in arguments], "command"))


def ended(take: Callable[[], object]) -> Ended:
    """What is left of something that ends as a command does."""
    stdout, stderr, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(stdout), redirect_stderr(stderr):
        try:
            take()
        except SystemExit as end:
            code = end.code or 0
    return Ended(code, stdout.getvalue(), stderr.getvalue())
