"""What a page may ask for, checked field by field: an order is either whole and within its ranges, or refused.

An order is a JSON object {id, do, …}: `id` is the page's number for it (0 to 2^31 - 1), which the reply repeats; `do`
and its fields are listed in ORDERS. The reply is {type: "reply", id, ok, text}; everything else that a server sends
is made in `board_state.py` and `hub.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container
from dataclasses import dataclass

from host_tools.serial_link import units

MAX_BYTES = 4096
_HIGHEST_ID = 2**31 - 1
_RECORDING = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


@dataclass(frozen=True)
class Range:
    """A whole number from `low` to `high`; with `optional`, None leaves the board's value as it is."""

    low: int
    high: int
    optional: bool = False

    def fault(self, value: object) -> str | None:
        """Why a value is refused; None if it is right."""
        if value is None and self.optional:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            return "must be a whole number"
        return None if self.low <= value <= self.high else f"must be from {self.low} to {self.high}"


@dataclass(frozen=True)
class Switch:
    """True or false."""

    def fault(self, value: object) -> str | None:
        """Why a value is refused; None if it is right."""
        return None if isinstance(value, bool) else "must be true or false"


@dataclass(frozen=True)
class FileName:
    """The name of a recording: letters, digits and `. _ -`, no folder; None has the server choose one."""

    def fault(self, value: object) -> str | None:
        """Why a value is refused; None if it is right."""
        if value is None or (isinstance(value, str) and _RECORDING.fullmatch(value)):
            return None
        return "must be 1 to 60 letters, digits, dots, underscores or hyphens, a letter or digit first"


# The ranges of the settings, as the board itself has them.
POSES = {
    "max_poses": Range(1, units.MOST_POSES, optional=True),
    "root_score": Range(1, units.THRESHOLD_ONE, optional=True),
    "nms_radius": Range(0, units.MOST_RADIUS, optional=True),
    "pose_score": Range(0, units.THRESHOLD_ONE, optional=True),
    "vote": Range(0, units.MOST_VOTE, optional=True),
}
ZOOM = {
    "zoom": Range(units.LEAST_ZOOM, units.MOST_ZOOM, optional=True),
    "smooth": Range(0, 1, optional=True),
}
PREVIEW_QUALITY = Range(*units.PREVIEW_QUALITIES)
ORDERS: dict[str, dict[str, Range | Switch | FileName]] = {
    "poses": POSES,
    "zoom": ZOOM,
    "mode": {"mode": Range(0, 1)},
    "save": {},
    "pause": {},
    "resume": {},
    "preview": {"on": Switch(), "quality": PREVIEW_QUALITY},
    "record": {"on": Switch(), "name": FileName()},
}
# Orders for the server itself; all others are for one board.
_WITHOUT_BOARD = frozenset({"record"})


@dataclass(frozen=True)
class Order:
    """One order that is right: its number, what to do, with which board, and the fields of ORDERS."""

    number: int
    do: str
    board: int | None
    values: dict[str, int | bool | str | None]


class BadOrderError(ValueError):
    """An order that is refused; `number` is its id, None if it has none."""

    def __init__(self, text: str, number: int | None = None) -> None:
        super().__init__(text)
        self.number = number


def parse(text: str, boards: Container[int]) -> Order:
    """The order in a message of the page; `boards` are the numbers of those that are there. BadOrderError if wrong."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadOrderError("the message is no JSON") from error
    if not isinstance(said, dict):
        raise BadOrderError("the message is no JSON object")
    number = said.get("id")
    if Range(0, _HIGHEST_ID).fault(number):
        raise BadOrderError(f"id must be a whole number from 0 to {_HIGHEST_ID}")
    try:
        return _order(number, said, boards)
    except ValueError as error:
        raise BadOrderError(str(error), number) from error


def _order(number: int, said: dict, boards: Container[int]) -> Order:
    do = said.get("do")
    if not isinstance(do, str) or do not in ORDERS:
        raise ValueError(f"do must be one of {', '.join(ORDERS)}")
    board = None if do in _WITHOUT_BOARD else _board(said.get("board"), boards)
    values = {}
    for name, field in ORDERS[do].items():
        values[name] = said.get(name)
        if fault := field.fault(values[name]):
            raise ValueError(f"{name} {fault}")
    return Order(number, do, board, values)


def _board(number: object, boards: Container[int]) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number not in boards:
        raise ValueError("there is no such board")
    return number
