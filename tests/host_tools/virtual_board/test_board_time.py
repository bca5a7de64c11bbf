"""Time on a virtual board: it passes as the parts take it, and the same in every run; a slow host is no absent one."""

import re
import time
import zlib

import pytest

from conversion.kmodel import v3
from host_tools.virtual_board import timing
from tests.firmware.app.virtual import Program
from tests.jumping import VirtualBoard

LONG = "import utime\nutime.sleep(36000)\nprint('slept', utime.time() // 3600)\n"
PARTS = """
import lcd, sensor, utime
from Maix import utils
sensor.reset()
sensor.set_pixformat(sensor.RGB565)
sensor.set_framesize(sensor.QVGA)
lcd.init()
picture = sensor.snapshot()
def took(call):
    begin = utime.ticks_us()
    call()
    return utime.ticks_diff(utime.ticks_us(), begin)
print('camera', [took(sensor.snapshot) for _ in range(3)])
print('lcd', took(lambda: lcd.display(picture)))
print('flash', took(lambda: utils.flash_read(0x300000, 4096)))
print('sleep', took(lambda: utime.sleep_ms(70)))
print('line', took(lambda: print('x' * 1000)))
"""
# What a program's own calls take besides.
CALLS_US = 500


def test_ten_hours_pass_in_a_moment() -> None:
    with VirtualBoard(files={"main.py": LONG}) as board:
        board.wait_for("slept 10\r\n")
        assert 36_000_000_000 <= board.clock.now() < 36_001_000_000


def test_so_much_time_passes_and_no_more() -> None:
    with VirtualBoard(files={"main.py": LONG}) as board:
        board.pass_time(35_999)
        assert "slept" not in board.output()
        board.pass_time(2)
        assert "slept 10\r\n" in board.output()


def test_the_parts_take_their_time() -> None:
    with VirtualBoard(files={"main.py": PARTS}) as board:
        first, second, third = map(int, board.wait_for(re.compile(r"camera \[(\d+), (\d+), (\d+)\]")).groups())
        # A frame that is asked for when one has begun is the next one.
        assert timing.CAMERA_FRAME_US <= first <= 2 * timing.CAMERA_FRAME_US
        assert {second, third} <= set(range(timing.CAMERA_FRAME_US, 2 * timing.CAMERA_FRAME_US + CALLS_US))
        for name, microseconds in (
            ("lcd", timing.microseconds(320 * 240 * 2, timing.LCD_BYTES_PER_SECOND)),
            ("flash", timing.microseconds(4096, timing.FLASH_BYTES_PER_SECOND)),
            ("sleep", 70_000),
            ("line", timing.microseconds(1002, 11520)),
        ):
            found = int(board.wait_for(re.compile(rf"{name} (\d+)"))[1])
            assert microseconds <= found <= microseconds + CALLS_US, name


def frames(count: int) -> list[tuple]:
    """What a board says of its first frames, their times included."""
    with Program(size=(96, 64)) as board:
        return [board.next("FRAME").fields for _ in range(count)]


def test_two_runs_are_the_same_to_the_microsecond() -> None:
    assert frames(5) == frames(5)


def test_the_kpu_takes_what_the_model_of_its_time_says() -> None:
    with Program(size=(96, 64)) as board:
        *_, capture, kpu, decode, draw, send = board.next("FRAME").fields
        expected = timing.kpu_us(v3.read(board.model.data, "the board's"))
    assert expected <= kpu <= expected + CALLS_US
    assert capture >= timing.CAMERA_FRAME_US
    assert 0 < decode < draw
    assert send == 0, "nothing was sent before the first frame"


class TestSlowHost:
    """A host that is there and does nothing for a while, however long that takes on this machine."""

    def test_a_raised_speed_is_kept_until_the_host_is_gone(self) -> None:
        with Program() as board:
            board.next("FRAME")
            assert board.ask("BAUD,1,460800")[0] == 0
            board.tell("PING,2")
            time.sleep(0.3)
            assert "back at 115200" not in board.output()
            begin = board.clock.now()
            with board.clock.host_gone():
                board.wait_for("no host at the raised speed, back at 115200 baud")
            assert board.clock.now() - begin >= 2_000_000

    def test_an_upload_is_kept_until_the_host_is_gone(self) -> None:
        with Program(size=(96, 64)) as board:
            board.next("FRAME")
            assert board.ask(f"PIXELS,1,96,64,{zlib.crc32(b'none')}")[0] == 0
            time.sleep(0.3)
            board.tell("PING,2")
            time.sleep(0.3)
            assert "upload given up" not in board.output()
            with board.clock.host_gone():
                board.next("ERROR", "4,")
            assert board.clock.now() >= 10_000_000


def test_a_board_whose_time_stands_still_can_be_reset_and_switched_off() -> None:
    with VirtualBoard(files={"main.py": "import utime\nwhile True:\n    print('turn')\n    utime.sleep(1)\n"}) as board:
        board.wait_for("turn")
        board.reset()
        board.wait_for("turn")
    with pytest.raises(ValueError, match="closed"):
        board.flash.read(0, 1)
