"""The presets of `make kmodel`: sizes with a name, from presets.toml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from conversion.errors import SizeError
from conversion.toml import tomllib

DEFAULT = "balanced"


@dataclass(frozen=True)
class Preset:
    """A picture size (width, height) in memory; `turned`: for a board that stands upright, whose picture lies there."""

    size: tuple[int, int]
    turned: bool = False

    def __str__(self) -> str:
        return f"{self.size[0]}x{self.size[1]}{' turned' if self.turned else ''}"


def _read() -> dict[str, Preset]:
    entries = tomllib.loads(Path(__file__).with_name("presets.toml").read_text("utf-8"))
    return {name: Preset(tuple(entry["size"]), entry.get("turned", False)) for name, entry in entries.items()}


PRESETS = _read()


def chosen(preset: str | None, size: tuple[int, int] | None) -> Preset:
    """The picture: that of the preset, or of `size`, or the default; SizeError if both are given."""
    if preset is not None and size is not None:
        raise SizeError(
            f"preset {preset} and size {size[0]}x{size[1]}: {preset} is {PRESETS[preset]}; give one of the two"
        )
    return Preset(size) if size else PRESETS[preset or DEFAULT]
