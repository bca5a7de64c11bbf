"""The presets of `make kmodel`: sizes with a name, from presets.toml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from conversion.errors import SizeError
from conversion.toml import tomllib

DEFAULT = "balanced"


@dataclass(frozen=True)
class Preset:
    """A picture size (width, height)."""

    size: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.size[0]}x{self.size[1]}"


def _read() -> dict[str, Preset]:
    entries = tomllib.loads(Path(__file__).with_name("presets.toml").read_text("utf-8"))
    return {name: Preset(tuple(entry["size"])) for name, entry in entries.items()}


PRESETS = _read()


def size(preset: str | None, size: tuple[int, int] | None) -> tuple[int, int]:
    """The picture's (width, height): that of the preset, or `size`, or the default; SizeError if both are given."""
    if preset is not None and size is not None:
        raise SizeError(
            f"preset {preset} and size {size[0]}x{size[1]}: {preset} is {PRESETS[preset]}; give one of the two"
        )
    return size or PRESETS[preset or DEFAULT].size
