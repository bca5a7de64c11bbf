"""Whether a model fits the general RAM that MaixPy leaves: an estimate from published boot logs, not a measurement."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024
GENERAL_RAM_BYTES = 6 * MIB
MICROPYTHON_HEAP_BYTES = 512 * 1024
# MaixPy's loader: the file in a buffer aligned to 256 bytes, and its own context.
LOADER_BYTES = 256 + 192
# The camera's QVGA frame, RGB565 and the three 8-bit planes that the KPU reads.
CAMERA_BYTES = 320 * 240 * 2 + 320 * 240 * 3
LCD_BYTES = 320 * 240 * 2


@dataclass(frozen=True)
class Build:
    """A MaixPy firmware build and the RAM that its image takes (where its heap starts in the boot log)."""

    name: str
    image_bytes: int

    @property
    def free_bytes(self) -> int:
        """What is left for model, camera and LCD."""
        return GENERAL_RAM_BYTES - self.image_bytes - MICROPYTHON_HEAP_BYTES


BUILDS = (
    Build("minimum", 0x130E20),  # v0.5.1, minimum with kmodel v4 support
    Build("full", 0x2FD080),  # v0.6.2
)


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
    """One estimate a build, for a QVGA camera and a 320x240 LCD."""
    needed = file_bytes + LOADER_BYTES + main_memory_bytes + CAMERA_BYTES + LCD_BYTES
    return [Fit(build.name, needed, build.free_bytes) for build in BUILDS]
