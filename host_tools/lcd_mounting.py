"""How a board's LCD is mounted: the direction in which a picture stands upright there, by the board's file."""

from __future__ import annotations

from host_tools.boards import Board, Lcd

# Bits of the controllers' memory access control (ST7789, ILI9486): rows and columns mirrored, exchanged; red and blue.
MIRROR_ROWS, MIRROR_COLUMNS, EXCHANGE, BLUE_FIRST = 0x80, 0x40, 0x20, 0x08
# Directions that lcd.rotation() sets; the first is also lcd.init()'s, for type 1.
ROTATIONS = (0xA0, 0x00, 0x60, 0xC0)
# LCD types 3 and 4: their drivers invert.
_INVERTING_TYPES = (3, 4)


def of(board: Board) -> tuple[int, bool]:
    """Direction and inversion of a board's LCD, once the firmware has done what the board file says."""
    assert board.lcd is not None
    config = (board.maixpy_config or {}).get("lcd", {})
    inverted = config.get("invert", board.lcd.invert) if board.lcd.type not in _INVERTING_TYPES else 1
    return _direction(board.lcd, config), bool(inverted)


def _direction(lcd: Lcd, config: dict[str, int]) -> int:
    """In MaixPy's order."""
    direction = config.get("dir", ROTATIONS[0] if lcd.type == 1 else 0)
    if lcd.rotation >= 0:
        direction = ROTATIONS[lcd.rotation] | direction & BLUE_FIRST
    if lcd.mirror == 1:
        direction ^= MIRROR_ROWS if direction & EXCHANGE else MIRROR_COLUMNS
    if lcd.bgr >= 0:
        direction = direction & ~BLUE_FIRST | BLUE_FIRST * lcd.bgr
    return direction
