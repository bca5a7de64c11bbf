"""The LCD: a window drawn by a program over SPI0, and pictures as a person sees them, turned and mirrored."""

from __future__ import annotations

import numpy as np
import pytest

from host_tools.k210 import Machine
from host_tools.k210.blocks.addresses import Function
from host_tools.k210.parts.lcd import ILI9486, Lcd
from tests.host_tools.k210.programs import run

# Lines of D/C (IO38 as GPIOHS3), clock (IO39 as SPI0's) and the controller: 8 bits, sending.
SETUP = f"""
    li s0, FPIOA
    li t0, {Function.GPIOHS0 + 3}
    sw t0, {4 * 38}(s0)
    li t0, {Function.SPI0_SCLK}
    sw t0, {4 * 39}(s0)
    li s1, GPIOHS
    li t0, 8
    sw t0, 0x08(s1)
    li s0, SPI0
    li t0, {7 << 16 | 1 << 8}
    sw t0, 0x00(s0)
    li t0, 2
    sw t0, 0x14(s0)
    li t0, 1
    sw t0, 0x08(s0)
    sw t0, 0x10(s0)
"""
RED, GREEN = 0xF800, 0x07E0


def send(data: bytes, command: bool) -> str:
    lines = [f"li t0, {0 if command else 8}", "sw t0, 0x0c(s1)"]
    for byte in data:
        lines += [f"li t0, {byte}", "sw t0, 0x60(s0)"]
    return "\n".join(lines) + "\n"


def test_a_program_draws_a_window() -> None:
    source = SETUP + "".join(send(bytes([byte]), True) for byte in (0x11, 0x29))
    for command, data in (
        (0x36, b"\xa0"),
        (0x2A, bytes((0, 2, 0, 3))),
        (0x2B, bytes((0, 1, 0, 1))),
        (0x2C, bytes((0xF8, 0x00, 0x07, 0xE0))),
    ):
        source += send(bytes([command]), True) + send(data, False)
    made = run(source)
    picture = made.lcd.picture()
    assert picture.shape == (240, 320, 3)
    assert picture[1, 2].tolist() == [255, 0, 0]
    assert picture[1, 3].tolist() == [0, 255, 0]
    assert picture.any(-1).sum() == 2
    assert made.lcd.pictures == 1


def draw(lcd: Lcd, direction: int, corner: int = RED, rest: int = GREEN, width: int = 320, height: int = 240) -> None:
    """A picture that is all of one colour but for its top left pixel, as the firmware sees it."""
    dc = lcd.wiring.data_command

    def command(byte: int, data: bytes = b"") -> None:
        lcd._chip.pins.drive(dc, 0)
        lcd.transfer(bytes([byte]), 0)
        lcd._chip.pins.drive(dc, 1)
        lcd.transfer(data, 0)

    command(0x11)
    command(0x29)
    command(0x36, bytes([direction]))
    command(0x2A, bytes(2) + (width - 1).to_bytes(2, "big"))
    command(0x2B, bytes(2) + (height - 1).to_bytes(2, "big"))
    words = np.full(width * height, rest, ">u2")
    words[0] = corner
    command(0x2C, words.tobytes())


@pytest.mark.parametrize(("direction", "seen"), [(0xA0, (0, 0)), (0x60, (-1, -1)), (0xE0, (-1, 0)), (0x20, (0, -1))])
def test_direction_decides_where_the_top_left_corner_is(direction: int, seen: tuple[int, int]) -> None:
    """0xA0 is upright on a Maix Bit, 0x60 upside down; the others are mirrored."""
    lcd = Machine().lcd
    draw(lcd, direction)
    picture = lcd.picture()
    rows, columns = (picture[..., 0] == 255).nonzero()
    assert (int(rows[0]), int(columns[0])) == (seen[0] % 240, seen[1] % 320)
    assert len(rows) == 1


def test_standing_pictures_lie_on_their_side() -> None:
    lcd = Machine().lcd
    draw(lcd, 0x00, width=240, height=320)
    rows, columns = (lcd.picture()[..., 0] == 255).nonzero()
    assert (int(rows[0]), int(columns[0])) == (0, 319)


# What MADCTL says, and where the first pixel that the firmware sends is then seen on glass of 480x320.
ILI9486_CORNERS = {0x28: (0, 0), 0xE8: (-1, -1), 0x68: (-1, 0), 0xA8: (0, -1)}


@pytest.mark.parametrize("board", ["maix_amigo_ips", "maix_amigo_tft"])
@pytest.mark.parametrize("direction", ILI9486_CORNERS)
def test_direction_turns_and_mirrors_the_ili9486(board: str, direction: int) -> None:
    """0x28 is what Amigo's config.json says: rows and columns exchanged, blue first."""
    lcd = Machine(board=board).lcd
    draw(lcd, direction, width=480, height=320)
    if lcd.view.inverted:
        lcd._chip.pins.drive(lcd.wiring.data_command, 0)
        lcd.transfer(b"\x21", 0)
    picture = lcd.picture()
    assert picture.shape == (320, 480, 3)
    colours = {tuple(colour) for colour in picture.reshape(-1, 3).tolist()}
    assert len(colours) == 2
    rows, columns = (picture[..., 1] == 0).nonzero()
    wanted = ILI9486_CORNERS[direction]
    assert (rows.tolist(), columns.tolist()) == ([wanted[0] % 320], [wanted[1] % 480])


def test_colours_inverted_and_exchanged() -> None:
    lcd = Machine().lcd
    draw(lcd, 0xA8)
    assert lcd.picture()[0, 0].tolist() == [0, 0, 255]
    lcd._chip.pins.drive(38, 0)
    lcd.transfer(b"\x21", 0)
    assert lcd.picture()[0, 0].tolist() == [255, 255, 0]
    lcd.transfer(b"\x28", 0)
    assert not lcd.picture().any()


def test_boards_have_their_own_glass() -> None:
    amigo, stick = Machine(board="maix_amigo_ips").lcd, Machine(board="m5stickv").lcd
    assert amigo.memory.shape == ILI9486
    assert amigo.picture().shape == (320, 480, 3)
    assert stick.picture().shape == (135, 240, 3)
    assert stick.wiring.data_command == 20
    assert Machine(board="maix_nano").lcd is None
