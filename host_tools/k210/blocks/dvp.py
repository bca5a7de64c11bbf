"""DVP: the camera port (SDK: dvp.h). It stores a frame when it was told to before the frame begins.

It writes three planes of a byte a pixel for the KPU and RGB565 for the display, independent of each other.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from host_tools.k210.blocks.addresses import Irq
from host_tools.k210.blocks.registers import Chip, Registers
from host_tools.k210.parts.image_sensor import ImageSensor

_CONFIG, _RED, _GREEN, _BLUE, _CMOS = 0x00, 0x04, 0x08, 0x0C, 0x10
_SCCB_CONFIG, _SCCB_CONTROL, _STATUS, _DISPLAY = 0x14, 0x18, 0x20, 0x28
_START_ENABLE, _FINISH_ENABLE, _AI_OUTPUT, _DISPLAY_OUTPUT, _AUTO = 1, 2, 4, 8, 16
_BURST_OF_4, _FORMAT, _LUMINANCE = 0x100, 0x600, 0x600
_FRAME_START, _FRAME_START_WRITE, _FRAME_FINISH, _FRAME_FINISH_WRITE = 0x1, 0x2, 0x100, 0x200
_CAPTURE, _CAPTURE_WRITE = 0x1_0000, 0x2_0000
_SCCB, _SCCB_WRITE = 0x100_0000, 0x200_0000
_RESET_PIN, _POWER_DOWN = 0x1_0000, 0x100_0000
_WRITE_DATA = 1
# Pixels of one burst, by the setting of its length.
_BURST_PIXELS, _BURST_OF_4_PIXELS = 8, 32
# Rests between frames: of a frame's time, the share in which no line comes (vertical blanking of these sensors).
_BLANKING = Fraction(1, 10)
# ITU-R BT.601, in 1/256: what a sensor's luminance is made of.
_LUMINANCE_WEIGHTS = np.array([77, 150, 29], np.uint32)


class Dvp(Registers):
    """Frames come at the sensor's rate in emulated time, whether anybody wants them or not."""

    def __init__(self, chip: Chip, sensors: list[ImageSensor]) -> None:
        super().__init__(chip, "dvp")
        self.sensors = sensors
        self.frames = 0
        self._status, self._running, self._capturing = 0, False, False

    def reset(self) -> None:
        super().reset()
        for action in (self._start, self._finish):
            self.chip.clock.cancel(action)
        self._status, self._running, self._capturing = 0, False, False

    @property
    def sensor(self) -> ImageSensor | None:
        """The sensor that is powered and not in reset, the first of several; which of them has sent pictures last."""
        awake = [sensor for sensor in self.sensors if sensor.streaming]
        return awake[0] if awake else None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height that are stored."""
        config = self.values.get(_CONFIG, 0)
        burst = _BURST_OF_4_PIXELS if config & _BURST_OF_4 else _BURST_PIXELS
        return (config >> 12 & 0xFF) * burst, config >> 20 & 0x3FF

    def get(self, offset: int) -> int:
        return self._status if offset == _STATUS else super().get(offset)

    def set(self, offset: int, value: int) -> None:
        if offset == _STATUS:
            self._set_status(value)
            return
        before = self.values.get(offset, 0)
        super().set(offset, value)
        if offset == _CMOS:
            for sensor in self.sensors:
                sensor.set_lines(bool(value & _RESET_PIN), bool(value & _POWER_DOWN), bool(before & _RESET_PIN))
        elif offset == _CONFIG and not self._running:
            self._running = True
            self.chip.clock.after(self._frame_cycles, self._start)
        self._update()

    def _set_status(self, value: int) -> None:
        if value & _FRAME_START_WRITE:
            self._status &= ~(value & _FRAME_START)
        if value & _FRAME_FINISH_WRITE:
            self._status &= ~(value & _FRAME_FINISH)
        if value & _CAPTURE_WRITE:
            self._status = self._status & ~_CAPTURE | value & _CAPTURE
        if value & _SCCB_WRITE and value & _SCCB:
            self._sccb()
        self._update()

    def _update(self) -> None:
        config = self.values.get(_CONFIG, 0)
        start = self._status & _FRAME_START and config & _START_ENABLE
        finish = self._status & _FRAME_FINISH and config & _FINISH_ENABLE
        self.chip.interrupt(Irq.DVP, bool(start or finish))

    @property
    def picture_address(self) -> int:
        """Where it stores the picture in RGB565: another place from frame to frame where the driver has two buffers."""
        return self.values.get(_DISPLAY, 0)

    # --- frames --------------------------------------------------------------------------------------------------

    @property
    def _frame_cycles(self) -> int:
        sensor = self.sensor
        return self.chip.clock.cycles_of(1 / (sensor.frame_rate if sensor else Fraction(30)))

    def _start(self) -> None:
        """Vertical sync: whether this frame is stored is decided now."""
        cycles = self._frame_cycles
        if self.sensor is None:
            self.chip.clock.after(cycles, self._start)
            return
        self._status |= _FRAME_START
        self._capturing = bool(self._status & _CAPTURE or self.values.get(_CONFIG, 0) & _AUTO)
        self._update()
        # In the interrupt of a frame's start the firmware asks for it: the decision is taken again before its lines.
        blank = int(cycles * _BLANKING)
        self.chip.clock.after(cycles - blank, self._finish)
        self.chip.clock.after(cycles, self._start)

    def _finish(self) -> None:
        if self.sensor is not None and self._status & _CAPTURE:
            self._status &= ~_CAPTURE
            self._store(self.sensor)
            self._status |= _FRAME_FINISH
        self._update()

    def _store(self, sensor: ImageSensor) -> None:
        width, height = self.size
        config, memory = self.values.get(_CONFIG, 0), self.chip.memory
        if not width or not height:
            return
        rgb = sensor.frame(self.frames, width, height)
        self.frames += 1
        if config & _AI_OUTPUT:
            for register, plane in zip((_RED, _GREEN, _BLUE), self._planes(rgb, config), strict=True):
                self._write(memory, self.values.get(register, 0), plane.tobytes())
        if config & _DISPLAY_OUTPUT:
            self._write(memory, self.values.get(_DISPLAY, 0), _rgb565(rgb))

    def _write(self, memory, address: int, data: bytes) -> None:
        if memory.offset(address, len(data)) < 0:
            self.chip.note(f"the camera port was told to write {len(data)} bytes to {address:#x}, beyond memory")
        else:
            memory.store(address, data)

    @staticmethod
    def _planes(rgb: np.ndarray, config: int) -> list[np.ndarray]:
        if config & _FORMAT == _LUMINANCE:
            luminance = (rgb.astype(np.uint32) @ _LUMINANCE_WEIGHTS >> 8).astype(np.uint8)
            return [luminance] * 3
        return list(np.ascontiguousarray(rgb.transpose(2, 0, 1)))

    # --- the port's own bus to the sensor's registers ------------------------------------------------------------

    def _sccb(self) -> None:
        """One access: device, register of one or two bytes, and the value for a write."""
        control, config = self.values.get(_SCCB_CONTROL, 0), self.values.get(_SCCB_CONFIG, 0)
        device = (control & 0xFF) >> 1
        for sensor in self.sensors:
            if sensor.address == device and sensor.awake:
                register = control >> 8 & 0xFF
                sensor.start()
                sensor.write(register)
                if control & _WRITE_DATA:
                    sensor.write(control >> 16 & 0xFF)
                else:
                    self.values[_SCCB_CONFIG] = config & 0x00FF_FFFF | sensor.read() << 24


def _rgb565(rgb: np.ndarray) -> bytes:
    """RGB565, two pixels in a word with the second one first, as the port stores them."""
    wide = rgb.astype(np.uint16)
    words = (wide[..., 0] >> 3 << 11 | wide[..., 1] >> 2 << 5 | wide[..., 2] >> 3).reshape(-1, 2)
    return np.ascontiguousarray(words[:, ::-1]).astype("<u2").tobytes()
