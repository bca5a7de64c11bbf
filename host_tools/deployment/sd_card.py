"""An SD card in the PC's reader, as a folder: what lies there, and carrying out changes on it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from conversion.progress import Count
from host_tools.deployment import changes
from host_tools.deployment.changes import NEW, Changes, Found
from host_tools.errors import BoardError
from host_tools.payload import MAIN, Payload

_PIECE = 1 << 20
# FAT keeps files in clusters of at most this size.
_CLUSTER = 64 * 1024


def found(folder: Path, payload: Payload | None, extra: Mapping[str, bytes]) -> Found:
    """What lies there; BoardError where that is no folder, or a folder stands where a file must go."""
    if not folder.is_dir():
        raise BoardError(f"{folder}: no such folder; name the one under which the SD card is mounted")
    try:
        there = Found(
            sizes={path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()},
            free=shutil.disk_usage(folder).free,
        )
        for name in (*(payload.files if payload else ()), *extra, *changes.READ_WHOLE, MAIN):
            if (folder / name).is_dir():
                raise BoardError(f"{folder / name}: a folder, where a file must go; rename it")
        sizes = {name: there.sizes[name] for name in changes.READ_WHOLE if name in there.sizes}
        small = (name for name, size in sizes.items() if size <= changes.MOST_READ_BYTES)
        there.contents = {name: (folder / name).read_bytes() for name in small}
        if MAIN in there.sizes:
            there.main_uses_program = changes.PROGRAM_WORD in _beginning(folder / MAIN)
        for name, size in changes.digests_wanted(payload, there, extra).items():
            if size in (None, there.sizes[name]):
                there.digests[name] = _digest(folder / name)
    except OSError as error:
        raise BoardError(f"{folder}: cannot be read ({error.strerror})") from error
    return there


def apply(folder: Path, there: Found, the_changes: Changes, progress: Count) -> None:
    """Carry out changes: each file under a temporary name first, main.py last; then the card can be taken out."""
    needed = sum(_stored(len(data)) for data in the_changes.upload.values())
    needed += sum(_stored(there.sizes[name]) for name, _ in the_changes.keep)
    free = there.free + sum(there.sizes[name] for name in the_changes.clear)
    if needed > free:
        raise BoardError(
            f"{folder}: {free // 1024} KiB free, {needed // 1024} KiB are needed: remove files, or take a larger card"
        )
    try:
        _carry_out(folder, the_changes, progress)
    except OSError as error:
        raise BoardError(
            f"{folder}: cannot be written ({error.strerror}): is the card locked, full or taken out? Run it again then"
        ) from error


def _carry_out(folder: Path, the_changes: Changes, progress: Count) -> None:
    for name in the_changes.clear:
        (folder / name).unlink(missing_ok=True)
    for name, kept in the_changes.keep:
        _write(folder / kept, (folder / name).read_bytes())
    for name, target in the_changes.rename:
        os.replace(folder / name, folder / target)
    total, done = sum(map(len, the_changes.write.values())), 0
    # The temporary files first: what takes long, and what can fail, before anything old is gone.
    for name, data in the_changes.upload.items():
        _store(folder / (name + NEW), data)
        done += len(data)
        progress(done, total)
    for name in sorted(the_changes.write, key=lambda name: (name == MAIN, name)):
        os.replace(folder / (name + NEW), folder / name)
    for name in the_changes.remove:
        (folder / name).unlink(missing_ok=True)
    if the_changes.last_list is not None:
        _write(folder / changes.LIST, the_changes.last_list)
    _flush(folder)


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(path.name + NEW)
    _store(temporary, data)
    os.replace(temporary, path)


def _store(path: Path, data: bytes) -> None:
    """Write a file so that it is on the card when this returns; a link that lies in its place is not followed."""
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    """The folder's own entries, too, where the system can do that."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _beginning(path: Path) -> bytes:
    """As much of a file as any program's main.py has."""
    with path.open("rb") as file:
        return file.read(_PIECE)


def _digest(path: Path) -> str:
    made = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            made.update(piece)
    return f"sha256:{made.hexdigest()}"


def _stored(size: int) -> int:
    return -(-size // _CLUSTER) * _CLUSTER
