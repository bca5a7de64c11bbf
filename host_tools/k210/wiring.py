"""What is on which pin of a board: from its file in boards/, else as MaixPy's own defaults are.

MaixPy: lcd.init()'s pins 38 and 39, the slot's 26 to 29 (sdcard.c), 18 to 22 for the M5StickV's LCD (py_lcd.c).
"""

from __future__ import annotations

from dataclasses import dataclass

from host_tools import boards, lcd_mounting
from host_tools.k210.parts import lcd, sd_card

# lcd.init(type=3): its own pins, and a glass of 135x240 in the middle of the controller's memory.
_M5STICK_TYPE = 3
_M5STICK_PINS = lcd.Wiring(data_command=20, clock=19)
_M5STICK_ROW, _M5STICK_COLUMN = 40, 52
_ILI9486_TYPES = (1, 2)
# Boards whose power chip answers on the two-wire bus, and the clock pin that it is on.
_POWER_CLOCK = {"m5stickv": 28, "maix_cube": 30, "maix_amigo_tft": 24, "maix_amigo_ips": 24}
DEFAULT_BOARD = "maix_bit"


@dataclass(frozen=True)
class Wiring:
    """A board as the chip sees it; `sensors` are names, `lcd` and `view` None without LCD."""

    board: str
    sensors: tuple[str, ...]
    lcd: lcd.Wiring | None
    view: lcd.View | None
    sd: sd_card.Wiring
    power_clock: int | None
    buttons: dict[int, int]


def of(board_id: str = DEFAULT_BOARD) -> Wiring:
    """The wiring of a board by its id; BoardError lists those that there are."""
    board = boards.find(board_id)
    config = (board.maixpy_config or {}).get("sdcard", {})
    slot = sd_card.Wiring()
    return Wiring(
        board=board.id,
        sensors=tuple(board.camera.sensors),
        lcd=None if board.lcd is None else _M5STICK_PINS if board.lcd.type == _M5STICK_TYPE else lcd.Wiring(),
        view=_view(board),
        sd=sd_card.Wiring(config.get("sclk", slot.clock), config.get("cs", slot.select)),
        power_clock=_POWER_CLOCK.get(board.id),
        buttons={board.pause_button.pin: board.pause_button.pressed} if board.pause_button else {},
    )


def _view(board: boards.Board) -> lcd.View | None:
    if board.lcd is None:
        return None
    small = board.lcd.type == _M5STICK_TYPE
    direction, inverted = lcd_mounting.of(board)
    return lcd.View(
        width=board.lcd.width,
        height=board.lcd.height,
        direction=direction,
        inverted=inverted,
        memory=lcd.ILI9486 if board.lcd.lcd_type in _ILI9486_TYPES else lcd.ST7789,
        row=_M5STICK_ROW if small else 0,
        column=_M5STICK_COLUMN if small else 0,
    )
