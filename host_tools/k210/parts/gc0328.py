"""GalaxyCore GC0328: pages of registers (data sheet 1.0; identity and settings as MaixPy's driver uses them)."""

from __future__ import annotations

from typing import ClassVar

from host_tools.k210.parts.image_sensor import ImageSensor

_PAGE, _PAGES = 0xFE, 4
# Crop window: top, left, height, width, each of two bytes with the upper one first; and how the array is thinned out.
_TOP, _LEFT, _HEIGHT, _WIDTH, _THINNING = 0x51, 0x53, 0x55, 0x57, 0x59
_FULL = 640, 480


class Gc0328(ImageSensor):
    """The camera of many boards since 2019; the only one whose window moves."""

    name = "GC0328"
    address = 0x21

    initial: ClassVar = {_HEIGHT: 480 >> 8, _HEIGHT + 1: 480 & 255, _WIDTH: 640 >> 8, _WIDTH + 1: 640 & 255}
    identity: ClassVar = {0xF0: 0x9D}
    reset_bit, mirror_bit, flip_bit = (_PAGE, 0x80), (0x17, 0x01), (0x17, 0x02)

    def place(self, register: int) -> int:
        if register == _PAGE or register in self.identity:
            return register
        return self.registers.get(_PAGE, 0) % _PAGES << 8 | register

    @property
    def window(self) -> tuple[int, int, int, int]:
        across, down = self._thinning()
        return self._pair(_LEFT), self._pair(_TOP), _FULL[0] // across, _FULL[1] // down

    def _thinning(self) -> tuple[int, int]:
        """By how much columns and rows are thinned out: 1, 2 or 4."""
        value = self.registers.get(_THINNING, 0x11)
        return max(1, value & 15), max(1, value >> 4)

    def _pair(self, register: int) -> int:
        return self.registers.get(register, 0) << 8 | self.registers.get(register + 1, 0)
