"""What became of damaged files: counted over a test session, printed at its end."""

from __future__ import annotations

from collections import Counter

_tally: dict[str, Counter] = {}


def count(form: str, outcome: str) -> None:
    """One mutant of a form: "refused", "same" or "changed"."""
    _tally.setdefault(form, Counter())[outcome] += 1


def report() -> list[str]:
    """One line a form."""
    return [
        f"mutants of {form} looked into: {found.total()} tried, {found['refused']} refused, {found['same']} described "
        f"the same, {found['changed']} ({found['changed'] / found.total():.1%}) described differently"
        for form, found in _tally.items()
    ]
