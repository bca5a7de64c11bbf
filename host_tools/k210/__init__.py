"""A Kendryte K210 with a Maix board around it, emulated: runs the vendor's firmware, instruction by instruction."""

from host_tools.k210.errors import CrashError, EmulatorError, NoFirmwareError, UnmodelledError, WaitError
from host_tools.k210.machine import Ended, Machine
from host_tools.k210.notes import Note
from host_tools.k210.session import Session

__all__ = [
    "CrashError", "EmulatorError", "Ended", "Machine", "NoFirmwareError", "Note", "Session", "UnmodelledError",
    "WaitError",
]  # fmt: skip
