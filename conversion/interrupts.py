"""Ctrl-C before a command has begun: imports take a moment, and nobody wants to see where they were stopped."""

from __future__ import annotations

import signal


def end_at_once() -> None:
    """Let Ctrl-C end this process as SIGTERM does, without a word; what has begun says how it ends.

    A job in the background of a shell ignores Ctrl-C, and stays so.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
