"""What emulated chips say to a user: each remark once in a command, and all that is known of a crash."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from conversion.progress import Talk
from host_tools.k210 import CrashError, Machine, Note


class Remarks:
    """A talk that also listens to machines; several machines of one command make the same remark once."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._told: set[str] = set()

    @classmethod
    def of(cls, talk: Talk) -> Remarks:
        """The same one, if it is one already."""
        return talk if isinstance(talk, cls) else cls(talk)

    def __call__(self, message: str) -> None:
        self._talk(message)

    def listen(self, machine: Machine) -> None:
        """Tell what a machine has remarked (a saved one before it was saved) and what it remarks from now on."""
        for note in machine.notes:
            self._note(note)
        machine.notes.on_note = self._note

    def _note(self, note: Note) -> None:
        if note.text not in self._told:
            self._told.add(note.text)
            self._talk(f"emulated chip: {note}")

    @contextmanager
    def on_crash(self) -> Iterator[None]:
        """Where the firmware crashes inside, tell registers, calls and last words; the error goes on."""
        try:
            yield
        except CrashError as crash:
            self._talk(crash.report)
            raise
