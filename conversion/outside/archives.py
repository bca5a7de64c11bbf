"""Zip archives that nobody vouches for: read whole, with limits, in memory; nothing is ever unpacked onto a disk."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from conversion.outside import foreign, names
from conversion.outside.text import shown

_ENCRYPTED = 0x1
# OverflowError, struct.error: offsets of 2^63 and more in a zip64 record.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error),
    *(EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError, OSError),
)


def unzipped(data: bytes, where: str, most_files: int, most_bytes: int, error: type[Exception]) -> dict[str, bytes]:
    """The files of a zip by their names, `most_bytes` in all; `error` says what else a zip can hold, and where."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            problem = _problem(infos, most_files, most_bytes)
            if problem is None:
                return {info.filename: _content(archive, info) for info in infos if not info.is_dir()}
    except _BROKEN as broken:
        what = foreign.recognise(data[: foreign.HEAD_BYTES])
        raise error(
            f"{where}: not a sound zip archive ({what.what if what else 'damaged'}; {shown(broken)})"
        ) from broken
    raise error(f"{where}: {problem}")


def _problem(infos: list[zipfile.ZipInfo], most_files: int, most_bytes: int) -> str | None:
    if len(infos) > most_files:
        return f"holds {len(infos)} files, more than {most_files}"
    if len({info.filename for info in infos}) != len(infos):
        return "holds a file twice"
    if sum(info.file_size for info in infos) > most_bytes:
        return "holds more than a flash can"
    for info in infos:
        parts = info.filename.removesuffix("/").split("/")
        if not all(map(names.is_plain, parts)):
            return f"holds {shown(repr(info.filename))}, which is no plain file name; not read"
        if info.flag_bits & _ENCRYPTED or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            return f"{info.filename} is encrypted, or compressed in a way that is not read"
    return None


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A file's bytes, as many as are declared: a zip may lie about that."""
    with archive.open(info) as file:
        data = file.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise zipfile.BadZipFile(f"{info.filename} has another size than declared")
    return data
