"""The outputs that pages show, to be compared with what the commands print."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.pages.commands import parsed
from tests.pages.reading import ROOT, blocks, pages

# Numbers of a page may differ by so much from those printed: a program grows by a file or two.
_NEAR = 0.05
# What differs from run to run, or stands for something: first the pattern, then what it becomes.
_NAMES = (
    (re.compile(r"/dev/ttyUSB0|/tmp/ttyK210|/tmp/board|PORT"), "port"),
    (re.compile(r"\S*\.bin\b"), "FIRMWARE"),
    (re.compile(r"\S*\.kmodel\b"), "MODEL"),
    (re.compile(r"\S*\.(?:jpg|png)\b"), "photo"),
    (re.compile(r"\S*\.zip\b"), "archive"),
    (re.compile(r"\d+(?:\.\d+)? s\b"), "time"),
    (re.compile(r"poses\b"), "pose"),
    (re.compile(r"\*[0-9A-F]{4}$"), "*check"),
    (re.compile(r"[ ━─]+"), " "),
)
_VALUE = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,}(?:…|\b)|\d[\d,]*(?:\.\d+)?")


_WORDS = re.compile(r"[A-Za-z]{3,}")
_STAND_INS = ("port", "photo", "archive", "time", "firmware", "model")


@dataclass(frozen=True)
class Sample:
    """What a page shows of a command, if it names one, and its place."""

    place: str
    command: str | None
    lines: tuple[str, ...]


def samples() -> Iterator[Sample]:
    """Every block, or part of a block, that is not only what is to be typed."""
    for page in pages():
        for block in blocks(page.read_text(encoding="utf-8")):
            command, lines = None, []
            for line in (*block.splitlines(), "$ "):
                if not line.startswith("$ "):
                    lines.append(line)
                    continue
                if any(not list(parsed(page, text)) for text in lines if text.strip()):
                    place = page.relative_to(ROOT).as_posix()
                    yield Sample(place, command, tuple(text for text in lines if text.strip()))
                command, lines = line[2:], []


# What the walk prints, by the start of the first line.
BY_WALKING = (
    ("host_tools/README.md", "· Sipeed Maix Bit at"),
    ("host_tools/README.md", "· /dev/ttyUSB0: stopping what runs there"),
    ("host_tools/README.md", "VERIFIED"),
    ("host_tools/deployment/README.md", "· /tmp/ttyK210: stopping what runs there"),
    ("host_tools/flashing/README.md", "file  flash from"),
    ("host_tools/flashing/README.md", "· Sipeed Maix Bit at"),
    ("host_tools/flashing/README.md", "written: dist/"),
    ("host_tools/verification/README.md", "VERIFIED"),
)


def walked() -> list[Sample]:
    """The samples of BY_WALKING."""
    return [
        sample
        for sample in samples()
        if any(sample.place == place and sample.lines[0].startswith(start) for place, start in BY_WALKING)
    ]


def different(sample: Sample, said: Iterable[str], port: Path | str, exact: bool) -> list[str]:
    """The lines of a sample that nothing printed is like; `said` are lines, `port` the one that they name.

    Alike are lines of the same words, and if `exact` of the same hashes and addresses and nearly the same numbers.
    """
    printed = [_named(line.replace(str(port), "PORT")) for line in said]
    return [line for line in sample.lines if not any(_like(_named(line), other, exact) for other in printed)]


def _named(line: str) -> str:
    for pattern, becomes in _NAMES:
        line = pattern.sub(becomes, line)
    return line.strip()


def _like(shown: str, printed: str, exact: bool) -> bool:
    """`…` in what is shown stands for anything."""
    between = [".*".join(map(re.escape, text.split("…"))) for text in _VALUE.split(shown)]
    found = re.fullmatch(f"({_VALUE.pattern})".join(between), printed)
    # How large a MaixPy is, and all that is written with it, is not ours to say.
    foreign = "FIRMWARE" in shown or shown.startswith("· writing ")
    return bool(found) and (not exact or foreign or all(map(_equal, _VALUE.findall(shown), found.groups())))


def _equal(shown: str, printed: str) -> bool:
    if re.fullmatch(r"[\d,.]+", shown):
        ours, theirs = (float(number.replace(",", "")) for number in (shown, printed))
        return abs(ours - theirs) <= _NEAR * theirs
    return printed.startswith(shown[:-1]) if shown.endswith("…") else shown == printed


def unknown(lines: Iterable[str], texts: Iterable[str]) -> list[str]:
    """The words of lines that no literal of the sources holds: for what only a fault or a terminal brings about."""
    known = {word for text in texts for word in _WORDS.findall(text)}
    words = [word for line in lines for word in _WORDS.findall(_VALUE.sub("#", _named(line)))]
    return [word for word in words if word not in known and word.lower() not in _STAND_INS]
