"""Faults: read from texts, and as frequent as they say."""

import pytest

from host_tools.errors import BoardError
from host_tools.virtual_board.faults import Faults, Noise

DATA = bytes(range(256)) * 200


def test_they_are_read_from_the_command_line() -> None:
    assert Faults.parse(("drop=0.001", "reboot=20")) == Faults(drop=0.001, reboot=20)
    assert Faults.parse(()) == Faults()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("flood=1", "no such fault; there are drop, corrupt, stall"),
        ("drop=often", "expected a number, such as drop=1.0"),
        ("reboot=0.5", "expected a number, such as reboot=1"),
        ("drop", "expected a number"),
        ("corrupt=2", "a share, from 0 to 1"),
        ("slow=-1", "must not be negative"),
    ],
)
def test_nonsense_is_refused_in_one_line(text: str, problem: str) -> None:
    with pytest.raises(BoardError, match=problem) as raised:
        Faults.parse((text,))
    assert "\n" not in str(raised.value)


def test_without_faults_nothing_changes() -> None:
    assert Noise(Faults(), "x")(DATA) == DATA


def test_as_many_bytes_are_lost_as_asked() -> None:
    arrived = Noise(Faults(drop=0.01), "x")(DATA)
    assert 0.007 < 1 - len(arrived) / len(DATA) < 0.013


def test_as_many_bits_flip_as_asked() -> None:
    arrived = Noise(Faults(corrupt=0.01), "x")(DATA)
    different = [a ^ b for a, b in zip(DATA, arrived, strict=True) if a != b]
    assert 0.007 < len(different) / len(DATA) < 0.013
    assert all(bits.bit_count() == 1 for bits in different)


def test_the_same_seed_gives_the_same_noise() -> None:
    assert Noise(Faults(drop=0.1), "x")(DATA) == Noise(Faults(drop=0.1), "x")(DATA)
    assert Noise(Faults(drop=0.1), "x")(DATA) != Noise(Faults(drop=0.1, seed=1), "x")(DATA)
    assert Noise(Faults(drop=0.1), "x")(DATA) != Noise(Faults(drop=0.1), "y")(DATA)
