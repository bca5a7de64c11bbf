"""The vendor's firmware on the emulated chip, in the place of the stand-in's interpreter.

Everything else is the virtual board's own: port, line and its faults, ROM, flash chip, camera scenes, and the clock:
the machine's time never runs ahead of it, be it at real pace or in jumps, since a program takes a host for gone that is
silent for some seconds of the board's time. It may fall behind, and does not catch up.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from conversion import firmware_image
from conversion.errors import OutputError
from host_tools.errors import BoardError
from host_tools.k210 import CrashError, Machine, boot
from host_tools.virtual_board.camera import Scene
from host_tools.virtual_board.clock import MICROSECONDS, Over
from host_tools.virtual_board.devices import Devices
from host_tools.virtual_board.remarks import Remarks
from host_tools.virtual_board.sd_folder import SdFolder

# How far the machine may be ahead of the board's clock before it waits.
_AHEAD_US = 1000
# The emulated chip has the receive buffers of its own; what waits for it here is never lost.
_WAITING_BYTES = 1 << 20
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class EmulationOptions:
    """`sd`: an SD card's image file, or a folder that is its content and gets what changes. The rest as
    host_tools.k210.Machine has it."""

    sd: Path | None = None
    cycles_per_instruction: Fraction | float | None = None


class Emulation:
    """A machine on the virtual board's flash chip. The chip's thread runs it; any thread may look at it."""

    def __init__(self, options: EmulationOptions, devices: Devices, flash: Path, scene: Scene) -> None:
        """EmulatorError where Unicorn is missing."""
        given, sd = options.cycles_per_instruction, options.sd
        self._card = SdFolder(sd) if sd is not None and sd.is_dir() else None
        self.machine = Machine(
            flash=flash,
            board=devices.hardware.name,
            camera=scene,
            sd=self._card.image if self._card else sd,
            **({} if given is None else {"cycles_per_instruction": given}),
        )
        self._devices = devices
        # Whether it runs, and not the stand-in.
        self.chosen = False
        self._leaving = bytearray()
        self._over: Over = lambda: False
        # What the board's clock showed when the machine's was at 0.
        self._began = 0
        Remarks.of(devices.tell).listen(self.machine)
        self.machine.serial.on_sent = self._leaving.extend
        self.machine.pollers.append(self._look_around)

    def close(self) -> None:
        """The card comes out of its slot."""
        if self._card is None:
            return
        try:
            if names := self._card.take_back():
                self._devices.tell(f"changed on the SD card, and now in its folder: {', '.join(names)}")
        except (BoardError, OutputError) as error:
            self._devices.tell(str(error))
        finally:
            self._card.close()

    def choose(self) -> bool:
        """Whether what lies at flash address 0 is to run here: anything but a test image, which holds no program."""
        found = firmware_image.recognise(boot.firmware_of(self.machine.flash))
        self.chosen = found is None or not found.test_image
        runs = "on the emulated chip" if self.chosen else "by the stand-in, since it holds no program"
        self._devices.tell(f"the ROM starts {found or 'a program that says nothing of itself'}, run {runs}")
        return self.chosen

    def run(self, over: Over) -> None:
        """From power-on until `over()`; BoardError when the firmware crashes, after what is known of it was told."""
        self._devices.uart.set_up(self.machine.serial.baud, _WAITING_BYTES)
        self.machine.power_on()
        self._began, self._over = self._devices.clock.now() - self._microseconds, over
        try:
            self.machine.run(lambda: bool(over()))
        except CrashError as crash:
            self._flush()
            self._devices.tell(crash.report)
            raise BoardError(str(crash)) from crash
        finally:
            self._flush()
            self.machine.power_off()

    def _look_around(self) -> None:
        """Between two slices: bytes in, bytes out, the pace."""
        uart = self._devices.uart
        if waiting := uart.waiting():
            self.machine.serial.feed(uart.take(waiting))
        uart.baud = self.machine.serial.baud
        self._flush()
        self._keep_pace()

    def _flush(self) -> None:
        """What the program has sent since the last slice goes onto the line."""
        if self._leaving:
            data = bytes(self._leaving)
            self._leaving.clear()
            self._devices.console.write(data)

    @property
    def _microseconds(self) -> int:
        return self.machine.clock.nanoseconds * MICROSECONDS // NANOSECONDS

    def _keep_pace(self) -> None:
        """Between two slices the machine is the board's processor: it waits until the clock is where it is itself."""
        clock, moment = self._devices.clock, self._began + self._microseconds
        now = clock.now()
        if moment - now > _AHEAD_US:
            clock.wait(moment, self._over)
        elif now > moment:
            self._began += now - moment

    # --- what somebody before the board sees and does ------------------------------------------------------------

    def lcd(self) -> np.ndarray:
        """uint8 [height, width, 3]; BoardError on a board without an LCD."""
        if self.machine.lcd is None:
            raise BoardError(f"{self.machine.wiring.board} has no LCD")
        return self.machine.lcd.picture()

    @property
    def pictures(self) -> int:
        """Pictures that the LCD has shown."""
        return self.machine.lcd.pictures if self.machine.lcd else 0

    @property
    def frames(self) -> int:
        """Frames that the camera has delivered."""
        return self.machine.bus.dvp.frames

    def set_pin(self, number: int, level: int | None) -> None:
        """Hold a pin at a level; None lets it go, to the pull-up."""
        self.machine.pins.drive(number, 1 if level is None else level)
