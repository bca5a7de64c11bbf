"""Read by every Python that finds it on its path: as soon as a file of the name STALL_AT is opened, nothing goes on."""

import ctypes
import os
import sys
import threading
import time


def _say() -> None:
    os.write(2, b"\nstalled\n")


def _in_python() -> None:
    _say()
    while True:
        time.sleep(3600)


def _in_native_code() -> None:
    """Waits for a lock that it holds itself, which no signal ends; says so when it is in there."""
    lock, there = ctypes.create_string_buffer(256), threading.Event()
    wait_for_it = ctypes.CDLL(None).pthread_mutex_lock
    wait_for_it(lock)
    threading.Thread(target=lambda: there.wait() and _say(), daemon=True).start()
    # From here on no other thread runs before this one has left Python.
    sys.setswitchinterval(3600)
    there.set()
    wait_for_it(lock)


_WAYS = {"python": _in_python, "native": _in_native_code}


def _look(event: str, arguments: tuple) -> None:
    if event == "open" and os.path.basename(str(arguments[0])) == os.environ["STALL_AT"]:
        _WAYS[os.environ["STALL_IN"]]()


if "STALL_AT" in os.environ:
    sys.addaudithook(_look)
