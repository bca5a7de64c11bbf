"""The pages of this project in parts: prose, and what is typed or printed."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# No pages of ours, or none that a person walks in by; nor are those in hidden folders, as pytest leaves one.
_ELSEWHERE = ("build", "dist")

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:(?<=\n\n)|^)(?:(?: {4}|\t).*\n+)+", re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")
_TARGET = re.compile(r"\]\([^)]*\)")


def pages() -> list[Path]:
    """Every page, sorted."""
    folders = (path for path in ROOT.iterdir() if path.is_dir() and path.name not in _ELSEWHERE and path.name[0] != ".")
    return sorted((*ROOT.glob("*.md"), *(page for folder in folders for page in folder.rglob("*.md"))))


def blocks(text: str) -> list[str]:
    """The indented blocks of code and output, without their indentation."""
    found = _INDENTED.findall(_FENCED.sub("", text))
    return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE).rstrip() for block in found]


def spans(text: str) -> list[str]:
    """What stands between single backticks."""
    return _SPAN.findall(_INDENTED.sub("\n", _FENCED.sub("", text)))


def prose(text: str) -> str:
    """All that is neither code nor output nor the address of a link."""
    return _TARGET.sub("]", _SPAN.sub("", _INDENTED.sub("\n", _FENCED.sub("", text))))
