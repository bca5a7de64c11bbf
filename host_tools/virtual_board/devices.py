"""The board around its CPU: what the stand-ins' requests act on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from conversion import memory_budget
from host_tools.virtual_board.clock import Clock, Over
from host_tools.virtual_board.console import Console
from host_tools.virtual_board.faults import Faults
from host_tools.virtual_board.flash_chip import FlashChip
from host_tools.virtual_board.hardware import Hardware
from host_tools.virtual_board.image_sensor import ImageSensor
from host_tools.virtual_board.memory import SystemHeap
from host_tools.virtual_board.models import Models
from host_tools.virtual_board.panel import Panel
from host_tools.virtual_board.process import Folders
from host_tools.virtual_board.rom import BootRom
from host_tools.virtual_board.uart import Uart

POWER_ON, WATCHDOG, SOFTWARE = 0, 2, 4
# As a name in SPIFFS: modules/_vfs.py.
_SLASH = "%2F"


@dataclass
class Devices:
    """All of them, and what of a board's state belongs to none."""

    hardware: Hardware
    folders: Folders
    faults: Faults
    flash: FlashChip
    rom: BootRom
    models: Models
    sensor: ImageSensor
    panel: Panel
    uart: Uart
    console: Console
    clock: Clock
    tell: Callable[[str], None]
    # Whether the power, a button or an interrupt ends what the processor waits for.
    stirred: Over = lambda: False
    # Levels by pin: what somebody outside holds it at, and what the program drives it to.
    inputs: dict[int, int] = field(default_factory=dict)
    outputs: dict[int, int] = field(default_factory=dict)
    gc_heap_bytes: int = memory_budget.MICROPYTHON_HEAP_BYTES
    next_gc_heap_bytes: int = memory_budget.MICROPYTHON_HEAP_BYTES
    reset_cause: int = POWER_ON
    # The moment at which the watchdog bites.
    watchdog: int | None = None
    started: int = 0
    text: str = ""

    def __post_init__(self) -> None:
        self.heap = SystemHeap(self.hardware.build.image_bytes)

    def power_on(self) -> None:
        """Everything that a reset of the chip loses is lost, and /flash where its place in the chip was overwritten."""
        if self.flash.files_gone():
            for file in self.folders.flash.iterdir():
                file.unlink()
        self.gc_heap_bytes = self.next_gc_heap_bytes
        if self.gc_heap_bytes > SystemHeap(self.hardware.build.image_bytes, 0).size:
            self.gc_heap_bytes = memory_budget.FALLBACK_HEAP_BYTES
        self.heap = SystemHeap(self.hardware.build.image_bytes, self.gc_heap_bytes)
        if self.faults.memory:
            self.heap.take(min(self.faults.memory, self.heap.size))
        self.models.power_off()
        self.sensor.power_off()
        self.panel.power_off()
        self.uart.power_off()
        self.outputs.clear()
        self.watchdog = None
        self.started = self.clock.now()

    def spend(self, microseconds: int) -> None:
        """Something takes so long, and the processor waits for it."""
        self.clock.spend(microseconds, self.stirred)

    def print(self, text: str) -> None:
        """A line that the firmware itself prints."""
        self.console.write(text.encode() + b"\r\n")

    def out_of_memory(self) -> None:
        """What a failed malloc prints, in red."""
        self.print(f"\x1b[0;31mE ({self.clock.now() - self.started}) SYSCALL: Out of memory\r\n\x1b[0m")

    def file(self, path: str) -> Path | None:
        """The host's file behind a path on the board; None outside of /flash and /sd."""
        name = path.strip("/")
        if name.startswith("flash/"):
            return self.folders.flash / name[len("flash/") :].replace("/", _SLASH)
        if name.startswith("sd/") and self.folders.card and ".." not in name.split("/"):
            return self.folders.card / name[len("sd/") :]
        return None
