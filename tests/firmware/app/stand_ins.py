"""Small stand-ins for MaixPy's modules under CPython: they record what the program does, and fail when told to.

The virtual board runs the same program for real; here a test sees and steers each call, on a clock of its own.
"""

from __future__ import annotations

import ctypes
import itertools
import sys
import types
from collections.abc import Callable

import numpy as np

# What a test changes: sizes of image files by path, and the faults that are switched on.
IMAGES: dict[str, tuple[int, int]] = {}
NO_FAULTS = {"no_camera": False, "silent_frames": (), "load": "", "forward": False, "lcd": False, "compress": False}
FAULTS: dict[str, object] = {}


class Clock:
    """Time that passes only when the program waits or asks; ends the program with Ctrl-C at `end_ms`."""

    ASKING_US = 5

    def __init__(self) -> None:
        self.us = 0
        self.end_ms = 60_000

    @property
    def ms(self) -> int:
        return self.us // 1000

    def pass_us(self, microseconds: int) -> None:
        self.us += microseconds
        if self.ms >= self.end_ms:
            self.end_ms = sys.maxsize
            raise KeyboardInterrupt

    def ticks_us(self) -> int:
        self.pass_us(self.ASKING_US)
        return self.us

    def ticks_ms(self) -> int:
        return self.ticks_us() // 1000

    def module(self) -> types.SimpleNamespace:
        return types.SimpleNamespace(
            ticks_us=self.ticks_us,
            ticks_ms=self.ticks_ms,
            ticks_add=lambda at, more: at + more,
            ticks_diff=lambda new, old: new - old,
            sleep_ms=lambda ms: self.pass_us(1000 * ms),
        )


class Uart:
    """The REPL's UART: what the host sends becomes readable at its time, what the board writes is kept."""

    RING = 2048

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.sent = bytearray()
        self.writes: list[tuple[int, int]] = []
        self.baud = 115200
        self.bauds: list[tuple[int, int]] = []
        self._coming: list[tuple[int, bytes]] = []
        self._ring = b""
        self.lost = 0

    def host(self, at_ms: int, data: bytes) -> None:
        """The host sends bytes at a moment."""
        self._coming.append((at_ms, data))
        self._coming.sort(key=lambda item: item[0])

    def any(self) -> int:
        while self._coming and self._coming[0][0] <= self.clock.ms:
            data = self._ring + self._coming.pop(0)[1]
            self.lost += max(0, len(data) - self.RING)
            self._ring = data[: self.RING]
        return len(self._ring)

    def read(self, count: int) -> bytes | None:
        data, self._ring = self._ring[:count], self._ring[count:]
        return data or None

    def write(self, data: memoryview) -> int:
        """Blocks as long as the line takes: start and stop bit make ten bits of a byte."""
        self.sent += bytes(data)
        self.writes.append((self.clock.ms, len(data)))
        self.clock.pass_us(len(data) * 10_000_000 // self.baud)
        return len(data)

    def init(self, baud: int, bits: int, parity: object, stop: int, *, read_buf_len: int) -> None:
        assert (bits, parity, stop, read_buf_len) == (8, None, 1, self.RING)
        self.baud = baud
        self.bauds.append((self.clock.ms, baud))
        self._ring = b""


class Image:
    """An RGB565 picture with planes, which records what is drawn into it."""

    def __init__(self, source: object = None, size: tuple[int, int] | None = None) -> None:
        if source is not None:
            size = IMAGES[str(source)]
        self.size = size
        self.data = bytearray(2 * size[0] * size[1])
        self.planes: bytes | None = None
        self.drawn: list[tuple] = []

    def width(self) -> int:
        return self.size[0]

    def height(self) -> int:
        return self.size[1]

    def to_bytes(self) -> bytearray:
        return self.data

    def copy(self, roi: tuple, *, x_scale: float, y_scale: float, copy_to_fb: Image) -> Image:
        """The whole picture, into another one that has room for it; what is drawn into it goes with it."""
        assert roi == (0, 0, *self.size)
        copy_to_fb.size = (int(roi[2] * x_scale), int(roi[3] * y_scale))
        assert 2 * copy_to_fb.size[0] * copy_to_fb.size[1] <= len(copy_to_fb.data)
        copy_to_fb.drawn = list(self.drawn)
        return Image(size=copy_to_fb.size)

    def pix_to_ai(self) -> None:
        self.planes = planes_of(bytes(self.data))

    def compressed(self, quality: int) -> Image:
        if FAULTS["compress"]:
            raise MemoryError("Out of normal MicroPython Heap Memory!")
        jpeg = Image(size=(1, 1))
        jpeg.data = bytearray(b"\xff\xd8 JPEG %d " % quality + bytes(range(256)) * 4)
        return jpeg

    def draw_line(self, *args: int, color: tuple, thickness: int) -> None:
        self.drawn.append(("line", args, color))

    def draw_circle(self, *args: int, color: tuple, fill: bool) -> None:
        self.drawn.append(("circle", args, color))

    def draw_string(self, x: int, y: int, text: str, color: tuple) -> None:
        self.drawn.append(("string", (x, y, text), color))


def addressof(view: memoryview) -> int:
    """Where a writable buffer lies, as MicroPython's uctypes has it."""
    return ctypes.addressof(ctypes.c_char.from_buffer(view))


def planes_of(data: bytes) -> bytes:
    """RGB565, high byte first, as planes of 8 bits."""
    words = np.frombuffer(data, ">u2").astype(np.uint32)
    red, green, blue = words >> 11, words >> 5 & 63, words & 31
    planes = [(red * 255 + 15) // 31, (green * 255 + 31) // 63, (blue * 255 + 15) // 31]
    return np.stack(planes).astype(np.uint8).tobytes()


class Sensor(types.SimpleNamespace):
    """The camera: frames of 33 ms; `window` is what the program asked for."""

    RGB565, QVGA = 2, 6

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.calls: list[tuple] = []
        self.frame = Image(size=(320, 240))
        self.taken = 0
        self.id = 0x2642

    def __getattr__(self, name: str) -> Callable:
        return lambda *args, **kwargs: self.calls.append((name, args, kwargs))

    def reset(self, **kwargs: object) -> None:
        self.calls.append(("reset", (), kwargs))
        if FAULTS["no_camera"]:
            raise OSError("Reset Failed")

    def get_id(self) -> int:
        return self.id

    def set_windowing(self, window: tuple[int, int, int, int]) -> None:
        assert not any(side % 8 for side in window[2:])
        self.calls.append(("set_windowing", window))
        self.frame = Image(size=window[2:])

    def snapshot(self) -> Image:
        self.clock.pass_us(33_000)
        self.taken += 1
        if self.taken in FAULTS["silent_frames"]:
            self.clock.pass_us(300_000)
            raise RuntimeError("Sensor timeout!")
        self.frame.drawn = []
        self.frame.planes = bytes(np.full(3 * self.frame.size[0] * self.frame.size[1], self.taken & 255, np.uint8))
        return self.frame


class Lcd(types.SimpleNamespace):
    """The LCD: records calls, messages and where pictures go."""

    WHITE, BLACK = 0xFFFF, 0

    def __init__(self) -> None:
        super().__init__(size=(320, 240), calls=[], texts=[], shown=[], clears=0)

    def __getattr__(self, name: str) -> Callable:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self.calls.append((name, args, kwargs))

    def init(self, **kwargs: object) -> None:
        if FAULTS["lcd"]:
            raise OSError(12)
        self.calls.append(("init", (), kwargs))

    def width(self) -> int:
        return self.size[0]

    def height(self) -> int:
        return self.size[1]

    def clear(self) -> None:
        self.clears += 1
        self.texts = []

    def draw_string(self, x: int, y: int, text: str, colour: int, ground: int) -> None:
        assert x + 8 * len(text) <= self.size[0]
        assert y + 12 <= self.size[1]
        self.texts.append(text)

    def display(self, picture: Image, *, roi: tuple, oft: tuple) -> None:
        assert oft[0] + roi[2] <= self.size[0]
        assert oft[1] + roi[3] <= self.size[1]
        self.shown.append((picture.size, roi, oft, list(picture.drawn)))

    def message(self) -> str:
        return " ".join(self.texts)


class Kpu:
    """MaixPy's KPU module: `network(planes)` gives the four heads."""

    def __init__(self, clock: Clock, network: Callable[[bytes], list[bytes]]) -> None:
        self.clock = clock
        self.network = network
        self.loaded: list[object] = []
        self.pictures: list[tuple[int, int]] = []
        self.closed = 0
        # Of set_layers(); 0: all of them.
        self.layers = 0
        self.outputs_taken = 0
        self.block = bytearray()
        self.heads: list[memoryview] = []
        # Where each head lies in the block of all of them; another firmware may have them apart.
        self.apart = 0

    def load(self, source: object) -> Kpu:
        if FAULTS["load"]:
            raise ValueError(f"[MAIXPY]kpu: load error:{FAULTS['load']}")
        self.loaded.append(source)
        self.layers = 0
        return self

    def set_layers(self, task: object, count: int) -> None:
        assert task is self
        self.layers = count

    def forward(self, task: object, picture: Image) -> object:
        assert task is self
        if self.layers:
            self.clock.pass_us(1000 * self.layers)
            return None
        if FAULTS["forward"]:
            raise OSError("[MAIXPY]kpu: ERR_RUN_MODEL: maybe model dirty")
        self.clock.pass_us(40_000)
        self.pictures.append(picture.size)
        self._put(self.network(picture.planes))
        return memoryview(self.block)[: len(self.block) - self.apart]

    def _put(self, heads: list[bytes]) -> None:
        """Writes the heads over those of the run before, each at a multiple of 8 bytes."""
        starts = list(itertools.accumulate((-(-len(head) // 8) * 8 for head in heads), initial=self.apart))
        if len(self.block) != starts[-1] + self.apart:
            self.block = bytearray(starts[-1] + self.apart)
        view = memoryview(self.block)
        self.heads = [view[start : start + len(head)] for start, head in zip(starts[:-1], heads, strict=True)]
        for place, head in zip(self.heads, heads, strict=True):
            place[:] = head

    def get_output(self, task: object, index: int) -> memoryview:
        self.outputs_taken += 1
        return self.heads[index - 1]

    def deinit(self, task: object) -> bool:
        self.closed += 1
        return True


class Gpio:
    """Pins: `level` is what the key shows, `calls` what the program set up."""

    IN, OUT, PULL_UP, PULL_DOWN, GPIOHS0 = 0, 1, 2, 3, 0

    def __init__(self) -> None:
        self.level: Callable[[], int] = lambda: 1
        self.calls: list[tuple] = []

    def __call__(self, number: int, mode: int, pull: int = 0) -> types.SimpleNamespace:
        self.calls.append(("GPIO", number, mode, pull))
        return types.SimpleNamespace(value=lambda *level: self._value(number, *level))

    def _value(self, number: int, *level: int) -> int:
        if level:
            self.calls.append(("value", number, *level))
        return self.level()

    def register(self, pin: int, function: int, force: bool) -> None:
        self.calls.append(("register", pin, function))
