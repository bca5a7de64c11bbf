"""GalaxyCore GC0328: pages of registers (data sheet 1.0; identity and settings as MaixPy's driver uses them)."""

from __future__ import annotations

from host_tools.k210.parts.image_sensor import ImageSensor

_PAGE, _RESET_BIT = 0xFE, 0x80
_IDENTITY = {0xF0: 0x9D}
_FLIPS, _MIRROR, _FLIP = 0x17, 0x01, 0x02
# Crop window: top, left, height, width, each of two bytes with the upper one first; and how the array is thinned out.
_TOP, _LEFT, _HEIGHT, _WIDTH, _THINNING = 0x51, 0x53, 0x55, 0x57, 0x59
_FULL = 640, 480
_PAGES = 4


class Gc0328(ImageSensor):
    """The camera of many boards since 2019; the only one whose window moves."""

    name = "GC0328"
    address = 0x21

    def _initial(self) -> dict[int, int]:
        self._page = 0
        return {**_IDENTITY, _HEIGHT: 480 >> 8, _HEIGHT + 1: 480 & 255, _WIDTH: 640 >> 8, _WIDTH + 1: 640 & 255}

    def store(self, register: int, value: int) -> None:
        if register == _PAGE:
            if value & _RESET_BIT:
                self.power_on()
            self._page = value % _PAGES
        elif register not in _IDENTITY:
            self.registers[self._page << 8 | register] = value

    def load(self, register: int) -> int:
        if register in _IDENTITY:
            return _IDENTITY[register]
        return self._page if register == _PAGE else self.registers.get(self._page << 8 | register, 0)

    @property
    def mirrored(self) -> bool:
        return bool(self.registers.get(_FLIPS, 0) & _MIRROR)

    @property
    def flipped(self) -> bool:
        return bool(self.registers.get(_FLIPS, 0) & _FLIP)

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
