"""`deploy --set`: entries of the board's pose_config.json that are its maker's to choose; checked as the program does.

The others (lcd, model, pause_button, flips of the camera) are the board file's, at every deploy anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from host_tools.configuration import settings
from host_tools.deployment.changes import merged
from host_tools.errors import BoardError
from host_tools.payload import Payload

SETTINGS = "settings"
# Whole numbers from and to, as firmware/pose_config.py has them (a test compares).
NUMBERS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "draw_score": (0, 255),
        "lcd_scale": (0, 1),
        "selftest": (0, 1),
        "heap": (0, 4 << 20),
        "camera.dual_buffer": (-1, 1),
    }
)
# A folder of picture files; an empty text takes the entry away.
PICTURES = "pictures"


def parse(pairs: Sequence[str]) -> dict:
    """The entries of `KEY=VALUE` texts, as in the file; BoardError says which is wrong and what it may be."""
    found: dict = {}
    for pair in pairs:
        found = merged(found, _entry(*settings.split(pair, keys())))
    return found


def keys() -> list[str]:
    """All that can be set."""
    return [*NUMBERS, PICTURES, *settings.KNOWN]


def given(the_payload: Payload, pairs: Sequence[str]) -> Payload:
    """The payload with these entries in its pose_config.json."""
    return replace(the_payload, pose_config=merged(the_payload.pose_config, parse(pairs)))


def _entry(name: str, text: str) -> dict:
    name = name.removeprefix(f"{SETTINGS}.")
    if name in settings.KNOWN:
        return {SETTINGS: {name: settings.value_of(name, text)}}
    if name == PICTURES:
        return {name: _folder(text)}
    if name not in NUMBERS:
        raise BoardError(f"{name}: cannot be set here; {', '.join(keys())} can; what the board is, is in boards/")
    low, high = NUMBERS[name]
    value = settings.number(text)
    if value is None or not low <= value <= high:
        raise BoardError(f"{name}={text}: must be a whole number from {low} to {high}")
    section, _, key = name.rpartition(".")
    return {section: {key: value}} if section else {key: value}


def _folder(text: str) -> str | None:
    if text and not text.startswith(("/sd/", "/flash/")):
        raise BoardError(f"{PICTURES}={text}: must be a folder of the board: /sd/…, /flash/…, or empty for the camera")
    return text or None
