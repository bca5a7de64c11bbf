"""The base of everything that holds a port, a process or threads: a context manager that ends by `close()`."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AbstractContextManager
from typing import TypeVar

T = TypeVar("T", bound="Closing")


class Closing(AbstractContextManager):
    """`with` gives the object itself, and closes it however its block is left."""

    def __enter__(self: T) -> T:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Let go of all that is held."""
