"""Reading files that nobody vouches for: size limits, regular files only, JSON without surprises, checked names."""

from __future__ import annotations

import hashlib
import json
import re
import stat
from pathlib import Path

from conversion.errors import ModelFormatError

# The largest published relative of this network (ResNet50) has 92 MB of weights; a file beyond this is none of them.
MAX_FILE_BYTES = 128 * 1024 * 1024
# The published graph has 50 kB. Parsed JSON takes up to some 20 times its text, so this bounds memory too.
MAX_JSON_BYTES = 4 * 1024 * 1024
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")
_HASH_CHUNK = 1024 * 1024


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal. Raises OSError."""
    state = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_HASH_CHUNK):
            state.update(chunk)
    return state.hexdigest()


def sha256(data: bytes) -> str:
    """SHA-256 of bytes, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def file_size(path: Path) -> int:
    """Bytes of a regular file; ModelFormatError for anything else."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise ModelFormatError(f"{path}: cannot be read ({_why(error)})") from error
    if not stat.S_ISREG(status.st_mode):
        raise ModelFormatError(f"{path}: is not a regular file")
    return status.st_size


def read_file(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of a regular file that is not empty and not larger than `limit`; else ModelFormatError."""
    size = file_size(path)
    if size == 0:
        raise ModelFormatError(f"{path}: is empty; fetch it again")
    if size > limit:
        raise ModelFormatError(f"{path}: {size} bytes, larger than any file of this kind (at most {limit})")
    try:
        with path.open("rb") as file:
            data = file.read(size + 1)
    except OSError as error:
        raise ModelFormatError(f"{path}: cannot be read ({_why(error)})") from error
    if len(data) != size:
        raise ModelFormatError(f"{path}: changed while it was read; try again")
    return data


def parse_json(data: bytes, path: Path) -> dict:
    """The JSON object that `data` holds; ModelFormatError for anything else."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelFormatError(f"{path}: is not valid JSON ({shown(error)}); fetch it again") from error
    if not isinstance(document, dict):
        raise ModelFormatError(f"{path}: holds {type(document).__name__} where a JSON object is expected")
    return document


def plain_name(value: object, path: Path) -> str:
    """A file name that stays in its folder: no separators, no leading dot. Else ModelFormatError."""
    if not isinstance(value, str) or not _PLAIN_NAME.fullmatch(value):
        raise ModelFormatError(f"{path}: names the file {shown(value)}, which is not a plain file name; not read")
    return value


def dimensions(value: object, what: str, path: Path) -> tuple[int, ...]:
    """A shape: at most four positive integers. Else ModelFormatError."""
    sound = isinstance(value, list | tuple) and len(value) <= 4
    if not sound or not all(type(size) is int and 0 < size <= MAX_FILE_BYTES for size in value):
        raise ModelFormatError(f"{path}: {what} has the shape {shown(value)}")
    return tuple(value)


def shown(value: object, limit: int = 80) -> str:
    """A value from a file, fit for one line of a message."""
    nested = isinstance(value, list | dict) and (len(value) > 8 or any(isinstance(item, list | dict) for item in value))
    text = f"a {type(value).__name__} of {len(value)}" if nested else str(value)
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
