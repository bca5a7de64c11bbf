"""The note beside a virtual board's link: what answers there, so that nobody takes it for silicon."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from conversion import files

SUFFIX = ".board.json"
# A note is one short line; whatever is longer is none.
_MOST_BYTES = 4096


@dataclass(frozen=True)
class LinkNote:
    """`board` is a board's id; `runs` says in words what runs there: the stand-in, or which firmware, emulated.
    `process` is the one that serves it, 0 if that is not known."""

    board: str
    runs: str
    process: int = 0

    def __str__(self) -> str:
        return f"virtual {self.board}: {self.runs}"


def write(link: Path, note: LinkNote) -> None:
    """Put a note beside a link, whole or not at all; OSError where that cannot be."""
    files.write(_beside(link), json.dumps(asdict(note)).encode())


def remove(link: Path) -> None:
    """Take the note of a link away, where there is one."""
    _beside(link).unlink(missing_ok=True)


def read(port: str) -> LinkNote | None:
    """The note beside a port, None where there is none: of a board, or of a port without a link."""
    path = _beside(Path(port))
    try:
        if path.stat().st_size > _MOST_BYTES or not path.is_file():
            return None
        told = json.loads(path.read_bytes())
        process = told.get("process", 0)
        note = LinkNote(str(told["board"])[:40], str(told["runs"])[:200], process if type(process) is int else 0)
        return note if Path(port).is_symlink() else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def clear(link: Path) -> None:
    """Take away the link of a board that was killed: the system may have given to others what it leads to."""
    note = read(str(link))
    if note is not None and note.process > 0 and not _lives(note.process):
        link.unlink(missing_ok=True)
        remove(link)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def tell(ports: Iterable[str], talk: Callable[[str], None]) -> None:
    """Say of each port that is a virtual board's what answers there; of others nothing is known."""
    for port in ports:
        if note := read(port):
            talk(f"{port} is a {note}")


def _beside(link: Path) -> Path:
    return link.with_name(link.name + SUFFIX)
