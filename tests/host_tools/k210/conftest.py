"""Host tools are patient with emulated boards: on a shared core a second of theirs may take a minute."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator

import pytest

from host_tools.time_limits import PATIENCE

# Ten times that of all other tests (tests/conftest.py). Only what never comes is waited for longer.
FACTOR = "100"


@pytest.fixture(autouse=True)
def patient_tools() -> Iterator[None]:
    """Every limit of the tools in real time is so many times as long as usual."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PATIENCE, FACTOR)
        yield


@pytest.fixture(scope="module", autouse=True)
def what_is_there_stays() -> None:
    """Looking through all that TensorFlow and others have made takes 0.4 s, each time that boards are looked for.

    What boards of the last file took is given back to the system: the C library keeps it otherwise, gigabytes in `make
    soak`.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    gc.freeze()


@pytest.fixture(autouse=True)
def let_boards_go() -> Iterator[None]:
    """A board takes 150 MB, and nothing makes Python look for those that nobody holds any more."""
    yield
    gc.collect()
