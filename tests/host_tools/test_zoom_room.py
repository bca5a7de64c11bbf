"""`deploy` with zoom: the size of MicroPython's heap is computed, or it is said why there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from host_tools import boards, payload, zoom_room
from host_tools.deployment import entries
from host_tools.payload import Payload
from tests.host_tools.verification import small

KIB = 1024


def made(tmp_path: Path, board: str, *pairs: str) -> Payload:
    """What that board is to have of the small model, with entries of its own."""
    path = small.write(tmp_path / "small.kmodel")
    return entries.given(payload.of(boards.find(board), path), pairs)


def heavy(the_payload: Payload) -> Payload:
    """The same with a kmodel as large as PoseNet's."""
    card = {**the_payload.card, "input": {"width": 320, "height": 240}, "memory": {"main_memory_bytes": 34_504}}
    return replace(the_payload, kmodel=bytes(1_375_888), card=card)


def test_without_zoom_nothing_changes(tmp_path: Path) -> None:
    plain = made(tmp_path, "maix_bit")
    assert zoom_room.given(plain) == plain
    assert list(zoom_room.told(plain)) == []


@pytest.mark.parametrize("zoom", [-1, 1, 4])
def test_zoom_gets_the_heap_that_it_needs(tmp_path: Path, zoom: int) -> None:
    the_payload = zoom_room.given(heavy(made(tmp_path, "maix_bit", f"zoom={zoom}")))
    assert the_payload.pose_config["heap"] == 672 * KIB
    ((is_warning, line),) = zoom_room.told(the_payload)
    assert not is_warning
    assert "heap 672 KiB" in line
    assert "88 KiB left to MaixPy minimum" in line


def test_a_heap_that_was_chosen_stays_with_a_warning(tmp_path: Path) -> None:
    the_payload = zoom_room.given(heavy(made(tmp_path, "maix_bit", "zoom=1", "heap=786432")))
    assert the_payload.pose_config["heap"] == 768 * KIB
    ((is_warning, line),) = zoom_room.told(the_payload)
    assert is_warning
    assert "wants a heap of 672 KiB for MicroPython, not 768" in line


def test_a_full_build_is_told_why_not(tmp_path: Path) -> None:
    the_payload = zoom_room.given(heavy(made(tmp_path, "m5stickv", "zoom=1")))
    assert the_payload.pose_config["heap"] == payload.DEFAULT_SETTINGS["heap"]
    ((is_warning, line),) = zoom_room.told(the_payload)
    assert is_warning
    assert "no room on MaixPy full" in line
    assert "minimum" in line
