"""What a virtual board is made of: its LCD's glass, camera, firmware build and flash addresses."""

from __future__ import annotations

from dataclasses import dataclass

from conversion import memory_budget
from host_tools import lcd_mounting
from host_tools.boards import Board
from host_tools.lcd_mounting import ROTATIONS
from host_tools.virtual_board.panel import Glass

# Numbers that sensor.get_id() gives.
SENSORS = {"ov2640": 0x2642, "ov7740": 0x7742, "gc0328": 0x9D}
# The one driver that moves a window to where it is asked to.
MOVES_WINDOW = "gc0328"
STANDARD = Glass(320, 240, ROTATIONS[0], inverted=False)
# Builds that are made for one board know its LCD.
_OWN_BUILDS = ("m5stickv", "twatch")


@dataclass(frozen=True)
class Hardware:
    """A board: everything that its firmware cannot ask for, and that decides what somebody sees.

    `glass` is None without LCD, `sensor` without camera; `lcd_default` is the size that lcd.init() takes when it is
    given none.
    """

    name: str = "bit"
    glass: Glass | None = STANDARD
    lcd_default: tuple[int, int] = (STANDARD.width, STANDARD.height)
    sensor: str | None = "ov2640"
    build: memory_budget.Build = memory_budget.MINIMUM
    model_address: int = 0x300000

    @property
    def runs_v4(self) -> bool:
        """Whether the firmware takes kmodel V4 too."""
        return self.build is not memory_budget.MINIMUM

    @classmethod
    def of(cls, board: Board) -> Hardware:
        """The hardware of a board file: an LCD that stands upright when it is set up as the file says."""
        lcd = board.lcd
        own = any(name in board.firmware_build for name in _OWN_BUILDS)
        return cls(
            name=board.id,
            glass=Glass(lcd.width, lcd.height, *lcd_mounting.of(board)) if lcd else None,
            lcd_default=(lcd.width, lcd.height) if lcd and own else (STANDARD.width, STANDARD.height),
            sensor=board.camera.sensors[0].lower(),
            build=memory_budget.MINIMUM if memory_budget.MINIMUM.name in board.firmware_build else memory_budget.FULL,
            model_address=board.flash.model_address,
        )
