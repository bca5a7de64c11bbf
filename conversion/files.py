"""Writing results: whole or not at all."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from PIL import Image

from conversion.errors import OutputError

Result = TypeVar("Result")


def write(path: Path, data: bytes) -> None:
    """Write a file under a temporary name and rename it; OutputError, and no trace, if that fails."""

    def attempt() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    _explained(path, attempt)


def write_png(path: Path, picture: Image.Image) -> None:
    """Write a picture as PNG; as `write`."""
    packed = io.BytesIO()
    picture.save(packed, "PNG", optimize=True)
    write(path, packed.getvalue())


def check_writable(folder: Path) -> None:
    """OutputError now rather than after minutes of work, if nothing can be written into `folder`, which is not made."""

    def attempt() -> None:
        missing = [place for place in (folder, *folder.parents) if not place.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        # Another process may have begun to use it meanwhile.
        with suppress(OSError):
            for made in missing:
                made.rmdir()

    _explained(folder, attempt)


def _explained(path: Path, attempt: Callable[[], Result]) -> Result:
    try:
        return attempt()
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); choose another folder with --output"
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
