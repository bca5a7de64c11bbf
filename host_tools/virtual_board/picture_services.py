"""What the stand-ins ask of camera, LCD and pictures."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

from conversion.test_card import planes_of
from host_tools.virtual_board import devices as board
from host_tools.virtual_board import drawing, pixels, timing, warp
from host_tools.virtual_board.hardware import SENSORS
from host_tools.virtual_board.image_sensor import NotReadyError
from host_tools.virtual_board.memory import OutOfMemoryError
from host_tools.virtual_board.protocol import Error, RaisedError, Reply
from host_tools.virtual_board.services import ChipCrashError, ChipResetError, Services

_ENOMEM, _EIO = 12, 5


def _swapped(word: int) -> int:
    """A colour as the firmware stores it, as an RGB565 word."""
    return struct.unpack(">H", struct.pack("<H", word & 0xFFFF))[0]


class CameraServices(Services):
    """The sensor and its frames."""

    _pixels = b""

    def sensor_reset(self, data: bytes, double: int, *_: int) -> Reply:
        devices = self._devices
        if not devices.sensor.reset(devices.heap, bool(double)) or devices.faults.no_camera:
            devices.sensor.reset(devices.heap, False)
            devices.sensor.found = False
            devices.print("[MAIXPY]: no sensor")
            raise RaisedError(Error.OS, "Reset Failed")
        devices.print(f"init i2c:2 freq:100000\r\n[MAIXPY]: find {devices.sensor.kind}\r\n[MAIXPY]: find ov sensor")
        return Reply()

    def sensor_format(self, data: bytes, *_: int) -> Reply:
        if not self._devices.sensor.found:
            raise RaisedError(Error.OS, "Pixel format is not supported!")
        return Reply()

    def sensor_size(self, data: bytes, width: int, height: int, most: int, *_: int) -> Reply:
        devices = self._devices
        if not width or not devices.sensor.found:
            raise RaisedError(Error.OS, _EIO)
        if width * height > most:
            raise RaisedError(Error.NOT_IMPLEMENTED, f"frames of {width}x{height}: not on the virtual board")
        try:
            devices.sensor.set_size(devices.heap, width, height)
        except OutOfMemoryError:
            devices.out_of_memory()
            raise RaisedError(Error.OS, _ENOMEM) from None
        return Reply()

    def sensor_window(self, data: bytes, x: int, y: int, width: int, height: int, *_: int) -> Reply:
        self._devices.sensor.set_window(x, y, width, height)
        return Reply()

    def snapshot(self, data: bytes, *_: int) -> Reply:
        width, height, slot = self._frame()
        self._pixels = pixels.stored(self._devices.sensor.words[slot])
        return Reply((width, height, slot))

    def _frame(self) -> tuple[int, int, int]:
        sensor, faults = self._devices.sensor, self._devices.faults
        if not sensor.found:
            raise RaisedError(Error.TYPE, "not found sensor")
        if not sensor.running:
            self._devices.spend(timing.CAMERA_LIMIT_US)
            raise RaisedError(Error.RUNTIME, "Sensor timeout!")
        if faults.camera and (sensor.frames + 1) % faults.camera == 0:
            sensor.frames += 1
            self._devices.spend(timing.CAMERA_LIMIT_US)
            raise RaisedError(Error.RUNTIME, "Sensor timeout!")
        if faults.reboot and sensor.frames + 1 == faults.reboot:
            sensor.frames += 1
            raise ChipResetError(board.POWER_ON)
        try:
            frame = sensor.snapshot()
        except NotReadyError:
            raise RaisedError(Error.RUNTIME, "Not init!") from None
        clock = self._devices.clock
        clock.wait(sensor.ready(clock.now()), self._devices.stirred)
        return frame

    def frame_pixels(self, data: bytes, slot: int, *_: int) -> Reply:
        return Reply(data=self._pixels)

    def skip_frames(self, data: bytes, count: int, milliseconds: int, *_: int) -> Reply:
        """1 as the first integer where a frame did not come."""
        clock = self._devices.clock
        end = clock.now() + milliseconds * 1000
        if not self._devices.sensor.found:
            raise ChipCrashError("core dump: instruction access fault")
        try:
            for _n in range(count or 1):
                self._frame()
        except RaisedError:
            return Reply((1,))
        if not count:
            clock.wait(end, self._devices.stirred)
        return Reply()

    def camera_planes(self, data: bytes, slot: int, *_: int) -> Reply:
        self._devices.sensor.derive_planes(slot, data)
        return Reply()

    def sensor_vflip(self, data: bytes, enable: int, *_: int) -> Reply:
        self._devices.sensor.flipped = bool(enable)
        return Reply((int(self._devices.sensor.found),))

    def sensor_mirror(self, data: bytes, enable: int, *_: int) -> Reply:
        self._devices.sensor.mirrored = bool(enable)
        return Reply((int(self._devices.sensor.found),))

    def sensor_run(self, data: bytes, enable: int, *_: int) -> Reply:
        self._devices.sensor.running = bool(enable)
        return Reply()

    def sensor_deinit(self, data: bytes, *_: int) -> Reply:
        self._devices.sensor.reset(self._devices.heap, False)
        self._devices.sensor.found = False
        return Reply()

    def sensor_id(self, data: bytes, *_: int) -> Reply:
        sensor = self._devices.sensor
        return Reply((SENSORS.get(sensor.kind or "", 0) if sensor.found else 0,))


class LcdServices(Services):
    """The LCD."""

    def lcd_default(self, data: bytes, *_: int) -> Reply:
        return Reply(self._devices.hardware.lcd_default)

    def lcd_init(
        self, data: bytes, kind: int, width: int, height: int, inverted: int, lcd_type: int, direction: int, *rest: int
    ) -> Reply:
        devices = self._devices
        try:
            devices.panel.start(devices.heap, width, height, bool(inverted), direction)
        except OutOfMemoryError:
            devices.out_of_memory()
            raise RaisedError(Error.OS, _ENOMEM) from None
        devices.panel.fill(0, 0, width, height, _swapped(rest[0]))
        return Reply()

    def lcd_deinit(self, data: bytes, *_: int) -> Reply:
        self._devices.panel.stop(self._devices.heap)
        return Reply()

    def lcd_show(self, data: bytes, width: int, height: int, *place: int) -> Reply:
        x, y, w, h, left, top, padded = place[:7]
        panel = self._devices.panel
        if padded:
            panel.blank()
        panel.write(left, top, pixels.words_of(data, width, height)[y : y + h, x : x + w])
        panel.pictures += 1
        self._spend(w, h)
        return Reply()

    def lcd_fill(self, data: bytes, x: int, y: int, width: int, height: int, word: int, *_: int) -> Reply:
        self._devices.panel.fill(x, y, width, height, _swapped(word))
        self._spend(width, height)
        return Reply()

    def _spend(self, width: int, height: int) -> None:
        """So many pixels go to the LCD."""
        self._devices.spend(timing.microseconds(2 * width * height, timing.LCD_BYTES_PER_SECOND))

    def lcd_string(self, data: bytes, x: int, y: int, ink: int, ground: int, *_: int) -> Reply:
        self._devices.panel.text(x, y, data.decode(errors="replace"), _swapped(ink), _swapped(ground))
        return Reply()

    def lcd_direction(self, data: bytes, direction: int, *_: int) -> Reply:
        self._devices.panel.turn(direction)
        return Reply()

    def lcd_bgr(self, data: bytes, enable: int, *_: int) -> Reply:
        self._devices.panel.blue_first(bool(enable))
        return Reply()


class ImageServices(Services):
    """Drawing and converting. Bands of an image come as data and go back drawn upon."""

    _text = ""
    _decoded = b""
    _planes = np.zeros((3, 0, 0), np.uint8)

    def text(self, data: bytes, *_: int) -> Reply:
        self._text = data.decode(errors="replace")
        return Reply()

    def line(
        self, data: bytes, width: int, top: int, x0: int, y0: int, x1: int, y1: int, word: int, thick: int, *_: int
    ) -> Reply:
        band = _band(data, width)
        drawing.line(band, top, (x0, y0, x1, y1), word, thick)
        return Reply(data=band.tobytes())

    def rectangle(
        self,
        data: bytes,
        width: int,
        top: int,
        x: int,
        y: int,
        w: int,
        h: int,
        word: int,
        thick: int,
        fill: int,
        *_: int,
    ) -> Reply:
        band = _band(data, width)
        drawing.rectangle(band, top, (x, y, w, h), word, thick, bool(fill))
        return Reply(data=band.tobytes())

    def circle(
        self, data: bytes, width: int, top: int, x: int, y: int, radius: int, word: int, thick: int, fill: int, *_: int
    ) -> Reply:
        band = _band(data, width)
        drawing.circle(band, top, (x, y, radius), word, thick, bool(fill))
        return Reply(data=band.tobytes())

    def string(
        self, data: bytes, width: int, top: int, x: int, y: int, word: int, scale256: int, *options: int
    ) -> Reply:
        band = _band(data, width)
        x_gap, y_gap, mono = options[:3]
        draw = drawing.mono_string if mono else drawing.string
        draw(band, top, (x, y), self._text, word, scale256 / 256, (x_gap, y_gap))
        return Reply(data=band.tobytes())

    def warp_source(self, data: bytes, width: int, height: int, slot: int, *_: int) -> Reply:
        """The planes that warp() takes: those of a camera's buffer, or data."""
        planes = np.frombuffer(data, np.uint8).reshape(3, height, width) if slot < 0 else None
        self._planes = self._devices.sensor.planes[slot] if planes is None else planes
        return Reply()

    def warp(self, data: bytes, width: int, height: int, slot: int, *bits: int) -> Reply:
        """Planes of another size, by a matrix of six numbers in single precision."""
        matrix = np.array(bits[:6], np.int32).view(np.float32)
        planes = warp.warped(self._planes, width, height, matrix)
        self._devices.spend(timing.warp_us(width * height))
        if slot < 0:
            return Reply(data=planes.tobytes())
        self._devices.sensor.planes[slot] = planes
        return Reply()

    def means(self, data: bytes, width: int, height: int, x_count: int, y_count: int, *_: int) -> Reply:
        """Each colour's mean, cut off, of blocks of pixels."""
        words = pixels.words_of(data, width, height)[: height // y_count * y_count, : width // x_count * x_count]
        blocks = words.reshape(height // y_count, y_count, width // x_count, x_count).astype(np.uint32)
        red, green, blue = (
            (blocks >> shift & most).sum(axis=(1, 3)) // (x_count * y_count)
            for shift, most in ((11, 31), (5, 63), (0, 31))
        )
        return Reply(data=pixels.stored((red << 11 | green << 5 | blue).astype(np.uint16)))

    def planes(self, data: bytes, width: int, height: int, *_: int) -> Reply:
        return Reply(data=planes_of(pixels.words_of(data, width, height)).tobytes())

    def resize(self, data: bytes, width: int, height: int, new_width: int, new_height: int, *_: int) -> Reply:
        """Nearest pixel where it gets smaller, bilinear where it grows, as MaixPy."""
        words = pixels.words_of(data, width, height)
        if new_width >= width or new_height >= height:
            picture = Image.fromarray(pixels.to_rgb(words))
            grown = picture.resize((new_width, new_height), Image.Resampling.BILINEAR)
            return Reply(data=pixels.stored(pixels.to_words(np.asarray(grown))))
        rows = np.arange(new_height) * height // new_height
        columns = np.arange(new_width) * width // new_width
        return Reply(data=pixels.stored(words[rows][:, columns]))

    def scaled(self, data: bytes, width: int, height: int, *numbers: int) -> Reply:
        """A part of the picture, scaled: nearest pixels, by a product with the scale's inverse in single precision."""
        x, y, w, h, x_bits, y_bits, columns, rows = numbers[:8]
        words = pixels.words_of(data, width, height)[y : y + h, x : x + w]
        scales = np.array((x_bits, y_bits), np.int32).view(np.float32)
        across, down = (
            (np.arange(count, dtype=np.float32) * (np.float32(1) / scale)).astype(int)
            for count, scale in zip((columns, rows), scales, strict=True)
        )
        return Reply(data=pixels.stored(words[down][:, across]))

    def jpeg(self, data: bytes, width: int, height: int, quality: int, work_bytes: int, *_: int) -> Reply:
        if self._devices.heap.free < work_bytes:
            self._devices.out_of_memory()
            raise RaisedError(Error.MEMORY, "Out of Memory!")
        return Reply(data=pixels.encode(pixels.words_of(data, width, height), "JPEG", quality=quality))

    def bmp(self, data: bytes, width: int, height: int, *_: int) -> Reply:
        return Reply(data=pixels.encode(pixels.words_of(data, width, height), "BMP"))

    def decode(self, data: bytes, from_bytes: int, *_: int) -> Reply:
        """Decode a JPEG or BMP: its width and height; decoded() gives the pixels."""
        path = None if from_bytes else self._devices.file(data.decode())
        try:
            with Image.open(io.BytesIO(data) if from_bytes else path or "", formats=("JPEG", "BMP")) as picture:
                words = pixels.to_words(np.asarray(picture.convert("RGB")))
        except (OSError, ValueError, SyntaxError) as error:
            raise RaisedError(Error.OS, _EIO) from error
        self._decoded = pixels.stored(words)
        return Reply((words.shape[1], words.shape[0]))

    def decoded(self, data: bytes, *_: int) -> Reply:
        return Reply(data=self._decoded)


def _band(data: bytes, width: int) -> np.ndarray:
    """Rows of an image as raw words that can be drawn upon."""
    return np.frombuffer(data, "<u2").reshape(-1, width).copy()
