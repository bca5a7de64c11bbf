"""A command in a process of its own with limits of time and memory, and what may become of it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CPU_SECONDS, WALL_SECONDS = 60, 240
# Address space, of which libraries take a part that they never touch.
MEMORY_BYTES = 4 << 30
REFUSED, STOPPED = 2, 130


@dataclass(frozen=True)
class Ended:
    """How a command ended; its output as bytes, since what must not be in it may be no text."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def said(self) -> str:
        """All that it said."""
        return (self.stdout + self.stderr).decode("utf-8", errors="backslashreplace")


def limit(cpu_seconds: int = CPU_SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
    """Limits for this process and those that it starts."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    # A file that grows without end.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 28, 1 << 28))


def environment() -> dict[str, str]:
    """The variables of a process that runs this project, wherever its folder is."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def run(arguments: Sequence[object], folder: Path, **streams: object) -> Ended:
    """`python -m ARGUMENTS` with limits, in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=folder,
        env=environment(),
        preexec_fn=limit,
        stdin=subprocess.DEVNULL,
        timeout=WALL_SECONDS,
        **({"capture_output": True} | streams),
    )
    return Ended(done.returncode, done.stdout or b"", done.stderr or b"")


def assert_refused(ended: Ended, *words: str) -> None:
    """One error of one line with these words, behind what the tool has told of its work, if anything; exit code 2."""
    assert ended.code == REFUSED, ended
    assert ended.stdout == b"", ended
    *told, error = ended.stderr.splitlines()
    assert error.startswith(b"error: "), ended
    assert all(line.startswith("· ".encode()) for line in told), ended
    assert_harmless(ended)
    for word in words:
        assert word in ended.said, ended


def assert_harmless(ended: Ended) -> None:
    """No traceback of ours (a board may print one), and no byte that moves a cursor, sets a title or turns text."""
    assert not any(line.startswith(b"Traceback") for line in ended.stderr.splitlines()), ended
    assert not unprintable(ended.stdout + ended.stderr), ended


def unprintable(data: bytes) -> set[str]:
    """Letters that no output may have."""
    text = data.decode("utf-8", errors="surrogateescape").replace("\r\n", "\n")
    return {letter for letter in text if not letter.isprintable() and letter not in "\n\t"}
