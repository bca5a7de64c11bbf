"""A warm process that forks one for each batch of mutants: `python -m tests.hostile.server FORM...`.

Reads orders from stdin, a JSON object a line (form, seed, first, count), and answers each with what became of them.
A batch whose process dies is halved until the mutant is found that it dies of.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.hostile import batch, limited
from tests.hostile.forms import FORMS

# Address space, of which NumPy's and TensorFlow Lite's libraries take a part that they never touch.
MEMORY_BYTES = 3 << 30
# Of a batch: what most mutants take is far less; those that take more die, and are found.
_FIRST_SECONDS, _SECONDS_EACH = 60.0, 0.2
_WAIT_SECONDS, _WAIT_SECONDS_EACH = 600.0, 5.0
_DEATH_SIGNAL, _SUBREAPER = 1, 36
_RESULT = "result.json"


def main() -> None:
    """Serve until stdin ends."""
    # Nobody pulls the cable here; waiting for the disk would be most of the time.
    os.fsync = lambda handle: None
    adopt_orphans(True)
    _end_with_parent()
    for name in sys.argv[1:]:
        FORMS[name].ready()
    for line in sys.stdin:
        order = json.loads(line)
        numbers = range(order["first"], order["first"] + order["count"])
        print(json.dumps(settled(order["form"], order["seed"], numbers)), flush=True)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)


def adopt_orphans(adopt: bool) -> None:
    """Whether a process that a batch leaves behind becomes this one's child, so that it is found."""
    ctypes.CDLL(None).prctl(_SUBREAPER, int(adopt))


def settled(name: str, seed: str, numbers: range) -> dict:
    """What became of mutants, also where they end the process that reads them."""
    found, died = _in_a_fork(name, seed, numbers)
    if found is not None:
        return found
    if len(numbers) == 1:
        return _nothing(name) | {"others": 1, "faults": [{"number": numbers.start, "what": died}]}
    middle = numbers.start + len(numbers) // 2
    halves = [settled(name, seed, part) for part in (range(numbers.start, middle), range(middle, numbers.stop))]
    both = {key: halves[0][key] + halves[1][key] for key in ("accepted", "refused", "others", "faults", "seconds")}
    both |= {"form": name, "peak_kib": max(half["peak_kib"] for half in halves)}
    if not both["others"]:
        both |= {"others": 1, "faults": [{"number": numbers.start, "what": f"all of them together: {died}"}]}
    return both


def _nothing(name: str) -> dict:
    return {"form": name, "accepted": 0, "refused": 0, "others": 0, "faults": [], "seconds": 0.0, "peak_kib": 0}


def _in_a_fork(name: str, seed: str, numbers: range) -> tuple[dict | None, str]:
    """What a process with limits has found (None if it died), and how it ended; nothing of it stays."""
    place = Path(tempfile.mkdtemp(prefix="batch-"))
    result = place / _RESULT
    before = _children()
    process = os.fork()
    if process == 0:
        _batch(name, seed, numbers, result)
    ended = _end_of(process, _WAIT_SECONDS + _WAIT_SECONDS_EACH * len(numbers))
    found = json.loads(result.read_text()) if result.exists() else None
    result.unlink(missing_ok=True)
    left = [f"the file {path.name}" for path in place.iterdir()] + _processes_left(before)
    shutil.rmtree(place)
    if found is not None and left:
        found["others"] += 1
        found["faults"].append({"number": numbers.start, "what": f"left behind: {', '.join(left)}"})
    return found, f"the process ended with {ended}"


def _batch(name: str, seed: str, numbers: range, result: Path) -> None:
    """The forked process; does not return."""
    code = 1
    _end_with_parent()
    try:
        tempfile.tempdir = str(result.parent)
        seconds = int(_FIRST_SECONDS + _SECONDS_EACH * len(numbers))
        limited.limit(cpu_seconds=seconds, memory_bytes=MEMORY_BYTES)
        found = batch.tried(name, seed, numbers)
        beginning = result.with_suffix(".new")
        beginning.write_text(json.dumps(found))
        beginning.rename(result)
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def _end_of(process: int, seconds: float) -> int:
    """The exit code of a forked process, negative for a signal; it is killed if it does not end."""
    watched = os.pidfd_open(process)
    try:
        if not select.select([watched], [], [], seconds)[0]:
            os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
    finally:
        os.close(watched)
    return os.waitstatus_to_exitcode(status)


def _children() -> set[int]:
    return set(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()))


def _processes_left(before: set[int]) -> list[str]:
    """The processes that a batch has left, which are ended."""
    left = []
    while children := _children() - before:
        for child in children:
            pid, _ = os.waitpid(child, os.WNOHANG)
            if pid == 0:
                left.append(f"the process {Path(f'/proc/{child}/cmdline').read_bytes()[:80]!r}")
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
    return left


if __name__ == "__main__":
    main()
