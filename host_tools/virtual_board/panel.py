"""The LCD: a controller with its memory, seen through the glass that the board has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from host_tools.lcd_mounting import BLUE_FIRST, EXCHANGE, MIRROR_COLUMNS, MIRROR_ROWS
from host_tools.virtual_board import drawing, pixels
from host_tools.virtual_board.memory import SystemHeap

LETTER_WIDTH, LETTER_HEIGHT = 8, 12


@dataclass(frozen=True)
class Glass:
    """How the panel is mounted: what makes a picture stand upright, in its true colours, on this board."""

    width: int
    height: int
    direction: int
    inverted: bool


class Panel:
    """A panel behind its driver; the glass keeps its picture through resets."""

    def __init__(self, glass: Glass | None) -> None:
        """`glass` is None for a board without LCD: the driver works, nobody sees it."""
        self.glass = glass
        size = (glass.width, glass.height) if glass else (320, 240)
        exchanged = glass is not None and glass.direction & EXCHANGE
        self._memory = np.zeros(size if exchanged else size[::-1], np.uint16)
        self._buffer: int | None = None
        self.on = False
        self._direction = 0
        self._inverted = False
        self.pictures = 0

    def start(self, heap: SystemHeap, width: int, height: int, inverted: bool, direction: int) -> None:
        """Take the driver's buffer, as lcd.init(); OutOfMemoryError if there is no room for it."""
        self.stop(heap)
        self._buffer = heap.take(2 * width * height)
        self._direction, self._inverted, self.on = direction, inverted, True

    def stop(self, heap: SystemHeap) -> None:
        """Give the buffer back, as lcd.deinit()."""
        if self._buffer is not None:
            heap.give(self._buffer)
        self.power_off()

    def power_off(self) -> None:
        """The driver's state is lost; the heap too."""
        self._buffer, self.on = None, False

    def turn(self, direction: int) -> None:
        """Change the direction; an exchange of red and blue stays."""
        self._direction = direction | self._direction & BLUE_FIRST

    def blue_first(self, enable: bool) -> None:
        """Exchange red and blue, or not."""
        self._direction = self._direction & ~BLUE_FIRST | (BLUE_FIRST if enable else 0)

    def write(self, left: int, top: int, words: np.ndarray) -> None:
        """RGB565 words [H, W] at a place, as the controller is turned now; what does not fit is lost."""
        rows, row, column = words, top, left
        if self._direction & EXCHANGE:
            rows, row, column = words.T, left, top
        height, width = self._memory.shape
        if self._direction & MIRROR_COLUMNS:
            rows, column = rows[:, ::-1], width - column - rows.shape[1]
        if self._direction & MIRROR_ROWS:
            rows, row = rows[::-1], height - row - rows.shape[0]
        part = rows[max(-row, 0) : max(height - row, 0), max(-column, 0) : max(width - column, 0)]
        row, column = max(row, 0), max(column, 0)
        self._memory[row : row + part.shape[0], column : column + part.shape[1]] = part

    def fill(self, left: int, top: int, width: int, height: int, word: int) -> None:
        """A rectangle of one colour."""
        self.write(left, top, np.full((max(height, 0), max(width, 0)), word, np.uint16))

    def blank(self) -> None:
        """Black everywhere."""
        self._memory[:] = 0

    def text(self, left: int, top: int, text: str, ink: int, ground: int) -> None:
        """Letters of 8x12 pixels, ink and ground as RGB565 words."""
        cells = np.full((LETTER_HEIGHT, LETTER_WIDTH * len(text)), ground, np.uint16)
        drawing.mono_string(cells, 0, (0, 0), text, ink, 1, (0, 0))
        self.write(left, top, cells)

    def seen(self) -> np.ndarray:
        """What somebody before the board sees: uint8 [height, width, 3], black while the panel is off."""
        words = self._memory
        natural = self.glass.direction if self.glass else 0
        if natural & MIRROR_ROWS:
            words = words[::-1]
        if natural & MIRROR_COLUMNS:
            words = words[:, ::-1]
        if natural & EXCHANGE:
            words = words.T
        rgb = pixels.to_rgb(words)
        if not self.on or self.glass is None:
            return np.zeros_like(rgb)
        if (self._direction ^ natural) & BLUE_FIRST:
            rgb = rgb[..., ::-1]
        return 255 - rgb if self._inverted != self.glass.inverted else rgb
