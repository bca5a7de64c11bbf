"""What a process opens for writing, makes, renames or removes outside of the folder where it may."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.hostile import limited

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
# Python writes its compiled modules, NumPy and Matplotlib nothing.
_SCRATCH = (str(limited.ROOT), sys.prefix, sys.base_prefix)


@contextmanager
def nothing_written_outside(folder: Path) -> Iterator[list[str]]:
    """Collects what is done that does not lie in a folder, as words."""
    escaped: list[str] = []
    watching = True
    allowed = (str(folder) + os.sep, "/dev/null")

    def look(event: str, arguments: tuple) -> None:
        if not watching or event not in _WRITES:
            return
        for path in _WRITES[event](arguments):
            if isinstance(path, str | bytes | os.PathLike):
                full = os.path.abspath(os.fsdecode(path))
                if not (full + os.sep).startswith(allowed) and not full.startswith(_SCRATCH):
                    escaped.append(f"{event} outside of its folder: {full}")

    # An audit hook cannot be taken away again.
    sys.addaudithook(look)
    try:
        yield escaped
    finally:
        watching = False


def _opened(arguments: tuple) -> list[object]:
    path, mode, flags = arguments
    writes = any(letter in mode for letter in "wax+") if isinstance(mode, str) else bool((flags or 0) & _WRITING)
    return [path] if writes and not isinstance(path, int) else []


_WRITES = {
    "open": _opened,
    "os.rename": lambda arguments: list(arguments[:2]),
    "os.remove": lambda arguments: [arguments[0]],
    "os.mkdir": lambda arguments: [arguments[0]],
    "os.rmdir": lambda arguments: [arguments[0]],
    "os.symlink": lambda arguments: [arguments[1]],
    "os.link": lambda arguments: [arguments[1]],
    "os.truncate": lambda arguments: [arguments[0]],
}
