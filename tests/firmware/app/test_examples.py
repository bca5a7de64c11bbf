"""The makers' examples, run as main.py on the virtual board before a person whom the light moves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.app import puppet, sentences
from tests.firmware.app.virtual import FIRMWARE, Program

EXAMPLES = FIRMWARE / "examples"
FRAMES = 6


@contextmanager
def running(name: str, in_light: np.ndarray = puppet.STANDING) -> Iterator[Program]:
    """An example on a board whose camera looks into the dark."""
    with Program(
        files={"main.py": EXAMPLES / name}, model=puppet.model(in_light, size=(256, 240)), camera=puppet.DARK
    ) as board:
        board.reach(FRAMES)
        yield board
        assert sentences.of(board.sentences(), "ERROR") == []


def test_a_raised_hand_switches_the_pin() -> None:
    with running("raised_hand.py", puppet.HAND_UP) as board:
        assert board.pin(12) == 1
        for scene, said, level in ((puppet.LIGHT, "hand raised", 0), (puppet.DARK, "hand down", 1)):
            board.look_at(scene)
            board.wait_for(said)
            assert board.pin(12) == level


def test_people_are_counted() -> None:
    with running("people_counter.py") as board:
        assert re.findall(r"people: \d", board.output()) == ["people: 1"]


def test_squats_are_counted() -> None:
    with running("squat_counter.py", puppet.SQUATTING) as board:
        assert "squats:" not in board.output()
        for number in (1, 2):
            board.look_at(puppet.LIGHT)
            frame = board.next("FRAME").fields[0]
            board.reach(frame + 3)
            board.look_at(puppet.DARK)
            board.wait_for(f"squats: {number}")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_every_example_is_in_the_readme_and_short(path: Path) -> None:
    assert f"examples/{path.name}" in (FIRMWARE / "README.md").read_text()
    assert len(path.read_text().splitlines()) < 80
