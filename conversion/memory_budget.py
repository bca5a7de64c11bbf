"""Whether a model fits the general RAM that MaixPy leaves: figures of real images, from `maixpy_memory.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from conversion.toml import tomllib

MIB = 1024 * 1024
_DATA = tomllib.loads(Path(__file__).with_name("maixpy_memory.toml").read_text(encoding="utf-8"))
GENERAL_RAM_BYTES: int = _DATA["general_ram_bytes"]
MICROPYTHON_HEAP_BYTES: int = _DATA["heap_bytes"]
MICROPYTHON_HEAP_USABLE_BYTES: int = _DATA["heap_usable_bytes"]
FALLBACK_HEAP_BYTES: int = _DATA["fallback_heap_bytes"]
HEAP_IN_USE_BYTES: int = _DATA["heap_in_use_bytes"]
HEAP_SPARE_BYTES: int = _DATA["heap_spare_bytes"]
LOADER_BYTES: int = _DATA["loader_bytes"]
CAMERA_BYTES: int = _DATA["camera_bytes"]
LCD_BYTES: int = _DATA["lcd_bytes"]


@dataclass(frozen=True)
class Build:
    """A MaixPy firmware build: what it leaves for model, camera and LCD beside a MicroPython heap of the usual size."""

    name: str
    version: str
    image_sha256: str
    free_bytes: int

    @property
    def image_bytes(self) -> int:
        """What the firmware itself takes."""
        return GENERAL_RAM_BYTES - MICROPYTHON_HEAP_BYTES - self.free_bytes


BUILDS = {name: Build(name, **values) for name, values in _DATA["builds"].items()}
MINIMUM, FULL = BUILDS["minimum"], BUILDS["full"]


@dataclass(frozen=True)
class Fit:
    """What one build has and what the model with camera and LCD needs, in bytes."""

    build: str
    needed: int
    free: int

    @property
    def fits(self) -> bool:
        return self.needed <= self.free


def fits(file_bytes: int, main_memory_bytes: int) -> list[Fit]:
    """One judgement a build, for a QVGA camera with one buffer and a 320x240 LCD."""
    needed = file_bytes + LOADER_BYTES + main_memory_bytes + CAMERA_BYTES + LCD_BYTES
    return [Fit(build.name, needed, build.free_bytes) for build in BUILDS.values()]


@dataclass(frozen=True)
class LcdCopy:
    """The copy of a picture at an LCD's size, which lies in MicroPython's heap: its size in pixels, and whether a heap
    has room for it beside the program; else the LCD shows the picture's middle."""

    width: int
    height: int
    fits: bool

    @property
    def bytes(self) -> int:
        """RGB565."""
        return 2 * self.width * self.height


def lcd_copy(picture: tuple[int, int], lcd: tuple[int, int], heap_bytes: int) -> LcdCopy | None:
    """The copy that a picture (width, height) needs on an LCD (width, height); None where it has the LCD's size."""
    # As firmware/pose_memory.py has it: one side fills the LCD.
    by_width = lcd[0] * picture[1] <= lcd[1] * picture[0]
    width = lcd[0] if by_width else max(1, lcd[1] * picture[0] // picture[1])
    height = max(1, lcd[0] * picture[1] // picture[0]) if by_width else lcd[1]
    if (width, height) == picture:
        return None
    usable = heap_bytes * MICROPYTHON_HEAP_USABLE_BYTES // MICROPYTHON_HEAP_BYTES
    return LcdCopy(width, height, usable - HEAP_IN_USE_BYTES - HEAP_SPARE_BYTES >= 2 * width * height)
