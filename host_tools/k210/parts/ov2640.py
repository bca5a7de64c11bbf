"""OmniVision OV2640: two banks of registers (data sheet 1.6; identity and settings as MaixPy's driver uses them)."""

from __future__ import annotations

from host_tools.k210.parts.image_sensor import ImageSensor

_BANK, _DSP, _SENSOR = 0xFF, 0, 0x100
_COM7, _COM7_RESET = _SENSOR | 0x12, 0x80
_REG04, _MIRROR, _FLIP = _SENSOR | 0x04, 0x80, 0x40
# Output size of the DSP in units of four pixels, and its upper bits.
_ZMOW, _ZMOH, _ZMHH = 0x5A, 0x5B, 0x5C
_IDENTITY = {_SENSOR | 0x0A: 0x26, _SENSOR | 0x0B: 0x42, _SENSOR | 0x1C: 0x7F, _SENSOR | 0x1D: 0xA2}


class Ov2640(ImageSensor):
    """The camera of most boards."""

    name = "OV2640"
    address = 0x30
    upright = (True, False)

    def _initial(self) -> dict[int, int]:
        self._bank = _SENSOR
        return {**_IDENTITY, _ZMOW: 320 // 4, _ZMOH: 240 // 4}

    def store(self, register: int, value: int) -> None:
        if register == _BANK:
            self._bank = _SENSOR if value & 1 else _DSP
        elif self._bank | register == _COM7 and value & _COM7_RESET:
            self.power_on()
        elif self._bank | register not in _IDENTITY:
            self.registers[self._bank | register] = value

    def load(self, register: int) -> int:
        if register == _BANK:
            return int(self._bank == _SENSOR)
        return self.registers.get(self._bank | register, 0)

    @property
    def mirrored(self) -> bool:
        return bool(self.registers.get(_REG04, 0) & _MIRROR)

    @property
    def flipped(self) -> bool:
        return bool(self.registers.get(_REG04, 0) & _FLIP)

    @property
    def window(self) -> tuple[int, int, int, int]:
        upper = self.registers.get(_ZMHH, 0)
        width = 4 * (self.registers[_ZMOW] | (upper & 3) << 8)
        height = 4 * (self.registers[_ZMOH] | (upper >> 2 & 1) << 8)
        return 0, 0, max(4, width), max(4, height)
