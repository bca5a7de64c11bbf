"""`make steady`: the tests three times beside three busy processes a core; none may depend on a machine's speed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

TIMES = 3
BUSY_A_CORE = 3
TESTS = ("make", "--no-print-directory", "test")
# Ends with whoever started it.
_BUSY = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): sum(range(100_000))\n"


@contextmanager
def busy(count: int) -> Iterator[list[subprocess.Popen]]:
    """So many processes that do nothing, without a rest."""
    command = [sys.executable, "-c", _BUSY, str(os.getpid())]
    processes = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def run(command: Sequence[str], times: int, busy_processes: int) -> list[int]:
    """Run a command so many times beside busy processes: its exit codes."""
    codes = []
    with busy(busy_processes):
        for number in range(1, times + 1):
            print(f"Run {number} of {times}, beside {busy_processes} busy processes", flush=True)
            began = time.monotonic()
            codes.append(subprocess.run(command).returncode)
            print(f"Run {number}: exit code {codes[-1]} after {time.monotonic() - began:.0f} s", flush=True)
    return codes


def main() -> int:
    """0 if all runs are green."""
    codes = run(TESTS, TIMES, BUSY_A_CORE * len(os.sched_getaffinity(0)))
    print(f"{codes.count(0)} of {TIMES} runs are green")
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
