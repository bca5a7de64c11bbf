"""What a form that comes from outside is: how a mutant of it is made, and where it is led."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from conversion.command_line import Commands
from tests import command_line
from tests.hostile import doors

Take = Callable[[Path], command_line.Ended]
# What a command prints where tables would take long.
AS_JSON = ("--json",)


@dataclass(frozen=True)
class Form:
    """`made` gives the files of a mutant by name; `take` leads the folder with them to the project.

    `whole` is the way through the whole command line, where there is one; `ready` is done once in a process.
    """

    made: Callable[[random.Random], dict[str, bytes]]
    take: Take
    whole: Take | None = None
    ready: Callable[[], object] = tuple


def of_command(
    made: Callable[[random.Random], dict[str, bytes]],
    group: Commands,
    arguments: Callable[[Path], tuple[object, ...]],
    ready: Callable[[], object] = tuple,
    quick: tuple[str, ...] = (),
) -> Form:
    """A form that a command reads; `quick` are options that spare the tables, which the whole command line shows."""
    return Form(
        made,
        lambda folder: doors.command(group, *map(str, arguments(folder)), *quick),
        lambda folder: command_line.invoke(group, arguments(folder)),
        ready,
    )
