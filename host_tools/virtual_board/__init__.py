"""A virtual Maix board: the firmware's own files, run by a real MicroPython, behind a pseudo-terminal."""

import importlib
import sys
from typing import TYPE_CHECKING

from host_tools.errors import BoardError

if TYPE_CHECKING:
    from host_tools.virtual_board.board import VirtualBoard
    from host_tools.virtual_board.camera import PanAndZoom
    from host_tools.virtual_board.faults import Faults
    from host_tools.virtual_board.hardware import Hardware

__all__ = ["Faults", "Hardware", "PanAndZoom", "VirtualBoard", "check_platform"]

_HOMES = {"VirtualBoard": "board", "PanAndZoom": "camera", "Faults": "faults", "Hardware": "hardware"}


def check_platform() -> None:
    """BoardError where no virtual board can run; the command line knows its options everywhere."""
    if not sys.platform.startswith("linux"):
        raise BoardError(f"the virtual board needs Linux, this is {sys.platform}")


def __getattr__(name: str) -> object:
    """What needs Linux is imported when it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    check_platform()
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
