"""What runs beside a Maix board: flashing, deploying, watching, verifying, and a virtual board to do it all with."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host_tools.monitor.api import Monitor

__all__ = ["Monitor"]


def __getattr__(name: str) -> object:
    """`Monitor` is imported when it is asked for: other tools start without it."""
    if name == "Monitor":
        from host_tools.monitor.api import Monitor

        return Monitor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
