"""The memory that zoom needs: `deploy` computes the size of MicroPython's heap for it, or says why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from conversion import memory_budget
from conversion.memory_budget import ZoomFit
from host_tools import payload
from host_tools.payload import Payload

_HEAP, _SETTINGS, _ZOOM = "heap", "settings", "zoom"


def wanted(the_payload: Payload) -> bool:
    """Whether the board is to have zoom, be it where memory allows."""
    config = the_payload.pose_config
    return bool(config.get(_SETTINGS, {}).get(_ZOOM, 0)) and config.get("camera", {}) is not None


def given(the_payload: Payload) -> Payload:
    """The payload with a heap for zoom where zoom is wanted, no other size was chosen, and one will do."""
    if not wanted(the_payload) or _HEAP in the_payload.pose_config:
        return the_payload
    fit = fit_of(the_payload)
    heap = payload.DEFAULT_SETTINGS[_HEAP] if fit.heap_bytes is None else fit.heap_bytes
    return replace(the_payload, pose_config={**the_payload.pose_config, _HEAP: heap})


def fit_of(the_payload: Payload) -> ZoomFit:
    """What the board's recommended MaixPy build has for zoom."""
    picture, lcd = the_payload.card["input"], the_payload.board.lcd
    return memory_budget.zoom_fit(
        _build(the_payload),
        len(the_payload.kmodel),
        the_payload.card["memory"]["main_memory_bytes"],
        (picture["width"], picture["height"]),
        lcd.width * lcd.height * 2 if lcd else 0,
    )


def _build(the_payload: Payload) -> memory_budget.Build:
    minimum = memory_budget.MINIMUM
    return minimum if minimum.name in the_payload.board.firmware_build else memory_budget.FULL


def told(the_payload: Payload) -> Iterator[tuple[bool, str]]:
    """What there is to say about it: whether that is a warning, and the line."""
    if not wanted(the_payload):
        return
    fit, heap = fit_of(the_payload), the_payload.pose_config[_HEAP]
    if fit.heap_bytes is None:
        yield (
            True,
            f"zoom has no room on MaixPy {fit.build}, {fit.missing // 1024} KiB are missing: the program goes on "
            "without; take a `minimum` build, or a smaller model",
        )
    elif heap != fit.heap_bytes:
        yield (
            True,
            f"zoom wants a heap of {fit.heap_bytes // 1024} KiB for MicroPython, not {heap // 1024}: leave --heap out",
        )
    else:
        yield (
            False,
            f"zoom: MicroPython's heap {heap // 1024} KiB, two VGA frames of the camera, "
            f"{fit.left // 1024} KiB left to MaixPy {fit.build}",
        )
