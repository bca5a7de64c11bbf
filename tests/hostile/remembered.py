"""What a process computes once of the sound parts of mutants, and not again for each: answers of pure functions.

Most of a damaged kmodel or card is sound. A part that is damaged is another argument, and is computed as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from conversion.kmodel import v3
from conversion.kmodel.registers import Registers
from conversion.kpu import memory, posenet, simulator
from host_tools import boards

# Where a function is looked up, its name, and how many answers are kept: more than a small kmodel has layers.
_PURE: tuple[tuple[object, str, int], ...] = (
    (Registers, "unpack", 128),
    (v3, "read", 2),
    (memory, "check", 2),
    (simulator, "LayerArithmetic", 128),
    (posenet, "Simulation", 2),
    (boards, "find", 8),
)


def _kept(where: object, name: str, most: int) -> Callable[..., object]:
    return staticmethod(lru_cache(most)(getattr(where, name)))


_PLAIN = [(where, name, vars(where)[name]) for where, name, _ in _PURE]
_KEPT = [(where, name, _kept(where, name, most)) for where, name, most in _PURE]


@contextmanager
def remembered() -> Iterator[None]:
    """For the time of a block, over all such blocks of this process."""
    _set(_KEPT)
    try:
        yield
    finally:
        _set(_PLAIN)


def _set(functions: list[tuple[object, str, object]]) -> None:
    for where, name, function in functions:
        setattr(where, name, function if isinstance(where, type) else getattr(function, "__func__", function))
