"""The real MaixPy images, which are no part of the repository: found by their SHA-256, else the reason why not."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

import pytest

from conversion.cache import cache_dir

ENVIRONMENT_VARIABLE = "POSENET_MAIXPY"
# Set by --demand-images: what is missing fails.
DEMAND = "POSENET_DEMAND_MAIXPY"
# Taken before the tests set a cache of their own.
USERS_CACHE = cache_dir()
FOLDER = Path(os.environ.get(ENVIRONMENT_VARIABLE) or USERS_CACHE / "maixpy")
# MaixPy v0.6.2-84-g8fcd84a58, as published: the file's SHA-256 by what it is called here.
IMAGES = {
    "minimum": "6258b0ccb3cf439aefc876eca1d603c06aeb94da973a2a5b5a072f44f79307e6",
    "openmv_v4": "6e6c778e2f50cfad4763d3708bb5b1660393852f6db2ce912bd661254ac89d6c",
    "full": "edbdd364c2a2ab0fe25cc944d2dfc46fdf9ec112217450b88d34276cd3c769f7",
    "lvgl": "5ab10e24c02f6b025263773d1d14ccacaafab9bfbf57de95a43a6cdf22e59828",
}

# Names of the images that the present test has taken.
taken: set[str] = set()


@cache
def _found() -> dict[str, bytes]:
    """The images of the folder by SHA-256."""
    files = sorted(FOLDER.glob("*.bin")) if FOLDER.is_dir() else []
    contents = (path.read_bytes() for path in files)
    return {hashlib.sha256(data).hexdigest(): data for data in contents}


def image(name: str) -> bytes:
    """A real image; the test is skipped, or fails, with the reason, where it is not there."""
    data = _found().get(IMAGES[name])
    if data is None:
        end = pytest.fail if os.environ.get(DEMAND) else pytest.skip
        end(f"no MaixPy image {name} in {FOLDER} ({ENVIRONMENT_VARIABLE} names another folder)")
    taken.add(name)
    return data
