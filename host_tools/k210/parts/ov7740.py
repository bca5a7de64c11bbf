"""OmniVision OV7740 (data sheet 1.4; identity and settings as MaixPy's driver uses them)."""

from __future__ import annotations

from typing import ClassVar

from host_tools.k210.parts.image_sensor import ImageSensor

# Output width in units of four pixels, height in units of two.
_WIDTH, _HEIGHT = 0x31, 0x32


class Ov7740(ImageSensor):
    """The camera of M5StickV, Cube and Amigo."""

    name = "OV7740"
    address = 0x21

    initial: ClassVar = {_WIDTH: 640 // 4, _HEIGHT: 480 // 2}
    identity: ClassVar = {0x0A: 0x77, 0x0B: 0x42, 0x1C: 0x7F, 0x1D: 0xA2}
    reset_bit, mirror_bit, flip_bit = (0x12, 0x80), (0x0C, 0x40), (0x0C, 0x80)

    @property
    def window(self) -> tuple[int, int, int, int]:
        return 0, 0, max(4, 4 * self.registers[_WIDTH]), max(2, 2 * self.registers[_HEIGHT])
