"""A machine's whole state as bytes, and states in the cache folder: a test begins where another run has come to."""

from __future__ import annotations

import hashlib
import pickle
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from conversion import cache
from host_tools.k210.errors import EmulatorError
from host_tools.k210.machine import Machine

_KIND = "k210"
_FOLDER = Path(__file__).parent
# What else decides what a state means: the KPU's sums, and what the parts are made of.
_MORE_SOURCES = ("conversion/kpu", "host_tools/lcd_mounting.py", "boards")
_LEVEL = 1


def save(machine: Machine) -> bytes:
    """The state of a machine between two runs: memory, registers, devices, flash chip, time."""
    return zlib.compress(pickle.dumps(machine, pickle.HIGHEST_PROTOCOL), _LEVEL)


def load(data: bytes) -> Machine:
    """A machine that goes on where `save` saw it. `data` must be of our own making: it is a pickle."""
    try:
        machine = pickle.loads(zlib.decompress(data))
    except (zlib.error, pickle.UnpicklingError, AttributeError, EOFError, ImportError) as error:
        raise EmulatorError(f"the saved state of the emulated board cannot be read ({error})") from error
    assert isinstance(machine, Machine)
    return machine


def booted(key: bytes, make: Callable[[], Machine]) -> Machine:
    """The machine that make() gives, saved or from the cache folder; `key` names everything that make() depends on
    beside the sources of the emulator itself."""
    return load(cache.cached(_KIND, cache.key(_sources(), key), lambda: save(make())))


def _sources() -> str:
    """One hash over all that a state depends on, so that none outlives the code that made it."""
    import unicorn

    root = _FOLDER.parents[1]
    state = hashlib.sha256(f"{sys.version} {np.__version__} {unicorn.__version__}".encode())
    for place in (_FOLDER, *(root / more for more in _MORE_SOURCES)):
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.suffix in (".py", ".c", ".h", ".toml"):
                state.update(path.name.encode() + path.read_bytes())
    return state.hexdigest()
