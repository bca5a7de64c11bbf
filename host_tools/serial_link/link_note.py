"""The note beside a virtual board's link: what answers there, so that nobody takes it for silicon."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from conversion import files

SUFFIX = ".board.json"
# A note is one short line; whatever is longer is none.
_MOST_BYTES = 4096


@dataclass(frozen=True)
class LinkNote:
    """`board` is a board's id; `runs` says in words what runs there: the stand-in, or which firmware, emulated."""

    board: str
    runs: str

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
        return LinkNote(str(told["board"])[:40], str(told["runs"])[:200]) if Path(port).is_symlink() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def tell(ports: Iterable[str], talk: Callable[[str], None]) -> None:
    """Say of each port that is a virtual board's what answers there; of others nothing is known."""
    for port in ports:
        if note := read(port):
            talk(f"{port} is a {note}")


def _beside(link: Path) -> Path:
    return link.with_name(link.name + SUFFIX)
