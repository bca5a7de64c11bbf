"""What a look at something found: one line, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum


class State(str, Enum):
    """How it is: as it should be, to be mended, or neither (not needed, or not to be seen from here)."""

    OK = "ok"
    BAD = "mend"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """`subject` is what was looked at, `text` what was found, `remedy` what to do, "" where nothing."""

    subject: str
    state: State
    text: str
    remedy: str = ""

    def to_dict(self) -> dict[str, str]:
        """As `doctor --json` prints it."""
        return {**asdict(self), "state": self.state.value}


def ok(subject: str, text: str) -> Finding:
    """As it should be."""
    return Finding(subject, State.OK, text)


def bad(subject: str, text: str, remedy: str) -> Finding:
    """To be mended."""
    return Finding(subject, State.BAD, text, remedy)


def note(subject: str, text: str, remedy: str = "") -> Finding:
    """Neither."""
    return Finding(subject, State.NOTE, text, remedy)
