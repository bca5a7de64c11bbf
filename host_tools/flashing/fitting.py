"""Whether a build of MaixPy is one for the board: the names of published builds say which boards have their own.

The images themselves do not: every build's banner has the same machine. So this can only warn.
"""

from __future__ import annotations

from host_tools import boards
from host_tools.boards import Board
from host_tools.flashing.kfpkg import Package

# What stands in the names of builds that are for no single board (README.md of boards/).
_GENERAL = frozenset(("maixpy", "vX", "minimum", "with", "ide", "support", "openmv", "kmodel", "v4", "lvgl", "bin"))


def warnings(package: Package, board: Board) -> list[str]:
    """What a user should know before this firmware is written to this board; nothing where it fits, or none is."""
    return [line for entry in package.entries if entry.firmware for line in _of_firmware(entry.name, entry.data, board)]


def own_words(board: Board) -> list[str]:
    """The words of a build's name that only this board's builds have: `m5stickv`, or `amigo`, `ips`; else none."""
    return [word for word in board.firmware_build.replace(".", "_").split("_") if word not in _GENERAL]


def _of_firmware(name: str, data: bytes, board: Board) -> list[str]:
    own = own_words(board)
    said = name.lower()
    if own and not all(word in said for word in own) and own[0].encode() not in data.lower():
        return [
            f"{name}: by its name no build for the {board.name}, which needs its own, {board.firmware_build}: with "
            "another one its power chip, LCD or buttons may stay off"
        ]
    others = [each for each in boards.all_boards().values() if (words := own_words(each)) and words[0] in said]
    if others and not own:
        return [f"{name}: by its name a build for the {others[0].name}; the {board.name} takes {board.firmware_build}"]
    return []
