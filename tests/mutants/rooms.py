"""What is mutated and which tests must notice: one table a room, in `rooms/`, read and checked here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tomli

ROOT = Path(__file__).resolve().parents[2]
TABLES = Path(__file__).with_name("rooms")


@dataclass(frozen=True)
class Mutation:
    """One line of a file (relative to the repository) and what becomes of it; `number` counts lines from 1."""

    file: str
    number: int
    line: str
    becomes: str

    def __str__(self) -> str:
        return f"{self.file}:{self.number}: {self.line.strip()}  ->  {self.becomes.strip()}"

    def applied(self, text: str) -> str:
        """The text of the file with the mutation in it."""
        lines = text.split("\n")
        assert lines[self.number - 1] == self.line, f"{self.file} has changed"
        lines[self.number - 1] = self.becomes
        return "\n".join(lines)


@dataclass(frozen=True)
class Named:
    """A mutation that somebody thought of, and the test that must fail: "path::test"."""

    name: str
    mutation: Mutation
    test: str


@dataclass(frozen=True)
class Room:
    """Files that are mutated, the tests that must notice, named mutations, and survivors with the reason for each.

    `explained` goes by (line, what becomes of it), both without indentation.
    """

    name: str
    files: tuple[str, ...]
    tests: tuple[str, ...]
    named: tuple[Named, ...]
    explained: dict[tuple[str, str], str]

    def why(self, mutation: Mutation) -> str | None:
        """The reason why no test could tell a mutation from the sound line; None where there is none."""
        return self.explained.get((mutation.line.strip(), mutation.becomes.strip()))


def rooms() -> list[Room]:
    """Every room, by name. ValueError says which entry of which table does not fit the files any more."""
    return [read(table) for table in sorted(TABLES.glob("*.toml"))]


def read(table: Path, root: Path = ROOT) -> Room:
    """One table; see README.md for its form."""
    content = tomli.loads(table.read_text(encoding="utf-8"))
    files, tests = tuple(content["files"]), tuple(content["tests"])
    named = [
        Named(
            entry["name"],
            _found(root, _files(files, entry), entry["line"], entry["becomes"], f"{table.name}: {entry['name']}"),
            _test(root, tests, entry["test"], f"{table.name}: {entry['name']}"),
        )
        for entry in content["named"]
    ]
    explained = {(entry["line"], entry["becomes"]): entry["why"] for entry in content.get("explained", ())}
    return Room(table.stem, files, tests, tuple(named), explained)


def _files(files: tuple[str, ...], entry: dict) -> tuple[str, ...]:
    """Where the line of an entry may stand: in the file that it names, else in any of the room's."""
    return tuple(file for file in files if file == entry.get("file", file))


def _found(root: Path, files: tuple[str, ...], line: str, becomes: str, where: str) -> Mutation:
    """The one place in the files where a line stands, whatever its indentation."""
    found = [
        Mutation(file, number, text, text.replace(line, becomes))
        for file in files
        for number, text in enumerate((root / file).read_text(encoding="utf-8").split("\n"), start=1)
        if text.strip() == line
    ]
    if len(found) != 1:
        raise ValueError(f"{where}: {len(found)} lines of {', '.join(files)} are {line!r}, one expected")
    return found[0]


def _test(root: Path, tests: tuple[str, ...], name: str, where: str) -> str:
    """The test of that name as pytest calls it."""
    found = [file for file in tests if f"def {name}(" in (root / file).read_text(encoding="utf-8")]
    if len(found) != 1:
        raise ValueError(f"{where}: {len(found)} of {', '.join(tests)} have a test {name}, one expected")
    return f"{found[0]}::{name}"
