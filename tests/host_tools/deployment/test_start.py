"""When a program that has been deployed counts as running, and what is told where it complains."""

from __future__ import annotations

from dataclasses import replace

import pytest

from host_tools.deployment.start import Started
from host_tools.serial_link import Hello, Trouble, remedy

HELLO = Hello(1, "0.1.0", 7, "MaixPy", "v0.6.3", "maix_bit", 0, 96, 80, 320, 240, 1, "0" * 64, 720, 115200)
NO_CAMERA = Trouble(30, 1, "no camera")


@pytest.mark.parametrize(
    ("started", "runs"),
    [
        (Started(), False),
        (Started(HELLO), True),
        (Started(replace(HELLO, source=1)), True),
        (Started(replace(HELLO, source=-1)), False),
        (Started(HELLO, trouble=NO_CAMERA), False),
        (Started(trouble=NO_CAMERA), False),
    ],
)
def test_a_program_runs_when_it_takes_frames_and_has_no_trouble(started: Started, runs: bool) -> None:
    assert started.runs == runs


def test_trouble_is_told_with_its_remedy() -> None:
    assert Started(HELLO).warning is None
    assert Started(HELLO, trouble=NO_CAMERA).warning == f"the program reports: no camera ({remedy(30)})"
    unknown = Started(HELLO, trouble=replace(NO_CAMERA, code=999)).warning
    assert unknown == "the program reports: no camera"
