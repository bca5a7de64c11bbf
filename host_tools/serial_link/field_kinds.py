"""Kinds of fields in a board's sentences: each reads a field's text, and raises ValueError for what it cannot be."""

from __future__ import annotations

import re
from collections.abc import Callable

from host_tools.serial_link import sentences

Field = Callable[[str], object]
NAME = re.compile(r"[A-Za-z0-9._-]{1,255}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def within(low: int, high: int) -> Field:
    """An integer from `low` to `high`."""

    def read_integer(text: str) -> int:
        value = sentences.integer(text)
        if not low <= value <= high:
            raise ValueError(f"{value} is not from {low} to {high}")
        return value

    return read_integer


def name(text: str) -> str:
    """A name: letters, digits, dots, underscores and hyphens."""
    if not NAME.fullmatch(text):
        raise ValueError(f"{text!r} is no name")
    return text


def sha256(text: str) -> str | None:
    """64 hex digits; None for `-`."""
    if text != "-" and not _SHA256.fullmatch(text):
        raise ValueError(f"{text!r} is no SHA-256")
    return None if text == "-" else text
