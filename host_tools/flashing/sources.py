"""Where what is written comes from: a kmodel and a firmware, a .kfpkg, or a release."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from conversion import card
from host_tools import payload
from host_tools.boards import Board
from host_tools.errors import FlashError
from host_tools.flashing import images, kfpkg
from host_tools.flashing.kfpkg import Package

# A release is a zip with one folder of this name and the board's id.
RELEASE = "posenet-maix-"
SUMS = "SHA256SUMS"
_MOST_RELEASE_FILES = 100
_SUM_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


def of_files(board: Board, model: Path | None, firmware: Path | None, profile: bool = False) -> Package:
    """The package of a kmodel (None: the one in build/) and, where named, a firmware; checked for the board. With
    `profile` also the copy that can be measured.

    BoardError, FlashError or ModelFormatError says which file is not what it should be.
    """
    path = payload.kmodel(model)
    data = images.read(path, "kmodel")
    if card.path_beside(path).is_file():
        card.check_fits(card.read_for(path, data), path, data, images.check_kmodel(data, str(path)))
    firmware_data = images.read(firmware, "firmware") if firmware else None
    return kfpkg.make(board, data, path, firmware_data, firmware, profile)


def of_package(path: Path, board: Board) -> Package:
    """The package in a .kfpkg, or in a release for this board; checked as one that nobody vouches for."""
    data = images.read(path, "package")
    if not data.startswith(b"PK"):
        raise FlashError(f"{path}: no package but {images.describe(data)}; give a kmodel with --model")
    files = kfpkg.unzipped(data, str(path), _MOST_RELEASE_FILES)
    package = kfpkg.read(data, str(path)) if kfpkg.LIST in files else _of_release(files, path, board)
    kfpkg.check(package, board, {entry.name: f"{path}: {entry.name}" for entry in package.entries})
    return package


def _of_release(files: dict[str, bytes], path: Path, board: Board) -> Package:
    """The package of a release, every file of which is as its list of checksums says."""
    folder = f"{RELEASE}{board.id}"
    inside = f"{folder}/{folder}{kfpkg.SUFFIX}"
    tops = {name.split("/")[0] for name in files}
    if folder not in tops:
        others = [top.removeprefix(RELEASE) for top in sorted(tops) if top.startswith(RELEASE)]
        what = f"a release for {', '.join(others)}, not {board.id}" if others else "neither a kfpkg nor a release"
        raise FlashError(f"{path}: is {what}; name the board with --board, or take another file")
    if inside not in files:
        raise FlashError(f"{path}: holds no {inside}; fetch the release again")
    listed = _sums(files.get(f"{folder}/{SUMS}", b""), path)
    for name, data in files.items():
        inner = name.removeprefix(folder + "/")
        if inner != SUMS and listed.pop(inner, None) != hashlib.sha256(data).hexdigest():
            raise FlashError(f"{path}: {name} is not as {SUMS} says; fetch the release again")
    for name in listed:
        raise FlashError(f"{path}: {name} is missing, which {SUMS} lists; fetch the release again")
    return kfpkg.read(files[inside], f"{path}: {inside}")


def _sums(text: bytes, path: Path) -> dict[str, str]:
    """SHA-256 by name, from a file as sha256sum writes it."""
    lines = [_SUM_LINE.fullmatch(line) for line in text.decode("utf-8", errors="replace").splitlines()]
    if not lines or None in lines:
        raise FlashError(f"{path}: its {SUMS} is missing or damaged; fetch the release again")
    return {match[2]: match[1] for match in lines}
