"""Many mutants of a form in this process: how many were accepted and refused, and what is wrong with the others."""

from __future__ import annotations

import os
import random
import re
import signal
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import command_line
from tests.hostile import limited, watch
from tests.hostile.folder import Folder
from tests.hostile.form import Form
from tests.hostile.forms import FORMS
from tests.hostile.remembered import remembered

# Processor time of one mutant: sound ones take milliseconds. Nothing may wait, but this computer may be busy.
MOST_SECONDS, MOST_WAIT_SECONDS = 10.0, 120.0
MOST_FAULTS = 5
# One in so many goes through the whole command line, with nothing remembered.
WHOLE_EVERY = 50
_THREAD_SECONDS = 10.0


class TooLong(BaseException):
    """A mutant that takes more than MOST_SECONDS, or waits for MOST_WAIT_SECONDS."""


def tried(name: str, seed: str, numbers: range) -> dict:
    """Mutants of a form by their numbers; seconds are of the processor."""
    form = FORMS[name]
    # Sound files are made before anything is watched.
    form.made(random.Random(0))
    result = {"form": name, "accepted": 0, "refused": 0, "others": 0, "faults": []}
    started = time.process_time()
    with _back_here(), tempfile.TemporaryDirectory(prefix="hostile-") as place:
        root = Path(place)
        folder = Folder(root / "inside")
        with watch.nothing_written_outside(folder.path) as escaped:
            for number in numbers:
                outcome = _outcome(form, random.Random(f"{name}/{seed}/{number}"), folder, number)
                _count(result, number, escaped.pop() if escaped else outcome)
        if sorted(root.iterdir()) != [folder.path]:
            _count(result, numbers.stop, f"files outside: {sorted(root.iterdir())}")
    result["seconds"] = round(time.process_time() - started, 2)
    result["peak_kib"] = _peak_kib()
    return result


def _count(result: dict, number: int, outcome: str) -> None:
    if outcome in ("accepted", "refused"):
        result[outcome] += 1
        return
    result["others"] += 1
    if len(result["faults"]) < MOST_FAULTS:
        result["faults"].append({"number": number, "what": outcome})


def _peak_kib() -> int:
    """This program's own peak: getrusage would count the process that started it, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


def _outcome(form: Form, source: random.Random, folder: Folder, number: int) -> str:
    """`accepted`, `refused`, or what is wrong."""
    folder.lay(form.made(source))
    os.chdir(folder.path)
    before = set(threading.enumerate())
    whole = form.whole is not None and number % WHOLE_EVERY == 0
    try:
        with _limited_time():
            if whole:
                ended = form.whole(folder.path)
            else:
                with remembered():
                    ended = form.take(folder.path)
    except TooLong:
        return f"takes more than {MOST_SECONDS:g} s of processor time, or waits for {MOST_WAIT_SECONDS:g} s"
    except BaseException:  # noqa: BLE001 - whatever escapes is the finding
        return traceback.format_exc()[-600:]
    return _left_behind(before) or judged(ended)


def _left_behind(before: set[threading.Thread]) -> str | None:
    """What a mutant has left in this process, beside the threads that were there `before`: nothing."""
    for thread in set(threading.enumerate()) - before:
        thread.join(_THREAD_SECONDS)
        if thread.is_alive():
            return f"left behind: {thread}"
    return None


def judged(ended: command_line.Ended) -> str:
    """What an end is: accepted with exit code 0, refused in one line with 2; all else is a fault, which is told."""
    said = ended.stdout + ended.stderr
    if "Traceback" in ended.stderr:
        return f"a traceback: {ended.stderr[-1500:]}"
    if strange := limited.unprintable(said.encode("utf-8", errors="surrogateescape")):
        return f"unprintable: {sorted(strange)!r} in {said[-500:]!r}"
    errors = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    if ended.exit_code == 0 and not errors:
        return "accepted"
    others = [line for line in ended.stderr.splitlines() if not line.startswith(("· ", "warning: ", "error: "))]
    if ended.exit_code == limited.REFUSED and len(errors) == 1 and not others:
        return "refused"
    return f"exit code {ended.exit_code}, {len(errors)} errors: {said[-1000:]!r}"


@contextmanager
def _back_here() -> Iterator[None]:
    """Each mutant is read in its own folder, which is removed; whoever goes on wants a folder that is there."""
    here = Path.cwd()
    try:
        yield
    finally:
        os.chdir(here)


@contextmanager
def _limited_time() -> Iterator[None]:
    """Of this process's processor time, and of time; TooLong where either runs out."""

    def stop(*_: object) -> None:
        raise TooLong

    kept = {number: signal.signal(number, stop) for number in (signal.SIGPROF, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, MOST_WAIT_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        for number, handler in kept.items():
            signal.signal(number, handler)
