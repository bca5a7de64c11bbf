"""A FAT16 volume with long names behind a partition table, as SD cards have it: written from files, and read back.

Source: Microsoft's FAT specification, version 1.03. One volume of one size, in a sparse file: what a card in an
emulated slot needs, and no more.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from host_tools.errors import BoardError

_SECTOR, _CLUSTER_SECTORS, _CLUSTERS, _ROOT_ENTRIES = 512, 8, 32768, 512
_CLUSTER = _SECTOR * _CLUSTER_SECTORS
_TABLE_SECTORS = -(-2 * (_CLUSTERS + 2) // _SECTOR)
# Where the one partition begins, its kind and size, and the card's, which is a multiple of 512 KiB.
_START, _FAT16 = 1024, 0x06
_SECTORS = 1 + _TABLE_SECTORS + _ROOT_ENTRIES * 32 // _SECTOR + _CLUSTERS * _CLUSTER_SECTORS
_CARD_BYTES = -(-(_START + _SECTORS) // 1024) * 1024 * _SECTOR
_BOOT = struct.Struct("<3s8sHBHBHHBHHHIIBBBI11s8s")
_PARTITION = struct.Struct("<B3xB3xII")
_PARTITIONS, _SIGNATURE_AT, _SIGNATURE = 446, 510, b"\x55\xaa"
# Name, attributes, case, first cluster, bytes; and a part of a long name: order, text, attributes, checksum, text.
_ENTRY, _LONG = struct.Struct("<11sBB13xHI"), struct.Struct("<B10sBxB12s2x4s")
_FOLDER, _FILE, _VOLUME, _LONG_NAME, _ATTRIBUTES = 0x10, 0x20, 0x08, 0x0F, 0x3F
_LAST, _DELETED, _LETTERS = 0x40, 0xE5, 13
_LOWER_BASE, _LOWER_EXTENSION = 0x08, 0x10
_END, _END_FROM, _MEDIA = 0xFFFF, 0xFFF8, 0xFFF8
_Tree = dict[str, "bytes | _Tree"]


def write(image: Path, files: Mapping[str, bytes]) -> None:
    """Make a card's image with these files, by their paths ("folder/name"); BoardError where they do not fit."""
    with image.open("wb") as out:
        out.truncate(_CARD_BYTES)
        writer = _Writer()
        root = writer.entries(_tree(files))
        if len(root) > 32 * _ROOT_ENTRIES:
            raise BoardError(f"too many files for the root of an SD card of this kind ({_ROOT_ENTRIES} entries)")
        out.seek(_PARTITIONS)
        out.write(_PARTITION.pack(0x80, _FAT16, _START, _SECTORS))
        out.seek(_SIGNATURE_AT)
        out.write(_SIGNATURE)
        out.seek(_START * _SECTOR)
        out.write(_boot_sector())
        out.write(struct.pack(f"<{len(writer.table)}H", *writer.table).ljust(_TABLE_SECTORS * _SECTOR, b"\0"))
        out.write(root.ljust(32 * _ROOT_ENTRIES, b"\0"))
        data = out.tell()
        for cluster, content in writer.contents:
            out.seek(data + (cluster - 2) * _CLUSTER)
            out.write(content)


def _boot_sector() -> bytes:
    boot = _BOOT.pack(
        b"\xeb\x3c\x90", b"MSDOS5.0", _SECTOR, _CLUSTER_SECTORS, 1, 1, _ROOT_ENTRIES, 0, _MEDIA & 0xFF, _TABLE_SECTORS,
        63, 255, _START, _SECTORS, 0x80, 0, 0x29, 1, b"MAIX       ", b"FAT16   ",
    )  # fmt: skip
    return boot.ljust(_SIGNATURE_AT, b"\0") + _SIGNATURE


def _tree(files: Mapping[str, bytes]) -> _Tree:
    root: _Tree = {}
    for name in sorted(files):
        *folders, last = PurePosixPath(name).parts
        place = root
        for folder in folders:
            place = place.setdefault(folder, {})
        place[last] = files[name]
    return root


class _Writer:
    """The table of clusters, and what is in them."""

    def __init__(self) -> None:
        self.table = [_MEDIA, _END]
        self.contents: list[tuple[int, bytes]] = []

    def _allocate(self, size: int) -> int:
        first, count = len(self.table), -(-size // _CLUSTER)
        if first + count > _CLUSTERS + 2:
            raise BoardError(f"the files do not fit an SD card of {_CLUSTERS * _CLUSTER >> 20} MiB: take some away")
        self.table += [*range(first + 1, first + count), _END]
        return first

    def entries(self, tree: _Tree, own: int = 0, parent: int | None = None) -> bytes:
        """A folder's content; its clusters are `own`, those of the one that it is in `parent`."""
        out = b""
        if parent is not None:
            out += _ENTRY.pack(b".          ", _FOLDER, 0, own, 0) + _ENTRY.pack(b"..         ", _FOLDER, 0, parent, 0)
        for number, (name, content) in enumerate(tree.items(), 1):
            short = _short_name(name, number)
            out += _long_name(name, short)
            if isinstance(content, bytes):
                cluster = self._allocate(len(content)) if content else 0
                self.contents.append((cluster, content))
                out += _ENTRY.pack(short, _FILE, 0, cluster, len(content))
            else:
                cluster = self._allocate(32 * (2 + sum(map(_entries_of, content))))
                self.contents.append((cluster, self.entries(content, cluster, own)))
                out += _ENTRY.pack(short, _FOLDER, 0, cluster, 0)
        return out


def _entries_of(name: str) -> int:
    return 1 + -(-len(name.encode("utf-16-le")) // (2 * _LETTERS))


def _short_name(name: str, number: int) -> bytes:
    """A name of 8 and 3 letters that no other file of the folder has; the long one is what counts."""
    extension = re.sub(r"[^A-Z0-9]", "", PurePosixPath(name).suffix.upper())[:3]
    return f"{number:05d}~1 {extension:<3}".encode()


def _checksum(short: bytes) -> int:
    total = 0
    for byte in short:
        total = ((total & 1) << 7) + (total >> 1) + byte & 0xFF
    return total


def _long_name(name: str, short: bytes) -> bytes:
    """The entries of a long name, the last part first."""
    text = name.encode("utf-16-le")
    if len(text) % (2 * _LETTERS):
        text += b"\0\0"
    parts = [text[at : at + 2 * _LETTERS].ljust(2 * _LETTERS, b"\xff") for at in range(0, len(text), 2 * _LETTERS)]
    entries = [
        _LONG.pack(order, part[:10], _LONG_NAME, _checksum(short), part[10:22], part[22:])
        for order, part in enumerate(parts, 1)
    ]
    entries[-1] = bytes([entries[-1][0] | _LAST]) + entries[-1][1:]
    return b"".join(reversed(entries))


def read(image: Path) -> dict[str, bytes]:
    """All files of a card by their paths; BoardError where it holds no whole FAT16 volume."""
    with image.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return dict(_Reader(data).files())
        except (struct.error, IndexError, UnicodeDecodeError, ZeroDivisionError) as error:
            raise BoardError(f"{image}: the SD card's file system is damaged ({error})") from error


class _Reader:
    """A volume's layout, taken from its boot sector: the board may have formatted it anew."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        *_, start, _ = _PARTITION.unpack_from(data, _PARTITIONS)
        begin = start * _SECTOR
        if begin + _SECTOR > len(data):
            raise BoardError("the SD card's partition table is damaged")
        boot = _BOOT.unpack_from(data, begin)
        sector, cluster_sectors, reserved, tables, root_entries, table_sectors = (boot[n] for n in (2, 3, 4, 5, 6, 9))
        if data[begin + _SIGNATURE_AT : begin + _SECTOR] != _SIGNATURE or not table_sectors or sector != _SECTOR:
            raise BoardError("the SD card was formatted as something else than FAT16")
        self._table = begin + reserved * _SECTOR
        self._root = self._table + tables * table_sectors * _SECTOR
        self._root_bytes = 32 * root_entries
        self._cluster = cluster_sectors * _SECTOR
        self._most = table_sectors * _SECTOR // 2
        self._folders: set[int] = set()

    def files(self) -> Iterator[tuple[str, bytes]]:
        """(path, content) of every file."""
        yield from self._files(self._data[self._root : self._root + self._root_bytes], "")

    def _content(self, cluster: int) -> bytes:
        """A chain of clusters."""
        out, seen = [], set()
        while cluster < _END_FROM:
            if not 2 <= cluster < self._most or cluster in seen:
                raise BoardError("the SD card's file system is damaged: a file's clusters lead nowhere")
            seen.add(cluster)
            at = self._root + self._root_bytes + (cluster - 2) * self._cluster
            out.append(self._data[at : at + self._cluster])
            (cluster,) = struct.unpack_from("<H", self._data, self._table + 2 * cluster)
        return b"".join(out)

    def _files(self, folder: bytes, path: str) -> Iterator[tuple[str, bytes]]:
        long = b""
        for at in range(0, len(folder) - 31, 32):
            short, attributes, case, cluster, size = _ENTRY.unpack_from(folder, at)
            if not short[0]:
                return
            if short[0] == _DELETED:
                long = b""
            elif attributes & _ATTRIBUTES == _LONG_NAME:
                long = self._with_part(folder, at, long)
            else:
                name, long = _name(short, case, long), b""
                if attributes & _VOLUME or name in (".", ".."):
                    continue
                if "/" in name or "\0" in name or cluster in self._folders:
                    raise BoardError(f"the SD card's file system is damaged: a file is called {name!r}")
                if attributes & _FOLDER:
                    self._folders.add(cluster)
                    yield from self._files(self._content(cluster), f"{path}{name}/")
                else:
                    content = self._content(cluster)[:size] if size else b""
                    if len(content) != size:
                        raise BoardError(f"the SD card's file system is damaged: {path}{name} is not whole")
                    yield path + name, content

    @staticmethod
    def _with_part(folder: bytes, at: int, long: bytes) -> bytes:
        order, first, _, _, second, third = _LONG.unpack_from(folder, at)
        return first + second + third + (b"" if order & _LAST else long)


def _name(short: bytes, case: int, long: bytes) -> str:
    if long:
        return long.decode("utf-16-le").split("\0")[0].rstrip("\uffff")
    base, extension = (part.decode("cp437").rstrip() for part in (short[:8], short[8:]))
    base = base.lower() if case & _LOWER_BASE else base
    extension = extension.lower() if case & _LOWER_EXTENSION else extension
    return f"{base}.{extension}" if extension else base
