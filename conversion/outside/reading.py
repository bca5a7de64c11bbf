"""Reading files that nobody vouches for: regular files only, size limits, JSON without surprises, checked names."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

from conversion.errors import ModelFormatError
from conversion.outside import foreign, json_text, names
from conversion.outside.text import shown

# The largest published relative of this network (ResNet50) has 92 MB of weights; a file beyond this is none of them.
MAX_FILE_BYTES = 128 * 1024 * 1024
# The published graph has 50 kB. Parsed JSON takes up to some 20 times its text, so this bounds memory too.
MAX_JSON_BYTES = 4 * 1024 * 1024
_HASH_CHUNK = 1024 * 1024
# A pipe is opened without waiting for its other end, and then refused. (Windows has neither.)
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; a pipe, a device or a folder is refused at once, without waiting for anything.

    Whatever is wrong is an OSError whose `strerror` says it, also a path that no file can have.
    """
    try:
        handle = os.open(path, _OPEN)
    except ValueError as error:
        raise OSError(errno.EINVAL, "no file can have this name", str(path)) from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", str(path))
        return os.fdopen(handle, "rb")
    except OSError:
        os.close(handle)
        raise


def regular_bytes(path: Path, most_bytes: int) -> bytes:
    """The bytes of a regular file, not more than `most_bytes` of them; OSError as `open_regular`."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most_bytes:
            raise OSError(errno.EFBIG, f"{size} bytes are more than any file of this kind has", str(path))
        # What is read is as much as there was to check, even if the file grows.
        return file.read(size)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal. Raises OSError."""
    state = hashlib.sha256()
    with open_regular(path) as file:
        while chunk := file.read(_HASH_CHUNK):
            state.update(chunk)
    return state.hexdigest()


def sha256(data: bytes) -> str:
    """SHA-256 of bytes, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def file_size(path: Path) -> int:
    """Bytes of a regular file; ModelFormatError for anything else."""
    try:
        with open_regular(path) as file:
            return os.fstat(file.fileno()).st_size
    except OSError as error:
        raise ModelFormatError(f"{path}: cannot be read ({error.strerror})") from error


def read_file(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of a regular file that is not empty and not larger than `limit`; else ModelFormatError."""
    try:
        data = regular_bytes(path, limit)
    except OSError as error:
        raise ModelFormatError(f"{path}: cannot be read ({error.strerror})") from error
    if not data:
        raise ModelFormatError(f"{path}: is empty; fetch it again")
    return data


def check_no_other(path: Path) -> None:
    """ModelFormatError, which says what it is, for a file that is something else than plain numbers; to be asked where
    a size is wrong, since numbers may begin like anything."""
    try:
        with open_regular(path) as file:
            other = foreign.recognise(file.read(foreign.HEAD_BYTES))
    except OSError:
        return
    if other is not None:
        raise ModelFormatError(f"{path}: is {other.what}, not weights: {other.remedy}")


def parse_json(data: bytes, path: Path) -> dict:
    """The JSON object that `data` holds; ModelFormatError for anything else."""
    try:
        document = json_text.parse(data, MAX_JSON_BYTES)
    except ValueError as error:
        raise ModelFormatError(f"{path}: is not valid JSON ({shown(error)}); fetch it again") from error
    if not isinstance(document, dict):
        raise ModelFormatError(f"{path}: holds {type(document).__name__} where a JSON object is expected")
    return document


def plain_name(value: object, path: Path) -> str:
    """A file name that stays in its folder: see `file_names.ALPHABET`. Else ModelFormatError."""
    if not names.is_plain(value):
        raise ModelFormatError(f"{path}: names the file {shown(value)}, which is not a plain file name; not read")
    return value


def dimensions(value: object, what: str, path: Path) -> tuple[int, ...]:
    """A shape: at most four positive integers. Else ModelFormatError."""
    sound = isinstance(value, list | tuple) and len(value) <= 4
    if not sound or not all(type(size) is int and 0 < size <= MAX_FILE_BYTES for size in value):
        raise ModelFormatError(f"{path}: {what} has the shape {shown(value)}")
    return tuple(value)
