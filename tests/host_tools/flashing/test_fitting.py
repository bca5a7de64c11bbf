"""Builds of MaixPy that are for one board, and boards that need their own."""

from __future__ import annotations

import pytest

from host_tools import boards
from host_tools.flashing import fitting
from host_tools.flashing.kfpkg import Entry, Package


def warned(name: str, board: str, data: bytes = b"x") -> str:
    package = Package((Entry(name, 0, data, firmware=True), Entry("a.kmodel", 0x300000, b"m")))
    return "\n".join(fitting.warnings(package, boards.find(board)))


@pytest.mark.parametrize(
    ("name", "board"),
    [
        ("maixpy_v0.6.2_84_minimum.bin", "maix_bit"),
        ("maixpy_v0.6.2_84_m5stickv.bin", "m5stickv"),
        ("maixpy_v0.6.3_amigo_ips_minimum.bin", "maix_amigo_ips"),
        ("whatever.bin", "maix_cube"),
    ],
)
def test_a_build_that_fits_is_nothing_to_speak_of(name: str, board: str) -> None:
    assert warned(name, board) == ""


@pytest.mark.parametrize("board", ["m5stickv", "maix_amigo_ips", "maix_amigo_tft"])
def test_boards_that_need_their_own_build_say_which(board: str) -> None:
    said = warned("maixpy_v0.6.2_84_minimum.bin", board)
    assert boards.find(board).firmware_build in said
    assert boards.find(board).name in said


def test_what_the_image_says_of_itself_counts_whatever_its_name() -> None:
    assert warned("firmware.bin", "m5stickv", b"... M5StickV ...") == ""


def test_another_boards_build_is_told() -> None:
    assert "M5StickV" in warned("maixpy_v0.6.2_84_m5stickv.bin", "maix_bit")
    assert warned("maixpy_v0.6.3_amigo_tft_minimum.bin", "maix_amigo_ips")
