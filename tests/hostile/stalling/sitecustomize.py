"""Read by every Python that finds it on its path: as soon as a file of the name STALL_AT is opened, nothing goes on."""

import ctypes
import os
import sys
import time


def _in_python() -> None:
    while True:
        time.sleep(3600)


def _in_native_code() -> None:
    """Waits for a lock that it holds itself, which no signal ends."""
    lock = ctypes.create_string_buffer(256)
    for _ in range(2):
        ctypes.CDLL(None).pthread_mutex_lock(lock)


_WAYS = {"python": _in_python, "native": _in_native_code}


def _look(event: str, arguments: tuple) -> None:
    if event == "open" and os.path.basename(str(arguments[0])) == os.environ["STALL_AT"]:
        os.write(2, b"\nstalled\n")
        _WAYS[os.environ["STALL_IN"]]()


if "STALL_AT" in os.environ:
    sys.addaudithook(_look)
