"""The LCD: a controller (ST7789, ILI9486) with its picture memory, seen through the glass that the board has.

Sources: Sitronix ST7789V data sheet 1.3 and ILITEK ILI9486 data sheet 0.2, commands of the same numbers in both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from host_tools.k210.blocks.registers import Chip
from host_tools.lcd_mounting import BLUE_FIRST, EXCHANGE, MIRROR_COLUMNS, MIRROR_ROWS

SOFT_RESET, SLEEP_IN, SLEEP_OUT, INVERSION_OFF, INVERSION_ON = 0x01, 0x10, 0x11, 0x20, 0x21
DISPLAY_OFF, DISPLAY_ON, COLUMNS, ROWS, WRITE, DIRECTION, WRITE_ON = 0x28, 0x29, 0x2A, 0x2B, 0x2C, 0x36, 0x3C
# Rows and columns of the controllers' memories.
ST7789, ILI9486 = (320, 240), (480, 320)


@dataclass(frozen=True)
class Wiring:
    """The LCD's pins, as MaixPy's lcd.init() has them."""

    data_command: int = 38
    clock: int = 39


@dataclass(frozen=True)
class View:
    """What of the memory the glass shows, and how it is mounted: `direction` and `inverted` make a picture upright and
    true in colour there. Size in the upright picture; `row` and `column` are where it begins in memory."""

    width: int = 320
    height: int = 240
    direction: int = MIRROR_ROWS | EXCHANGE
    inverted: bool = False
    memory: tuple[int, int] = ST7789
    row: int = 0
    column: int = 0


class Lcd:
    """Bytes are commands while the data/command pin is low. The memory is RGB565, [rows, columns] of the glass."""

    def __init__(self, chip: Chip, wiring: Wiring, view: View) -> None:
        self._chip, self.wiring, self.view = chip, wiring, view
        self.memory = np.zeros(view.memory, np.uint16)
        # Whole windows that were written, since power-on: for a program that draws each frame at once, its frames.
        self.pictures = 0
        self.power_on()

    def power_on(self) -> None:
        """Registers as after a reset; the memory keeps its content."""
        self._command, self._parameters = 0, bytearray()
        # The first byte of a pixel whose second one has not come.
        self._half = b""
        self._columns, self._rows = (0, self.view.memory[1] - 1), (0, self.view.memory[0] - 1)
        self._position = 0
        self.direction, self.inverted, self.on, self._awake = 0, False, False, False

    # --- the SPI side --------------------------------------------------------------------------------------------

    def selected(self, controller) -> bool:
        """Whether a controller's clock goes to the LCD."""
        function = controller.clock_function
        return function is not None and self._chip.pins.is_function(self.wiring.clock, function)

    def transfer(self, data: bytes, wanted: int) -> bytes:
        """Commands or data; nothing can be read back on these boards."""
        if self._chip.pins.level(self.wiring.data_command):
            self._take_data(data)
        else:
            for byte in data:
                self._take_command(byte)
        return b"\xff" * wanted

    def _take_command(self, byte: int) -> None:
        self._command, self._parameters, self._half = byte, bytearray(), b""
        if byte == SOFT_RESET:
            self.power_on()
        elif byte == WRITE:
            self._position = 0
        elif byte in (INVERSION_OFF, INVERSION_ON):
            self.inverted = byte == INVERSION_ON
        elif byte in (DISPLAY_OFF, DISPLAY_ON):
            self.on = byte == DISPLAY_ON
        elif byte in (SLEEP_IN, SLEEP_OUT):
            self._awake = byte == SLEEP_OUT

    def _take_data(self, data: bytes) -> None:
        if self._command in (WRITE, WRITE_ON):
            data = self._half + data
            self._half = data[len(data) & ~1 :]
            self._draw(np.frombuffer(data[: len(data) & ~1], ">u2").astype(np.uint16))
            return
        self._parameters += data
        if self._command in (COLUMNS, ROWS) and len(self._parameters) >= 4:
            span = int.from_bytes(self._parameters[:2], "big"), int.from_bytes(self._parameters[2:4], "big")
            if self._command == COLUMNS:
                self._columns = span
            else:
                self._rows = span
        elif self._command == DIRECTION and self._parameters:
            self.direction = self._parameters[0]

    def _draw(self, words: np.ndarray) -> None:
        """Pixels go on in the window, line by line as the firmware sees it, and begin anew at its end."""
        (left, right), (top, bottom) = self._columns, self._rows
        width, height = right - left + 1, bottom - top + 1
        if width <= 0 or height <= 0:
            return
        while len(words):
            part = words[: width * height - self._position]
            at = self._position + np.arange(len(part))
            self._put(left + at % width, top + at // width, part)
            words = words[len(part) :]
            self._position += len(part)
            if self._position == width * height:
                self._position = 0
                self.pictures += 1

    def _put(self, x: np.ndarray, y: np.ndarray, words: np.ndarray) -> None:
        """Pixels at places as the firmware counts them; what lies beyond the memory is lost."""
        row, column = (x, y) if self.direction & EXCHANGE else (y, x)
        rows, columns = self.memory.shape
        if self.direction & MIRROR_ROWS:
            row = rows - 1 - row
        if self.direction & MIRROR_COLUMNS:
            column = columns - 1 - column
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        self.memory[row[inside], column[inside]] = words[inside]

    # --- what a person sees --------------------------------------------------------------------------------------

    def picture(self) -> np.ndarray:
        """uint8 [height, width, 3] as somebody before the board sees it; black while the display is off."""
        view = self.view
        exchanged = bool(view.direction & EXCHANGE)
        rows, columns = (view.width, view.height) if exchanged else (view.height, view.width)
        words = self.memory[view.row : view.row + rows, view.column : view.column + columns]
        if view.direction & MIRROR_ROWS:
            words = words[::-1]
        if view.direction & MIRROR_COLUMNS:
            words = words[:, ::-1]
        rgb = _rgb(words.T if exchanged else words)
        if not (self.on and self._awake):
            return np.zeros_like(rgb)
        if (self.direction ^ view.direction) & BLUE_FIRST:
            rgb = rgb[..., ::-1]
        return 255 - rgb if self.inverted != view.inverted else rgb


def _rgb(words: np.ndarray) -> np.ndarray:
    """RGB565 words as uint8 [H, W, 3], each channel to its full range."""
    wide = words.astype(np.uint32)
    red, green, blue = wide >> 11, wide >> 5 & 63, wide & 31
    return np.stack([(red * 255 + 15) // 31, (green * 255 + 31) // 63, (blue * 255 + 15) // 31], -1).astype(np.uint8)
