"""How both command lines end: errors as one line, full disks, closed pipes, and within two seconds when told to.

Exit codes: 0 done, 1 a check failed, 2 bad input or no device, 130 when stopped by a signal or at a question.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import textwrap
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import rich_click as click

from conversion import extras
from conversion.outside.text import message

REFUSED, FAILED = 2, 1
# What shells give a command that Ctrl-C ended: 128 and the number of the signal.
STOPPED = 128 + signal.SIGINT
STOP_SECONDS = 1.8
_SHOW_CURSOR = "\x1b[?25h"
_STOPPED = "stopped"
# What stops a command; a terminal that is closed sends the last one, which Windows has not.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_deadline: threading.Timer | None = None


class Commands(click.RichGroup):
    """A group that turns errors into one line on stderr and an exit code. `errors` are those that a user can mend."""

    errors: tuple[type[Exception], ...] = ()
    failed_checks: tuple[type[Exception], ...] = ()

    def extra_of(self, command: str | None) -> str:
        """The extra of pyproject.toml that brings what a command needs, where its packages are in several."""
        raise NotImplementedError

    def invoke(self, context: click.Context) -> object:
        """Run the command; exits where it does not end well."""
        return self.ended(lambda: super(Commands, self).invoke(context), context)

    def ended(self, take: Callable[[], object], context: click.Context | None = None) -> object:
        """What `take` gives; exits, as every command of this group, where that does not end well."""
        with _stoppable(), _failures_of_threads() as failures:
            try:
                result = take()
                sys.stdout.flush()
            except self.errors as error:
                _end_if_stopped()
                _refuse(str(error), FAILED if isinstance(error, self.failed_checks) else REFUSED)
            except ModuleNotFoundError as error:
                line = extras.missing(error.name, self.extra_of(context and context.invoked_subcommand))
                if line is None:
                    raise
                _refuse(line, REFUSED)
            except BrokenPipeError:
                # Who read the output has seen enough.
                forget_stdout()
                return None
            except OSError as error:
                _end_if_stopped()
                forget_stdout()
                _refuse(_of_system(error), REFUSED)
            except (KeyboardInterrupt, click.Abort):
                # Also at a question.
                _say(_STOPPED)
                sys.exit(STOPPED)
        if failures:
            sys.exit(FAILED)
        return result


def forget_stdout() -> None:
    """Nobody reads it any more: what is left in its buffer must not raise again at exit."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _end_if_stopped() -> None:
    """What goes wrong while a stopped command puts its things away is not why it ends."""
    if _deadline is not None:
        _say(_STOPPED)
        sys.exit(STOPPED)


def end_soon(number: int) -> None:
    """Be over in STOP_SECONDS, whatever still runs or waits then; for handlers of signals, of which the first counts.

    Worker processes end with this one.
    """
    global _deadline
    if _deadline is None:
        _deadline = threading.Timer(STOP_SECONDS, _give_up, (number,))
        _deadline.daemon = True
        _deadline.start()


def _give_up(number: int) -> None:
    with suppress(OSError, ValueError):
        if sys.stdout.isatty():
            _write_if_taken(sys.stdout.fileno(), _SHOW_CURSOR)
        _write_if_taken(sys.stderr.fileno(), f"{_STOPPED}\n")
    os._exit(128 + number)


def _write_if_taken(stream: int, text: str) -> None:
    """Nothing may keep this process any more, also a pipe that nobody reads."""
    if stream in select.select([], [stream], [], 0)[1]:
        os.write(stream, text.encode())


def heeded() -> list[signal.Signals]:
    """The signals that stop this process. A job in the background of a shell ignores Ctrl-C, one of nohup the end of
    the terminal, and they stay so."""
    return [each for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]


@contextmanager
def _stoppable() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise KeyboardInterrupt, so that everything is put away; not for longer than STOP_SECONDS."""
    global _deadline

    told = False

    def interrupt(number: int, _: object) -> None:
        nonlocal told
        end_soon(number)
        if not told:
            # A second one would stop what puts things away.
            told = True
            raise KeyboardInterrupt

    numbers = heeded()
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    kept = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        with _watched(numbers):
            yield
    finally:
        if _deadline is not None:
            _deadline.cancel()
            _deadline = None
        for number, handler in kept.items():
            signal.signal(number, handler)


@contextmanager
def _watched(numbers: list[signal.Signals]) -> Iterator[None]:
    """A thread that hears of these signals as soon as they come, also while a native call keeps the main thread."""
    # Pipes of Windows cannot be told not to block, as this one must.
    if not numbers or sys.platform == "win32":
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    former = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    watching = threading.Thread(target=_hear, args=(reader, numbers), name="signals", daemon=True)
    watching.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(former)
        os.close(writer)
        watching.join()
        os.close(reader)


def _hear(reader: int, numbers: list[signal.Signals]) -> None:
    while number := os.read(reader, 1):
        if number[0] in numbers:
            end_soon(number[0])


@contextmanager
def _failures_of_threads() -> Iterator[list[str]]:
    """What threads raise that nobody catches: printed as ever, and kept, so that the command does not end well."""
    kept, failures = threading.excepthook, []

    def note(raised: threading.ExceptHookArgs) -> None:
        failures.append("".join(traceback.format_exception_only(raised.exc_type, raised.exc_value)))
        kept(raised)

    threading.excepthook = note
    try:
        yield failures
    finally:
        threading.excepthook = kept


def _of_system(error: OSError) -> str:
    """What the system refused, in one line."""
    where = error.filename if error.filename is not None else "the output"
    return f"{where}: {error.strerror or error}; mend that and run the same command again"


def _refuse(text: str, code: int) -> None:
    """Say why, and end."""
    _say(f"error: {message(text)}")
    sys.exit(code)


def _say(text: str) -> None:
    """On stderr, even if nobody can read that."""
    if sys.stderr.isatty():
        # Words stay whole at the edge of the terminal.
        text = textwrap.fill(text, shutil.get_terminal_size().columns, break_long_words=False, break_on_hyphens=False)
    with suppress(OSError):
        click.echo(text, err=True)
