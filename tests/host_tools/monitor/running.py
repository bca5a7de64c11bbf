"""The monitor command as its user runs it: a process of its own, with pipes or a terminal of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from tests import terminals
from tests.patience import HANG_SECONDS
from tests.terminals import Running


def command(*arguments: object) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "host_tools", "monitor", *map(str, arguments)]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=HANG_SECONDS)


@contextlib.contextmanager
def started(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run it beside the test, its stdout and stderr in pipes; it is gone at the end."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command(*arguments), text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def in_terminal(
    *arguments: object, columns: int = 100, rows: int = 30, **environment: str
) -> contextlib.AbstractContextManager[Running]:
    """A monitor whose stdin, stdout and stderr are a terminal of that size; it is gone at the end."""
    return terminals.in_terminal(command(*arguments), columns, rows, **environment)
