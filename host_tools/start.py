"""Where `posenet-maix` and `python -m host_tools` begin: with Python alone, so that a missing package is one line."""

from __future__ import annotations

from conversion import extras, interrupts


def main(name: str = "posenet-maix") -> None:
    """Run the command line; exits with 2 and one line where the packages of the extra `host` are not installed."""
    interrupts.end_at_once()
    with extras.named("host"):
        from host_tools.cli import main as commands
    commands(prog_name=name)
