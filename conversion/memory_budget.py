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
WIDE_CAMERA_BYTES: int = _DATA["wide_camera_bytes"]
WIDE_RESERVE_BYTES: int = _DATA["wide_reserve_bytes"]
ZOOM_IN_USE_BYTES: int = _DATA["zoom_in_use_bytes"]
ZOOM_SPARE_BYTES: int = _DATA["zoom_spare_bytes"]
HEAP_STEP_BYTES: int = _DATA["heap_step_bytes"]
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
class ZoomFit:
    """Whether a build has room for zoom with two VGA frames: the size of MicroPython's heap with which it has (None: no
    size will do), what then is left of the firmware's own, and what is missing of both together, in bytes."""

    build: str
    heap_bytes: int | None
    left: int
    missing: int


def zoom_fit(
    build: Build, file_bytes: int, main_memory_bytes: int, picture: tuple[int, int], lcd_bytes: int
) -> ZoomFit:
    """The largest heap beside which kmodel, two VGA frames and LCD have room, if it holds program and picture."""
    width, height = picture
    needed = file_bytes + LOADER_BYTES + main_memory_bytes + 2 * WIDE_CAMERA_BYTES + lcd_bytes
    in_heap = ZOOM_IN_USE_BYTES + ZOOM_SPARE_BYTES + 2 * width * height + -(-width // 64) * 64 * height * 3
    most = MICROPYTHON_HEAP_BYTES + build.free_bytes - needed - WIDE_RESERVE_BYTES
    heap = most // HEAP_STEP_BYTES * HEAP_STEP_BYTES
    least = -(-in_heap * MICROPYTHON_HEAP_BYTES // MICROPYTHON_HEAP_USABLE_BYTES)
    if heap < least:
        return ZoomFit(build.name, None, 0, least - heap)
    return ZoomFit(build.name, heap, MICROPYTHON_HEAP_BYTES + build.free_bytes - needed - heap, 0)


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
