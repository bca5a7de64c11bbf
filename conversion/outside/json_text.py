"""JSON from outside: the one reader, with limits of size, depth and number width.

Python's own takes numbers of any width (10^400 overflows whatever computes with it), reads 1e400 as infinity, and NaN.
"""

from __future__ import annotations

import json
import math

MOST_DEPTH = 64
# Integers of 64 bits have 19 digits and a sign.
_MOST_DIGITS = 20
_NESTED = (dict, list)


def parse(data: bytes | str, most_bytes: int, unique: bool = False) -> object:
    """What JSON of at most `most_bytes` says; with `unique` no name may stand twice in an object.

    ValueError, in words for one line, for all else: not JSON, nested deeper than MOST_DEPTH, an integer wider than 64
    bits, a number that no float holds.
    """
    if len(data) > most_bytes:
        raise ValueError(f"more than {most_bytes} bytes")
    try:
        found = json.loads(
            data,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
            object_pairs_hook=_object if unique else None,
        )
    except RecursionError:
        found = None
        too_deep = True
    else:
        too_deep = _is_deep(found)
    if too_deep:
        raise ValueError(f"nested deeper than {MOST_DEPTH}")
    return found


def _is_deep(found: object) -> bool:
    level = [found] if isinstance(found, _NESTED) else []
    for _ in range(MOST_DEPTH):
        level = [
            below
            for each in level
            for below in (each.values() if isinstance(each, dict) else each)
            if isinstance(below, _NESTED)
        ]
        if not level:
            return False
    return True


def _integer(text: str) -> int:
    value = int(text) if len(text) <= _MOST_DIGITS else 1 << 64
    if not -(1 << 63) <= value < 1 << 63:
        raise ValueError(f"an integer of {len(text)} digits does not fit 64 bits")
    return value


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is beyond what a float holds")
    return value


def _constant(name: str) -> object:
    raise ValueError(f"{name} is no number")


def _object(pairs: list[tuple[str, object]]) -> dict:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return dict(pairs)
