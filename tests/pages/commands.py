"""The commands that pages and error texts tell people to type."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.pages.reading import ROOT, blocks, pages, spans

# Packages whose texts a user may see.
_SOURCES = ("conversion", "firmware", "host_tools")
_SPAN = re.compile(r"`([^`\n]+)`")
_PROGRAMS = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(make|python -m|posenet-maix) (.+)$")
# A literal that is a command as a whole, to be put between backticks elsewhere.
_WHOLE = re.compile(r"python -m (?:conversion|host_tools) [^\n]*")


@dataclass(frozen=True)
class Command:
    """`program` is make, python -m or posenet-maix; `words` follow it; `place` is the file that advises it."""

    place: str
    program: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.place}: {self.program} {shlex.join(self.words)}"


def advised() -> list[Command]:
    """Every command, each once a place."""
    found = dict.fromkeys((*_of_pages(), *_of_sources()))
    return sorted(found, key=str)


def _of_pages() -> Iterator[Command]:
    for page in pages():
        text = page.read_text(encoding="utf-8")
        for line in (*spans(text), *(line for block in blocks(text) for line in block.splitlines())):
            yield from parsed(page, line)


def _of_sources() -> Iterator[Command]:
    for path, text in texts():
        for line in (*_SPAN.findall(text), *([text] if _WHOLE.fullmatch(text) else [])):
            yield from parsed(path, line)


@cache
def texts() -> tuple[tuple[Path, str], ...]:
    """Every literal of the packages and the file that it stands in; what an f-string fills in is … here."""
    return tuple(_texts())


def _texts() -> Iterator[tuple[Path, str]]:
    for folder in _SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield path, node.value
                elif isinstance(node, ast.JoinedStr):
                    parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
                    yield path, "".join(parts)


def parsed(place: Path, line: str) -> Iterator[Command]:
    """The command in a line, if there is one: without what explains it, where output goes, and optional's brackets."""
    line = re.split(r"  +| # | \| | &$|, ", line.strip())[0]
    found = _PROGRAMS.match(line)
    if found:
        words = tuple(shlex.split(found[2].replace("[", "").replace("]", "")))
        yield Command(place.relative_to(ROOT).as_posix(), found[1], words)
