"""Runs a command line in this process, its stdout and stderr apart with every click that the tools run with."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from click import Command
from click.testing import CliRunner, Result

# Until 8.1 they were mixed unless this was said; since 8.2 they are apart, and it cannot be said.
_APART = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}


def invoke(command: Command, arguments: Sequence[object]) -> Result:
    """What the command with these arguments leaves: exit code, stdout, stderr."""
    return CliRunner(**_APART).invoke(command, [str(argument) for argument in arguments])
