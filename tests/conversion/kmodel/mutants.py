"""Damages kmodel files, and counts what a reader makes of them: refused, unchanged, or accepted with other numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from hypothesis import strategies as st

from conversion.errors import ConversionError

OUTCOMES: dict[str, Counter[str]] = {}


@st.composite
def damaged(draw: st.DrawFn, data: bytes, structure: int) -> bytes:
    """The file with a few bytes changed, half of them in its first `structure` bytes, and perhaps cut off or longer."""
    mutant = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        position = draw(st.integers(0, len(data) - 1) | st.integers(0, structure - 1))
        mutant[position] = draw(st.integers(0, 255) | st.just(mutant[position] ^ 1 << draw(st.integers(0, 7))))
    cut = draw(st.none() | st.none() | st.integers(0, len(data)))
    return bytes(mutant[:cut]) + draw(st.just(b"") | st.just(b"") | st.binary(max_size=16))


def attempt(form: str, read: Callable[[bytes], object], mutant: bytes, whole: object) -> None:
    """Read a mutant: a clean error or a model, anything else fails the test. `whole` is what the whole file gives."""
    outcomes = OUTCOMES.setdefault(form, Counter())
    said = ""
    try:
        model = read(mutant)
        outcomes["accepted as it was" if model == whole else "accepted with changed numbers"] += 1
    except ConversionError as error:
        said = str(error)
        outcomes["refused"] += 1
    assert "\n" not in said


def report() -> list[str]:
    """One line a form: how many mutants, and which share was accepted with changed numbers."""
    lines = []
    for form, outcomes in sorted(OUTCOMES.items()):
        total = sum(outcomes.values())
        changed = outcomes["accepted with changed numbers"]
        lines.append(f"{form}: {total} mutants, {changed / total:.1%} accepted with changed numbers")
    return lines
