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
