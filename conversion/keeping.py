"""Keeps what a function makes of its arguments, by the content of the arguments and of all code that took part."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np

from conversion import cache, closure

T = TypeVar("T")


def kept(
    kind: str, make: Callable[..., bytes], *arguments: object, read: Callable[[bytes], T] = bytes, **told: object
) -> T:
    """What `read` makes of what `make(*arguments, **told)` gives, or gave when the same code was given the same.

    The code is the import closure of the module that `make` stands in. `told` must not change the result (a function
    that is told of the progress); it is no part of the key. TypeError for an argument without a content of its own.
    What is kept and `read` cannot read is made anew.
    """
    return cache.cached(kind, key(make, *arguments), lambda: make(*arguments, **told), read)


def key(make: Callable[..., bytes], *arguments: object) -> str:
    """What the result of a function depends on, as one hash: its code and its arguments."""
    code = closure.digest(make.__module__)
    return cache.key(code, make.__qualname__, *(content(argument) for argument in arguments))


def content(value: object) -> str:
    """A hash over everything in an argument: equal contents have equal hashes, types and boundaries count.

    Of dataclasses those fields count that are compared: two that are equal make the same result. TypeError for
    anything whose content is not known here, a path for example, behind which a file may change.
    """
    kind = type(value).__name__
    if value is None or isinstance(value, bool | int | float | str):
        return cache.key(kind, repr(value))
    if isinstance(value, bytes):
        return cache.key(kind, value)
    if isinstance(value, np.ndarray):
        return cache.key(kind, value.dtype.str, repr(value.shape), value.tobytes())
    if isinstance(value, tuple | list):
        return cache.key(kind, *map(content, value))
    if isinstance(value, Mapping):
        return cache.key("mapping", *(content(part) for item in value.items() for part in item))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        compared = [field.name for field in dataclasses.fields(value) if field.compare]
        return cache.key(kind, *(part for name in compared for part in (name, content(getattr(value, name)))))
    raise TypeError(f"the content of a {kind} is not known")
