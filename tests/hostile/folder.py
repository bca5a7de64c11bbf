"""The folder that mutants lie in, one after the other: what two have in common is not written again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

# What changes with whatever is done to a file.
_Trace = tuple[int, int, int, int]


class Folder:
    """Holds one mutant's files at a time, and what was made of them until the next one comes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written: dict[str, tuple[bytes, _Trace]] = {}
        path.mkdir()

    def lay(self, files: Mapping[str, bytes]) -> None:
        """Have these files here, and nothing else."""
        kept = {name for name, data in files.items() if self._is_there(name, data)}
        self._clear(self.path, "", kept)
        for name in files.keys() - kept:
            path = self.path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(files[name])
            self._written[name] = files[name], _trace(path)

    def _clear(self, path: str | Path, before: str, kept: set[str]) -> None:
        """Remove all but these of a folder whose names begin with `before`."""
        with os.scandir(path) as entries:
            for entry in entries:
                name = before + entry.name
                if not entry.is_dir(follow_symlinks=False):
                    if name not in kept:
                        os.unlink(entry.path)
                elif any(each.startswith(name + "/") for each in kept):
                    self._clear(entry.path, name + "/", kept)
                else:
                    shutil.rmtree(entry.path)

    def _is_there(self, name: str, data: bytes) -> bool:
        former, trace = self._written.get(name, (None, None))
        if former is not data:
            return False
        try:
            return _trace(self.path / name) == trace
        except OSError:
            return False


def _trace(path: Path) -> _Trace:
    found = path.lstat()
    return found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns
