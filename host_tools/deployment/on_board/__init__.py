"""What runs on the board (MicroPython 1.11), sent as text: `helpers.py` at its prompt, `finish.py` as its main.py.

An answer of helpers.py is a line of `@` and a JSON object. Other lines are for people.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from conversion.outside import json_text

_FOLDER = Path(__file__).parent
_ANSWER = "@"
_MOST_ANSWER_BYTES = 64 * 1024


def source(name: str) -> str:
    """The text of `helpers` or `finish`."""
    return (_FOLDER / f"{name}.py").read_text(encoding="utf-8")


def call(function: str, *arguments: object) -> str:
    """Python that calls a function of helpers.py."""
    return f"{function}({', '.join(map(repr, arguments))})"


def answer(line: str) -> dict | None:
    """The answer in a line; None for another line, half of one, and one whose fields are not what helpers.py says."""
    if not line.startswith(_ANSWER):
        return None
    try:
        found = json_text.parse(line[len(_ANSWER) :], _MOST_ANSWER_BYTES)
    except ValueError:
        return None
    if not isinstance(found, dict) or not all(name in _FIELDS and _FIELDS[name](found[name]) for name in found):
        return None
    return found


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_size(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_base64(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(base64.b64decode(value, validate=True) or True)
    except ValueError:
        return False


# What each field of an answer must be: a board can say anything.
_FIELDS: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(
        ("platform", "version", "file", "content", "damaged", "digest", "value", "flash", "path"), _is_text
    ),
    **dict.fromkeys(("mounted", "missing"), _is_texts),
    **dict.fromkeys(("free", "bytes", "heap"), _is_size),
    **dict.fromkeys(("data", "begin"), _is_base64),
    "holds": lambda value: isinstance(value, bool),
}
