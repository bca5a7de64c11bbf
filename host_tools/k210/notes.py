"""What a run has to say: things that silicon does without a word, and blocks that the emulator lacks; each once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """One remark, where the guest was, and when."""

    text: str
    pc: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.text} (program counter {self.pc:#x}, {self.seconds:.3f} s)"


class Notes(list[Note]):
    """Remarks in their order. `on_note` gets each new one."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()
        self.on_note: Callable[[Note], None] | None = None

    def __reduce__(self) -> tuple:
        return _restored, (list(self), self._said)

    def add(self, text: str, pc: int, seconds: float) -> None:
        """Add a remark unless it has been made."""
        if text in self._said:
            return
        self._said.add(text)
        note = Note(text, pc, seconds)
        self.append(note)
        if self.on_note:
            self.on_note(note)

    def add_block(self, name: str, what: str, pc: int, seconds: float) -> None:
        """Name a block that is not modelled; only its first use counts."""
        if name not in self._said:
            self._said.add(name)
            self.add(f"the firmware uses {name} ({what}), which is not modelled", pc, seconds)


def _restored(notes: list[Note], said: set[str]) -> Notes:
    result = Notes()
    result.extend(notes)
    result._said = said
    return result
