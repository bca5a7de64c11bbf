"""Worker processes: a module of this project run by `python -m`, which ends whenever the process that started it does.

Some libraries must not share a process with others, or need to be killed when they hang. `start` starts a worker;
the worker calls `end_with_parent`, or reads commands on stdin and ends at their end.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parents[1]
# The libraries that NumPy and TensorFlow compute with: one thread each, where our own processes or threads share the
# cores.
ONE_THREAD: Mapping[str, str] = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
_SET_DEATH_SIGNAL = 1
_ORPHANED = 3


def start(
    module: str,
    *arguments: str,
    folder: Path | None = None,
    variables: Mapping[str, str] | None = None,
    output: int = subprocess.PIPE,
    messages: int | BinaryIO = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Run a module as `python -m` does, with this project on its path, in `folder`, with more environment `variables`.

    stdin is a pipe: the worker ends when it is closed. `output` and `messages` are what stdout and stderr go to.
    """
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", **(variables or {})}
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=messages,
    )


@contextmanager
def running(module: str, *arguments: str, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A worker for the time of a block, see `start`; it is over however that is left."""
    process = start(module, *arguments, **options)
    try:
        yield process
    finally:
        end(process)
        if process.stdout:
            process.stdout.close()


def end(process: subprocess.Popen[bytes], patience: float | None = None) -> None:
    """Kill a worker that is not over, wait for that, at most `patience` seconds, and close its stdin.

    Its stdout stays open for who reads it.
    """
    process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    # What was not sent yet has nobody to go to.
    with contextlib.suppress(OSError):
        process.stdin.close()


def leave_terminal() -> None:
    """In a worker: Ctrl-C and the end of the terminal are for the process that started it, which ends it its way."""
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def end_with_parent() -> None:
    """In a worker that reads nothing from stdin: be over as soon as the process that started it is, however it ends.

    A thread waits for that. On Linux the kernel kills the worker besides, so that a native call which keeps all of
    Python's threads waiting ends, too; the thread that started a worker has to outlive it there.
    """
    parent = multiprocessing.parent_process()
    threading.Thread(target=_end_after, args=(parent.join if parent else _stdin_ends,), daemon=True).start()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)


def _end_after(wait: Callable[[], None]) -> None:
    wait()
    os._exit(_ORPHANED)


def _stdin_ends() -> None:
    while os.read(0, 1):
        pass


def last_words(messages: str, otherwise: str = "no message") -> str:
    """The last line that says something, without control characters: what a worker that failed has to say."""
    lines = [line.strip() for line in messages.splitlines() if line.strip()]
    return "".join(letter for letter in (lines or [otherwise])[-1] if letter.isprintable())


def signal_of(code: int) -> str | None:
    """The name of the signal that ended a process, by its exit code; None for one that ended by itself."""
    return signal.Signals(-code).name if code < 0 else None
