"""File names from outside: one alphabet for those that are written or packed, one rule for paths that are only read."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

ALPHABET = "letters, digits and . _ -, not beginning with . or -, 100 at most"
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
# What a file on a board may be called besides: MaixPy and its users put names there that begin with a dot.
_ON_BOARD = re.compile(r"[A-Za-z0-9_.-]{1,128}")
# Windows opens a device by these names, whatever the ending.
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_MOST_PARTS, _MOST_PART_BYTES = 8, 200


def is_plain(name: object) -> bool:
    """Whether it names a file in a folder, and nothing else anywhere: see ALPHABET."""
    return isinstance(name, str) and _PLAIN.fullmatch(name) is not None and not _DEVICES.fullmatch(name)


def is_plain_on_board(name: object) -> bool:
    """Whether it can be a file of /flash, and not somewhere else on an SD card."""
    return isinstance(name, str) and _ON_BOARD.fullmatch(name) is not None and name not in (".", "..")


def is_inside(path: object) -> bool:
    """Whether it is a path of printable names, with /, that stays in its folder and that every file system can hold."""
    if not isinstance(path, str) or not path.isprintable() or "\\" in path or ":" in path:
        return False
    parts = PurePosixPath(path).parts
    return 0 < len(parts) <= _MOST_PARTS and all(_is_part(part) for part in parts)


def _is_part(part: str) -> bool:
    return part not in ("/", "//", "..") and len(part.encode("utf-8")) <= _MOST_PART_BYTES


def plain(name: str) -> str:
    """The plain name that comes closest to a file's own, which is the user's and may be anything."""
    made = re.sub(r"[^A-Za-z0-9._-]", "_", name)[-100:].lstrip(".-") or "file"
    return f"_{made[1:]}" if _DEVICES.fullmatch(made) else made
