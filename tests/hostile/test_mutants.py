"""Mutants of every form from outside: accepted, or refused in one line with exit code 2, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.command_line import Ended
from tests.hostile import batch, forms, mutants

SOAK_COUNT = 100_000
SAMPLE_COUNT = 12
# Making sound weights takes TensorFlow, seconds of it: those are for the soak.
SAMPLE = tuple(name for name in forms.FORMS if name not in forms.OF_WEIGHTS)
MOST_PEAK_KIB = 1 << 20


def test_a_sample_of_every_form_without_weights() -> None:
    for found in mutants.batch(SAMPLE, mutants.SEED, 0, SAMPLE_COUNT, {}):
        assert found["faults"] == [], found
        assert found["accepted"] + found["refused"] == SAMPLE_COUNT, found
        assert found["peak_kib"] < MOST_PEAK_KIB, found


@pytest.fixture(scope="session")
def environment() -> Iterator[dict[str, str]]:
    with mutants.weights() as found:
        yield found


@pytest.mark.soak
@pytest.mark.parametrize("form", forms.FORMS)
def test_very_many_mutants(form: str, environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    figures = mutants.run(form, SOAK_COUNT, environment)
    with capsys.disabled():
        print(mutants.row(figures))
    assert figures.faults == []
    assert figures.tried == SOAK_COUNT
    assert figures.peak_kib < MOST_PEAK_KIB


def test_mutants_are_the_same_for_the_same_number_and_differ() -> None:
    made = [forms.FORMS["card"].made(random.Random(number)) for number in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (Ended(0, "fine\n", "· talk\n"), "accepted"),
        (Ended(2, "", "error: no; do that\n"), "refused"),
        (Ended(0, "fine\n", "error: but\n"), "exit code 0"),
        (Ended(1, "", "error: no\n"), "exit code 1"),
        (Ended(2, "", ""), "exit code 2, 0 errors"),
        (Ended(2, "", "error: one\nerror: two\n"), "exit code 2, 2 errors"),
        (Ended(2, "", "error: one\nand more\n"), "exit code 2, 1 errors"),
        (Ended(2, "", "Traceback (most recent call last):\nerror: x\n"), "a traceback"),
        (Ended(0, "\x1b[2J", ""), "unprintable"),
        (Ended(2, "", "error: \u202e\n"), "unprintable"),
    ],
)
def test_what_is_neither_accepted_nor_refused_is_a_fault(ended: Ended, expected: str) -> None:
    assert batch.judged(ended).startswith(expected)


def test_a_file_outside_of_its_folder_is_a_fault(tmp_path: object) -> None:
    def take(folder: object) -> Ended:
        (tmp_path / "outside").write_text("x")
        return Ended(0, "", "")

    forms.FORMS["harmful"] = forms.Form(lambda source: {"x": b""}, take)
    try:
        assert "open outside of its folder" in batch.tried("harmful", "1", range(1))["faults"][0]["what"]
    finally:
        del forms.FORMS["harmful"]
