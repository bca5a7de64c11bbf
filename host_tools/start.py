"""Where `posenet-maix` and `python -m host_tools` begin: with Python alone, so that a missing package is one line."""

from __future__ import annotations

import sys

from conversion import extras


def main(name: str = "posenet-maix") -> None:
    """Run the command line; exits with 2 and one line where the packages of the extra `host` are not installed."""
    try:
        from host_tools.cli import main as commands
    except ModuleNotFoundError as error:
        line = extras.missing(error.name, "host")
        if line is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        sys.exit(2)
    commands(prog_name=name)
