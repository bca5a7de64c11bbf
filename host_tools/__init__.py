"""What runs beside a Maix board: flashing, deploying, watching, verifying, and a virtual board to do it all with."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host_tools.monitor.api import Monitor
    from host_tools.serial_link import ports
    from host_tools.serial_link.link import Link
    from host_tools.serial_link.sentences import Frame

__all__ = ["Frame", "Link", "Monitor", "ports"]

_HOMES = {
    "Frame": "host_tools.serial_link.sentences",
    "Link": "host_tools.serial_link.link",
    "Monitor": "host_tools.monitor.api",
}


def __getattr__(name: str) -> object:
    """What programs of others build on is imported when it is asked for: other tools start without it."""
    if name == "ports":
        return importlib.import_module("host_tools.serial_link.ports")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
