"""A camera's image sensor: registers on a two-wire bus, reset and power-down lines, and what it looks at."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar, Protocol

import numpy as np

FRAME_RATE = Fraction(30)
# Clock of the sensor's two-wire bus on all boards that MaixPy knows (its sensor.c).
SCCB_CLOCK_PIN = 41


class Scene(Protocol):
    """Something to look at; the virtual board's scenes are."""

    def picture(self, number: int, width: int, height: int) -> np.ndarray:
        """Frame `number` (from 0) as uint8 [height, width, 3] RGB."""


class Gradient:
    """What a camera sees that looks at nothing in particular: rising red and green, squares in blue."""

    def picture(self, number: int, width: int, height: int) -> np.ndarray:
        """uint8 [height, width, 3]."""
        y, x = np.mgrid[0:height, 0:width]
        red, green = x * 255 // max(1, width - 1), y * 255 // max(1, height - 1)
        return np.stack([red, green, (x // 16 + y // 16) % 2 * 200], axis=-1).astype(np.uint8)


class ImageSensor:
    """What the sensors share. Subclasses say what their registers mean.

    The scene is drawn at the size that the sensor sends; the port stores its top left part.
    """

    name = ""
    address = 0
    clock_pin = SCCB_CLOCK_PIN
    # What registers hold after a reset, and those that cannot be written; all others hold 0.
    initial: ClassVar[dict[int, int]] = {}
    identity: ClassVar[dict[int, int]] = {}
    # Register and bit of what resets, mirrors and flips.
    reset_bit = mirror_bit = flip_bit = (0, 0)
    # Whether the firmware's own settings mirror and flip: the module is mounted so that the picture then is upright.
    upright = (False, False)

    def __init__(self, scene: Scene, frame_rate: Fraction = FRAME_RATE) -> None:
        self.scene, self.frame_rate = scene, frame_rate
        self._in_reset, self._powered_down = True, False
        self.power_on()

    def power_on(self) -> None:
        """What its reset line does: all registers as they were."""
        self._pointer, self._first = 0, True
        self.registers: dict[int, int] = {**self.initial, **self.identity}
        self.written = False

    def __getstate__(self) -> dict:
        # What it looks at is not part of the board: a machine that comes back looks at nothing in particular.
        return {**self.__dict__, "scene": Gradient()}

    @property
    def awake(self) -> bool:
        """Whether it answers on its bus."""
        return not self._in_reset and not self._powered_down

    @property
    def streaming(self) -> bool:
        """Whether it sends pictures: once its registers were set up."""
        return self.awake and self.written

    def set_lines(self, reset_high: bool, power_down: bool, was_high: bool) -> None:
        """The camera port's lines: a low reset line holds the sensor in reset."""
        self._powered_down = power_down
        self._in_reset = not reset_high
        if reset_high and not was_high:
            self.power_on()

    # --- the two-wire bus ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """A transfer begins: the next byte is a register's number."""
        self._first = True

    def write(self, byte: int) -> None:
        """A register's number, or its value."""
        if self._first:
            self._pointer, self._first = byte, False
            return
        self.written = True
        self.store(self._pointer, byte)
        self._pointer = self._pointer + 1 & 0xFF

    def read(self) -> int:
        """The value of the register that was named."""
        return self.load(self._pointer)

    def place(self, register: int) -> int:
        """Where a register lies in `registers`: sensors with several pages of them say which."""
        return register

    def store(self, register: int, value: int) -> None:
        """Take a register's value."""
        place = self.place(register)
        if place == self.reset_bit[0] and value & self.reset_bit[1]:
            self.power_on()
        elif place not in self.identity:
            self.registers[place] = value

    def load(self, register: int) -> int:
        """A register's value."""
        return self.registers.get(self.place(register), 0)

    def _is_set(self, register: int, bit: int) -> bool:
        return bool(self.registers.get(register, 0) & bit)

    # --- pictures ------------------------------------------------------------------------------------------------

    @property
    def mirrored(self) -> bool:
        """Whether left and right are exchanged."""
        return self._is_set(*self.mirror_bit)

    @property
    def flipped(self) -> bool:
        """Whether top and bottom are exchanged."""
        return self._is_set(*self.flip_bit)

    @property
    def window(self) -> tuple[int, int, int, int]:
        """(left, top, width, height): the scene is drawn width x height large and sent from (left, top) on."""
        raise NotImplementedError

    def frame(self, number: int, width: int, height: int) -> np.ndarray:
        """What the port gets: uint8 [height, width, 3]; beyond the sensor's picture it is black."""
        left, top, full_width, full_height = self.window
        picture = self.scene.picture(number, full_width, full_height)
        if self.mirrored != self.upright[0]:
            picture = picture[:, ::-1]
        if self.flipped != self.upright[1]:
            picture = picture[::-1]
        part = picture[top : top + height, left : left + width]
        result = np.zeros((height, width, 3), np.uint8)
        result[: part.shape[0], : part.shape[1]] = part
        return result
