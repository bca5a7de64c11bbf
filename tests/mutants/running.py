"""Runs tests in copies of the repository, each with a mutation in it: is it noticed?"""

from __future__ import annotations

import os
import queue
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.rooms import ROOT, Mutation

# What is no part of the project, or is made from it.
_LEFT_OUT = (".git", ".venv", "build", "dist", "__pycache__", ".hypothesis", ".pytest_cache", ".ruff_cache")
# Processor time in which all tests of any room end, several times over: a mutation that takes more never ends.
PROCESSOR_SECONDS = 240
# Memory that no room's tests come near: a mutation that takes more would take all that the machine has.
MOST_BYTES = 6 << 30
# Real time for one that waits for what never comes; so long that a busy machine does not make it so.
WAITING_SECONDS = 1800
# What `Copy.run` returns for a run that had to be ended.
NEVER_ENDS = -1


@dataclass(frozen=True)
class Job:
    """Tests ("file", or "file::test"), quickest first, and what is changed before they run; None: nothing is."""

    mutation: Mutation | None
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """How a job ended: pytest's exit code, or NEVER_ENDS, and what it said."""

    code: int
    said: str

    @property
    def noticed(self) -> bool:
        """Whether a test failed, or did not end."""
        return self.code != 0


class Copy:
    """A copy of the repository in a folder that does not exist yet."""

    def __init__(self, folder: Path, source: Path = ROOT) -> None:
        self.folder = folder
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        # Compiled once, valid by content: a mutation may have the size and the time of what it replaces.
        compiling = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "."]
        subprocess.run(compiling, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    def done(self, job: Job) -> Outcome:
        """Run a job's tests until the first of them fails; the copy is then as it was."""
        if job.mutation is None:
            return self._run(job.tests)
        file = self.folder / job.mutation.file
        sound = file.read_text("utf-8")
        file.write_text(job.mutation.applied(sound), "utf-8")
        try:
            return self._run(job.tests)
        finally:
            file.write_text(sound, "utf-8")

    def _run(self, tests: Sequence[str]) -> Outcome:
        basetemp = self.folder / ".tmp"
        options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", f"--basetemp={basetemp}"]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment = {
            **inherited,
            "PYTHONPATH": str(self.folder),
            # No plugin is needed, and loading them takes longer than a short test.
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "POSENET_SHARED": os.environ.get("POSENET_SHARED") or str(ROOT.parent / "shared"),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        with process:
            resource.prlimit(process.pid, resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
            try:
                said, _ = process.communicate(timeout=WAITING_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                return Outcome(NEVER_ENDS, f"not over after {WAITING_SECONDS} s")
            except BaseException:
                process.kill()
                raise
        return Outcome(process.returncode, said)


class Copies:
    """A copy a core, each of which does one job after another."""

    def __init__(self, folder: Path, source: Path = ROOT) -> None:
        count = len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(count)
        self._free: queue.Queue[Copy] = queue.Queue()
        for copy in self._pool.map(lambda number: Copy(folder / str(number), source), range(count)):
            self._free.put(copy)

    def start(self, jobs: Iterable[Job]) -> dict[Job, Future[Outcome]]:
        """What becomes of jobs, done in their order."""
        return {job: self._pool.submit(self._done, job) for job in dict.fromkeys(jobs)}

    def _done(self, job: Job) -> Outcome:
        copy = self._free.get()
        try:
            return copy.done(job)
        finally:
            self._free.put(copy)

    def close(self) -> None:
        """Drop what has not begun, and wait for what has."""
        self._pool.shutdown(cancel_futures=True)
