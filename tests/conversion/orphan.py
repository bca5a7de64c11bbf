"""A worker, and one who starts it, for test_processes.py: `python -m tests.conversion.orphan KIND`.

`starts KIND` starts a worker that waits as KIND says, prints its process id, and waits, too.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import sys
import time

from conversion import processes

MODULE = "tests.conversion.orphan"
LONG = 600


def wait(kind: str) -> None:
    """In Python, or in a native call that keeps all other threads of Python waiting."""
    processes.end_with_parent()
    print(os.getpid(), flush=True)
    if kind == "native":
        ctypes.PyDLL(None).sleep(LONG)
    time.sleep(LONG)


def main(kind: str, *more: str) -> None:
    """As above."""
    if kind != "starts":
        wait(kind)
    elif more == ("spawned",):
        multiprocessing.get_context("spawn").Process(target=wait, args=("spawned",)).start()
        time.sleep(LONG)
    else:
        with processes.running(MODULE, *more) as worker:
            print(int(worker.stdout.readline()), flush=True)
            time.sleep(LONG)


if __name__ == "__main__":
    main(*sys.argv[1:])
