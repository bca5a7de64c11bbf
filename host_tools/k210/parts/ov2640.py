"""OmniVision OV2640: two banks of registers (data sheet 1.6; identity and settings as MaixPy's driver uses them)."""

from __future__ import annotations

from typing import ClassVar

from host_tools.k210.parts.image_sensor import ImageSensor

_BANK, _DSP, _SENSOR = 0xFF, 0, 0x100
# Output size of the DSP in units of four pixels, and its upper bits.
_ZMOW, _ZMOH, _ZMHH = 0x5A, 0x5B, 0x5C


class Ov2640(ImageSensor):
    """The camera of most boards."""

    name = "OV2640"
    address = 0x30
    upright = (True, False)

    initial: ClassVar = {_BANK: 1, _ZMOW: 320 // 4, _ZMOH: 240 // 4}
    identity: ClassVar = {_SENSOR | 0x0A: 0x26, _SENSOR | 0x0B: 0x42, _SENSOR | 0x1C: 0x7F, _SENSOR | 0x1D: 0xA2}
    reset_bit, mirror_bit, flip_bit = (_SENSOR | 0x12, 0x80), (_SENSOR | 0x04, 0x80), (_SENSOR | 0x04, 0x40)

    def place(self, register: int) -> int:
        return register if register == _BANK else register | (_SENSOR if self.registers[_BANK] & 1 else _DSP)

    @property
    def window(self) -> tuple[int, int, int, int]:
        upper = self.registers.get(_ZMHH, 0)
        width = 4 * (self.registers[_ZMOW] | (upper & 3) << 8)
        height = 4 * (self.registers[_ZMOH] | (upper >> 2 & 1) << 8)
        return 0, 0, max(4, width), max(4, height)
