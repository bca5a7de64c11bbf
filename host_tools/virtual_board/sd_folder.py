"""A folder in the emulated chip's SD slot: an image made from it, and what has changed on the card brought back."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from conversion import files
from host_tools.errors import BoardError
from host_tools.virtual_board import fat

_IMAGE = "card.img"


class SdFolder:
    """`image` is the card, until close(); what the board has done with its files by then is done in the folder, too."""

    def __init__(self, folder: Path) -> None:
        """BoardError where the folder cannot be read or does not fit."""
        self._folder = folder
        try:
            contents = {
                path.relative_to(folder).as_posix(): path.read_bytes()
                for path in sorted(folder.rglob("*"))
                if path.is_file()
            }
        except OSError as error:
            raise BoardError(f"{folder}: cannot be read for the SD card ({error.strerror})") from error
        self._check_names(contents)
        self._before = _digests(contents)
        self._temporary = tempfile.TemporaryDirectory(prefix="sd-card-")
        self.image = Path(self._temporary.name) / _IMAGE
        try:
            fat.write(self.image, contents)
        except BoardError as error:
            self._temporary.cleanup()
            raise BoardError(f"{folder}: {error}") from error

    def _check_names(self, contents: dict[str, bytes]) -> None:
        seen: dict[str, str] = {}
        for name in contents:
            other = seen.setdefault(name.lower(), name)
            if other != name:
                raise BoardError(f"{self._folder}: {other} and {name} are one name on an SD card; rename one of them")

    def take_back(self) -> list[str]:
        """Do in the folder what was done on the card: the files that were written or removed.

        BoardError where the card's file system is damaged; the folder is as it was then.
        """
        try:
            contents = fat.read(self.image)
        except BoardError as error:
            raise BoardError(f"{error}; {self._folder} is left as it was") from error
        after = _digests(contents)
        changed = [name for name in after if self._before.get(name) != after[name]]
        gone = [name for name in self._before if name not in after]
        for name in changed:
            files.write(self._folder / name, contents[name])
        for name in gone:
            (self._folder / name).unlink(missing_ok=True)
        self._before = after
        return sorted(changed + gone)

    def close(self) -> None:
        """Throw the image away."""
        self._temporary.cleanup()


def _digests(contents: dict[str, bytes]) -> dict[str, bytes]:
    return {name: hashlib.sha256(content).digest() for name, content in contents.items()}
