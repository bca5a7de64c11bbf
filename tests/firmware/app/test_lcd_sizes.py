"""The program with LCDs of other sizes than the picture's: the whole of it, or its middle, and what it says of that."""

from __future__ import annotations

from tests.firmware.app import stand_ins
from tests.firmware.app.board import Board


def test_a_smaller_lcd_shows_the_whole_picture_with_what_the_hook_draws() -> None:
    board = Board()
    board.lcd.size = (240, 135)
    board.config["lcd"] = {"width": 240, "height": 135}

    def on_frame(poses: list, frame: int, image: stand_ins.Image) -> None:
        image.draw_string(1, 2, "mine", color=(1, 2, 3))

    board.run(2000, on_frame)
    assert "KiB, 48 of it for the picture at the LCD's size" in board.printed
    assert len(board.lcd.shown) > 5
    for size, roi, offset, drawn in board.lcd.shown:
        assert (size, roi, offset) == ((180, 135), (0, 0, 180, 135), (30, 0))
        assert drawn[0] == ("string", (1, 2, "mine"), (1, 2, 3))
        assert sum(kind == "line" for kind, _, _ in drawn) == 36


def test_it_is_cropped_where_the_config_says_so() -> None:
    board = Board()
    board.lcd.size = (240, 135)
    board.config["lcd"] = {"width": 240, "height": 135}
    board.config["lcd_scale"] = 0
    board.run(2000)
    assert "LCD's size" not in board.printed
    assert {shown[:3] for shown in board.lcd.shown} == {((320, 240), (40, 52, 240, 135), (0, 0))}


def test_it_is_cropped_where_the_heap_has_no_room_and_that_is_said_once() -> None:
    board = Board()
    board.lcd.size = (480, 320)
    board.config["lcd"] = {"width": 480, "height": 320}
    board.config["selftest"] = 1
    board.run(4000)
    assert board.printed.count("shows the middle of the picture") == 1
    assert "no room in MicroPython's heap for 267 KiB" in board.printed
    assert {shown[:3] for shown in board.lcd.shown} == {((320, 240), (0, 0, 320, 240), (80, 40))}


def test_the_firmware_collects_by_itself_while_modules_are_imported_alone() -> None:
    """The program, then the network's module."""
    board = Board()
    board.run(1000)
    assert board.thresholds == [16384, -1] * 2
