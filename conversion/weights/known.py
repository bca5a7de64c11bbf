"""The published weights files that this project knows by their SHA-256: `known.toml`, read once."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from conversion.posenet_weights import Origin
from conversion.toml import tomllib

_TABLE = Path(__file__).with_name("known.toml")


@dataclass(frozen=True)
class PublishedFile:
    """One file as published: its name, its length in bytes and its SHA-256 (hexadecimal)."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class NpmPackage:
    """An npm package that ships the same files inside `folder`."""

    package: str
    version: str
    folder: str
    licence: str

    def __str__(self) -> str:
        return f"{self.package}@{self.version}"


@dataclass(frozen=True)
class Published:
    """One published form: `url` is the folder that holds the files, `npm` another place that has them, if any."""

    name: str
    form: str
    source: str
    licence: str
    url: str
    files: tuple[PublishedFile, ...]
    npm: NpmPackage | None = None


@functools.cache
def published() -> tuple[Published, ...]:
    """Every known form, the default first."""
    return tuple(_entry(entry) for entry in tomllib.loads(_TABLE.read_text(encoding="utf-8"))["weights"])


def default() -> Published:
    """The weights that are used when nobody names others."""
    return published()[0]


def by_name(name: str) -> Published | None:
    """The published form called `name`, or None."""
    return next((entry for entry in published() if entry.name == name), None)


def origin(form: str, files: Mapping[str, str], notes: tuple[str, ...] = ()) -> Origin:
    """The origin of weights read from `files` (name -> SHA-256): known when the sums are those of a published form."""
    sums = sorted(files.values())
    name = next((entry.name for entry in published() if sorted(file.sha256 for file in entry.files) == sums), None)
    return Origin(form, name, dict(files), notes)


def _entry(table: dict) -> Published:
    npm = table.pop("npm", None)
    files = tuple(PublishedFile(**file) for file in table.pop("files"))
    return Published(**table, files=files, npm=NpmPackage(**npm) if npm else None)
