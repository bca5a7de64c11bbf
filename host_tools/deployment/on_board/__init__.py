"""What runs on the board (MicroPython 1.11), sent as text: `helpers.py` at its prompt, `finish.py` as its main.py.

An answer of helpers.py is a line of `@` and a JSON object. Other lines are for people.
"""

from __future__ import annotations

import json
from pathlib import Path

_FOLDER = Path(__file__).parent
_ANSWER = "@"


def source(name: str) -> str:
    """The text of `helpers` or `finish`."""
    return (_FOLDER / f"{name}.py").read_text(encoding="utf-8")


def call(function: str, *arguments: object) -> str:
    """Python that calls a function of helpers.py."""
    return f"{function}({', '.join(map(repr, arguments))})"


def answer(line: str) -> dict | None:
    """The answer in a line; None for another line, or half of one."""
    if not line.startswith(_ANSWER):
        return None
    try:
        found = json.loads(line[len(_ANSWER) :])
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
