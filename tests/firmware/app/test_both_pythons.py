"""The parts without hardware give the same under MicroPython and CPython."""

from __future__ import annotations

from tests.firmware import board_python


def test_sentences_config_settings_and_geometry_are_the_same() -> None:
    here = board_python.run_in_cpython("app/pure_parts.py")
    there = board_python.run("app/pure_parts.py")
    assert there == here
    assert here.count("[b'PING', b'1']") == 3
    assert len(here.splitlines()) > 90


def test_people_and_labels_are_the_same_and_leave_nothing_on_the_heap() -> None:
    here = board_python.run_in_cpython("app/board_identity.py")
    *there, heap = board_python.run("app/board_identity.py").splitlines()
    assert there == here.splitlines()
    assert len(there) == 40
    assert heap == "heap 0"
