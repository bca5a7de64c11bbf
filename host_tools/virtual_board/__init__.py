"""A virtual Maix board: the firmware's own files, run by a real MicroPython, behind a pseudo-terminal."""

from host_tools.virtual_board.board import VirtualBoard
from host_tools.virtual_board.camera import PanAndZoom
from host_tools.virtual_board.faults import Faults
from host_tools.virtual_board.hardware import Hardware

__all__ = ["Faults", "Hardware", "PanAndZoom", "VirtualBoard"]
