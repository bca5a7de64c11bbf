"""A virtual Maix board: the firmware's own files, run by a real MicroPython, behind a pseudo-terminal."""

import sys

from host_tools.errors import BoardError

if sys.platform.startswith("linux"):
    from host_tools.virtual_board.board import VirtualBoard
    from host_tools.virtual_board.camera import PanAndZoom
    from host_tools.virtual_board.faults import Faults
    from host_tools.virtual_board.hardware import Hardware
else:
    raise BoardError(f"the virtual board needs Linux, this is {sys.platform}")

__all__ = ["Faults", "Hardware", "PanAndZoom", "VirtualBoard"]
