"""Packages for kflash and kflash_gui (.kfpkg): making, reading as one nobody vouches for, and checking for a board.

A zip with the files and `flash-list.json`. Before kflash parses that, it puts quotes around each address by a regular
expression, so `"address": N,` must have a line of its own: what it would misread is never made, and refused when read.
"""

from __future__ import annotations

import io
import itertools
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from conversion.kmodel import profiling
from conversion.outside import archives, json_text
from conversion.outside import names as file_names
from conversion.outside.text import shown
from host_tools.boards import Board
from host_tools.errors import FlashError
from host_tools.flashing import images

SUFFIX = ".kfpkg"
LIST = "flash-list.json"
VERSION = "0.1.0"
FIRMWARE_ADDRESS = 0
FIRMWARE_NAME = "maixpy.bin"
# The kmodel's copy for measuring.
PROFILE_NAME = "profile"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MOST_FILES = 8
_MOST_LIST_BYTES = 64 * 1024
_KEYS = {"address": int, "bin": str, "sha256Prefix": bool, "reverse4Bytes": bool}


@dataclass(frozen=True)
class Entry:
    """A file and its flash address; a firmware is what kflash puts its header before."""

    name: str
    address: int
    data: bytes
    firmware: bool = False

    @property
    def image(self) -> bytes:
        """What lies in flash afterwards."""
        return images.in_flash(self.data) if self.firmware else self.data

    @property
    def size(self) -> int:
        """Bytes of the image."""
        more = images.FIRMWARE_HEADER.size + images.DIGEST_BYTES if self.firmware else 0
        return len(self.data) + more

    @property
    def end(self) -> int:
        """The first address behind the image."""
        return self.address + self.size


@dataclass(frozen=True)
class Package:
    """Files in the order in which they are written."""

    entries: tuple[Entry, ...]

    @property
    def size(self) -> int:
        """Bytes that are written."""
        return sum(entry.size for entry in self.entries)


def make(
    board: Board,
    kmodel: bytes,
    kmodel_path: Path,
    firmware: bytes | None,
    firmware_path: Path | None,
    profile: bool = False,
) -> Package:
    """The package of a kmodel, and of a firmware where there is one, for a board; FlashError names what is wrong. With
    `profile` the copy of the kmodel that `profile` measures lies behind it."""
    entries = [Entry(file_names.plain(kmodel_path.name), board.flash.model_address, kmodel)]
    called = {entries[0].name: str(kmodel_path)}
    if firmware is not None and firmware_path is not None:
        name = file_names.plain(firmware_path.name)
        name = FIRMWARE_NAME if name in (entries[0].name, LIST) else name
        entries.insert(0, Entry(name, FIRMWARE_ADDRESS, firmware, firmware=True))
        called[name] = str(firmware_path)
    if profile:
        address = profiling.address(board.flash.model_address, len(kmodel))
        entries.append(Entry(f"{PROFILE_NAME}{kmodel_path.suffix}", address, profiling.copy(kmodel)))
    package = Package(tuple(entries))
    check(package, board, called)
    return package


def pack(package: Package) -> bytes:
    """The file, the same bytes for the same package."""
    files = [{"address": entry.address, "bin": entry.name, "sha256Prefix": entry.firmware} for entry in package.entries]
    # kflash wants "address" first in each entry, on a line of its own.
    text = json.dumps({"version": VERSION, "files": files}, indent=2) + "\n"
    return zipped({LIST: text.encode(), **{entry.name: entry.data for entry in package.entries}})


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip with these files in this order, without times or anything else that differs from run to run."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # Unix, on every system
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data)
    return packed.getvalue()


def read(data: bytes, where: str) -> Package:
    """A package's content; FlashError, with the reason, for anything that is not sound through and through."""
    files = unzipped(data, where, _MOST_FILES + 1)
    text = files.pop(LIST, None)
    if text is None:
        raise FlashError(f"{where}: no kfpkg: there is no {LIST} in it")
    entries = tuple(_entry(item, files, f"{where}: {LIST}") for item in _listed(text, f"{where}: {LIST}"))
    if not entries:
        raise FlashError(f"{where}: {LIST} lists no file")
    if len({entry.name for entry in entries}) != len(entries):
        raise FlashError(f"{where}: {LIST} lists a file twice")
    unused = files.keys() - {entry.name for entry in entries}
    if unused:
        raise FlashError(f"{where}: holds {', '.join(sorted(unused))}, which {LIST} does not list")
    return Package(entries)


def check(package: Package, board: Board, names: dict[str, str] | None = None) -> None:
    """FlashError unless the board can be flashed with it: right content, right place, nothing overlapping.

    `names` are what messages call the entries, where that is not their own name.
    """
    for entry in package.entries:
        _check_entry(entry, board, (names or {}).get(entry.name, entry.name))
    ordered = sorted(package.entries, key=lambda entry: entry.address)
    for before, after in itertools.pairwise(ordered):
        if before.end > after.address:
            raise FlashError(
                f"{before.name} reaches {before.end:#x} and would be overwritten by {after.name} at "
                f"{after.address:#x}; take a smaller firmware build (minimum), whose end lies below"
            )


def _check_entry(entry: Entry, board: Board, name: str) -> None:
    flash = board.flash
    if entry.firmware and entry.address != FIRMWARE_ADDRESS and images.is_kmodel(entry.data):
        raise FlashError(
            f"{name}: is a kmodel, but {LIST} has sha256Prefix true for it: kflash would write a firmware's header "
            "before it, and the board would find no kmodel; set sha256Prefix to false"
        )
    if entry.firmware:
        if entry.address != FIRMWARE_ADDRESS:
            raise FlashError(f"{name}: a firmware at {entry.address:#x}; the chip starts one at 0 only")
        images.check_firmware(entry.data, name)
    else:
        if entry.address == FIRMWARE_ADDRESS:
            raise FlashError(f"{name}: without kflash's header at address 0, where it would replace the firmware")
        images.check_kmodel(entry.data, name)
        if entry.address not in (flash.model_address, profiling.address(flash.model_address, len(entry.data))):
            raise FlashError(
                f"{name}: for address {entry.address:#x}, but the program on a {board.name} looks for its kmodel at "
                f"{flash.model_address:#x}; make a package for this board"
            )
    if entry.end > flash.spiffs_address:
        raise FlashError(
            f"{name}: {entry.size} bytes at {entry.address:#x} reach {entry.end:#x}, but /flash begins at "
            f"{flash.spiffs_address:#x}"
        )


def unzipped(data: bytes, where: str, most_files: int) -> dict[str, bytes]:
    """The files of a zip in its root, none of them larger than a flash; FlashError for whatever else a zip can hold."""
    return archives.unzipped(data, where, most_files, 2 * images.MOST_FLASH_BYTES, FlashError)


def _listed(text: bytes, where: str) -> list:
    """The list's entries, if kflash reads the same out of it as any other reader of JSON."""
    try:
        if len(text) > _MOST_LIST_BYTES:
            raise ValueError(f"{len(text)} bytes")
        found = _json(text.decode("utf-8"))
    except ValueError as error:
        raise FlashError(f"{where}: not valid JSON ({error})") from error
    if not isinstance(found, dict) or not isinstance(found.get("files"), list) or len(found["files"]) > _MOST_FILES:
        raise FlashError(f'{where}: must be an object with at most {_MOST_FILES} entries in "files"')
    if found.keys() - {"version", "files"}:
        raise FlashError(f"{where}: has entries other than version and files")
    if _kflash_reads(text.decode("utf-8")) != found["files"]:
        raise FlashError(
            f'{where}: kflash would misread it: "address": NUMBER, must have a line of its own and not be the last of '
            "its entry; make the package anew"
        )
    return found["files"]


def _kflash_reads(text: str) -> list | None:
    """The entries as kflash 1.1.6 reads them, None where it fails."""
    try:
        files = _json(re.sub(r'"address": (.*),', r'"address": "\1",', text))["files"]
        return [{**item, "address": int(item["address"], 0)} for item in files]
    except (ValueError, TypeError, KeyError):
        return None


def _json(text: str) -> object:
    """JSON, strictly: no name twice."""
    return json_text.parse(text, _MOST_LIST_BYTES, unique=True)


def _entry(item: object, files: dict[str, bytes], where: str) -> Entry:
    if not isinstance(item, dict) or item.keys() - _KEYS.keys() or _KEYS.keys() - item.keys() - {"reverse4Bytes"}:
        raise FlashError(f"{where}: each entry must have address, bin and sha256Prefix, and nothing else")
    for key, value in item.items():
        if type(value) is not _KEYS[key]:
            raise FlashError(f"{where}: {key} is {shown(repr(value))}, must be of type {_KEYS[key].__name__}")
    name, address = item["bin"], item["address"]
    if "/" in name or name not in files:
        raise FlashError(f"{where}: lists {shown(repr(name))}, which is not in the package")
    if item.get("reverse4Bytes"):
        raise FlashError(f"{where}: {name} is for MaixPy's load_flash (reverse4Bytes), which this program does not use")
    if not 0 <= address < images.MOST_FLASH_BYTES:
        raise FlashError(f"{where}: {name} is for address {address}, outside of the flash")
    if not files[name]:
        raise FlashError(f"{where}: {name} is empty")
    return Entry(name, address, files[name], item["sha256Prefix"])
