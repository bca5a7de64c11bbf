"""Many mutants in one process with limits: `python -m tests.hostile.batch SEED FIRST COUNT FORM...`.

Prints a JSON object for each form, a line each: how many were accepted and refused, and what is wrong with the others.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import command_line
from tests.hostile import limited
from tests.hostile.forms import FORMS, Form

# Processor time of one mutant: sound ones take milliseconds.
MOST_SECONDS = 10.0
# Address space, of which NumPy's and TensorFlow Lite's libraries take a part that they never touch.
MEMORY_BYTES = 3 << 30
MOST_FAULTS = 5
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class TooLong(BaseException):
    """A mutant that takes more than MOST_SECONDS."""


def main() -> None:
    """Try so many mutants, and print what became of them."""
    seed, first, count, forms = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
    # Nobody pulls the cable here; waiting for the disk would be most of the time.
    os.fsync = lambda handle: None
    limited.limit(cpu_seconds=int(600 + len(forms) * count * MOST_SECONDS), memory_bytes=MEMORY_BYTES)
    for name in forms:
        print(json.dumps(tried(name, seed, range(first, first + count))), flush=True)


def tried(name: str, seed: str, numbers: range) -> dict:
    """Mutants of a form by their numbers."""
    form = FORMS[name]
    # Sound files are made before anything is watched.
    form.made(random.Random(0))
    result = {"form": name, "accepted": 0, "refused": 0, "faults": []}
    started = time.monotonic()
    with _back_here(), tempfile.TemporaryDirectory(prefix="hostile-") as place:
        root = Path(place)
        with _nothing_written_outside(root / "inside") as escaped:
            for number in numbers:
                outcome = _outcome(form, random.Random(f"{name}/{seed}/{number}"), root / "inside")
                fault = escaped.pop() if escaped else outcome
                if fault in ("accepted", "refused"):
                    result[fault] += 1
                elif len(result["faults"]) < MOST_FAULTS:
                    result["faults"].append({"number": number, "what": fault})
        if sorted(root.iterdir()) not in ([], [root / "inside"]):
            result["faults"].append({"number": numbers.stop, "what": f"files outside: {sorted(root.iterdir())}"})
    result["seconds"] = round(time.monotonic() - started, 2)
    result["peak_kib"] = _peak_kib()
    return result


def _peak_kib() -> int:
    """This program's own peak: getrusage would count the process that started it, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


def _outcome(form: Form, source: random.Random, folder: Path) -> str:
    """`accepted`, `refused`, or what is wrong."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in form.made(source).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    os.chdir(folder)
    try:
        with _limited_time():
            return judged(form.take(folder))
    except TooLong:
        return f"takes more than {MOST_SECONDS:g} s of processor time"
    except BaseException:  # noqa: BLE001 - whatever escapes is the finding
        return traceback.format_exc()[-600:]


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
    """Of this process's processor time; TooLong where it runs out."""

    def stop(*_: object) -> None:
        raise TooLong

    kept = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, kept)


@contextmanager
def _nothing_written_outside(folder: Path) -> Iterator[list[str]]:
    """Collects what is opened for writing, made, renamed or removed that does not lie in a folder."""
    escaped: list[str] = []
    watching = True
    allowed = (str(folder) + os.sep, "/dev/null")

    def look(event: str, arguments: tuple) -> None:
        if not watching or event not in _WRITES:
            return
        for path in _WRITES[event](arguments):
            if isinstance(path, str | bytes | os.PathLike):
                full = os.path.abspath(os.fsdecode(path))
                if not (full + os.sep).startswith(allowed) and not full.startswith(_SCRATCH):
                    escaped.append(f"{event} outside of its folder: {full}")

    # An audit hook cannot be taken away again.
    sys.addaudithook(look)
    try:
        yield escaped
    finally:
        watching = False


# Python writes its compiled modules, NumPy and Matplotlib nothing.
_SCRATCH = (str(limited.ROOT), sys.prefix, sys.base_prefix)


def _opened(arguments: tuple) -> list[object]:
    path, mode, flags = arguments
    writes = any(letter in mode for letter in "wax+") if isinstance(mode, str) else bool((flags or 0) & _WRITING)
    return [path] if writes and not isinstance(path, int) else []


_WRITES = {
    "open": _opened,
    "os.rename": lambda arguments: list(arguments[:2]),
    "os.remove": lambda arguments: [arguments[0]],
    "os.mkdir": lambda arguments: [arguments[0]],
    "os.rmdir": lambda arguments: [arguments[0]],
    "os.symlink": lambda arguments: [arguments[1]],
    "os.link": lambda arguments: [arguments[1]],
    "os.truncate": lambda arguments: [arguments[0]],
}


if __name__ == "__main__":
    main()
