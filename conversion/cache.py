"""A cache by content: results are kept under the hash of everything that they were made from."""

from __future__ import annotations

import hashlib
import os
import struct
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import platformdirs

from conversion.errors import ConversionError
from conversion.outside import reading

# The largest entry, the calibration pictures of 512x256, has some 90 MB.
_MOST_BYTES = 1 << 30
# What readers raise for bytes that are none of theirs.
_UNREADABLE = (
    *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError, EOFError, OSError, MemoryError),
    # RuntimeError: JSON nested too deep, compressions that are not supported. TokenError: the head of NumPy's files.
    *(RuntimeError, AssertionError, tokenize.TokenError),
    *(zipfile.BadZipFile, zlib.error, struct.error, SyntaxError, ConversionError),
)
T = TypeVar("T")
ENVIRONMENT_VARIABLE = "POSENET_MAIX_CACHE"


def cache_dir() -> Path:
    """The user's cache folder for this project; the variable POSENET_MAIX_CACHE names another one."""
    override = os.environ.get(ENVIRONMENT_VARIABLE)
    return Path(override) if override else platformdirs.user_cache_path("posenet-maix", appauthor=False)


def key(*parts: bytes | str) -> str:
    """One hash over parts whose order and boundaries count."""
    state = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        state.update(len(raw).to_bytes(8, "little"))
        state.update(raw)
    return state.hexdigest()


def cached(kind: str, digest: str, make: Callable[[], bytes], read: Callable[[bytes], T] = bytes) -> T:
    """What `read` makes of the stored bytes of `kind` under `digest`, or of what `make` gives, which is then stored.

    A stored file carries its own hash; a damaged one, or one that `read` cannot read, is made anew. A cache that cannot
    be written is no error.
    """
    path = cache_dir() / kind / digest
    stored = _read(path)
    if stored is not None:
        try:
            return read(stored)
        except _UNREADABLE:
            # Whole, but of another shape: nobody's work is lost by making it anew.
            pass
    data = make()
    _write(path, data)
    return read(data)


def _read(path: Path) -> bytes | None:
    try:
        raw = reading.regular_bytes(path, _MOST_BYTES)
    except OSError:
        return None
    checksum, data = raw[:32], raw[32:]
    return data if hashlib.sha256(data).digest() == checksum else None


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(data).digest() + data)
        os.replace(temporary, path)
    except OSError:
        pass
    finally:
        Path(temporary).unlink(missing_ok=True)
