"""Cases of which every run of the tests takes a few, and `make soak` all."""

from __future__ import annotations

from collections.abc import Iterable

import pytest


def sample(cases: Iterable[object], *taken: int) -> list:
    """The cases in their order for `parametrize`; those at the places `taken` for every run, the others for soak."""
    found = list(cases)
    assert set(taken) < set(range(len(found)))
    return [case if place in taken else _soaked(case) for place, case in enumerate(found)]


def _soaked(case: object) -> object:
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.soak)
