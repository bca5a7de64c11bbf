"""MaixPy's lcd module: the panel is the host's."""

import _host
import _picture_data as _data
from Maix import config as _config

# The module has a function of that name.
_builtin_type = type
# Colours as they are stored: RGB565 with the bytes swapped.
BLACK, WHITE, RED, GREEN, BLUE = 0x0000, 0xFFFF, 0x00F8, 0xE007, 0x1F00
NAVY, DARKGREEN, DARKCYAN, MAROON, PURPLE, OLIVE = 0x0F00, 0xE003, 0xEF03, 0x0078, 0x0F78, 0xE07B
LIGHTGREY, DARKGREY, CYAN, MAGENTA, YELLOW = 0x18C6, 0xEF7B, 0xFF07, 0x1FF8, 0xE0FF
ORANGE, GREENYELLOW, PINK = 0x20FD, 0xE5AF, 0x1FF8
# Directions: bits of the panel's memory access control.
XY_RLUD, YX_RLUD, XY_LRUD, YX_LRUD = 0x00, 0x20, 0x40, 0x60
XY_RLDU, YX_RLDU, XY_LRDU, YX_LRDU = 0x80, 0xA0, 0xC0, 0xE0
_SHIELD, _CUBE, _STICK, _WATCH, _CONVERTER = 1, 2, 3, 4, 5
_ROTATIONS = (YX_RLDU, XY_RLUD, YX_LRUD, XY_LRDU)
_MIRRORED = (YX_RLUD, XY_LRUD, YX_LRDU, XY_RLDU)
_LETTER_WIDTH = 8
_LETTER_HEIGHT = 12


class _State:
    type = 0
    ended = False
    # As lcd.init() had them, and as they are after a rotation.
    size = (0, 0)
    width = 0
    height = 0
    rotation = 0
    mirror = False
    # lcd.freq() alone changes what it says.
    freq = 15000000
    # The C variables keep it from the start of the chip on: only a board's file changes it.
    direction = YX_RLDU


def init(
    type=_SHIELD,  # noqa: A002 - MaixPy's name
    freq=15000000,
    color=BLACK,
    width=None,
    height=None,
    invert=0,
    offset_w0=0,
    offset_h0=0,
    offset_w1=0,
    offset_h1=0,
    rst=37,
    dcx=38,
    ss=36,
    clk=39,
    *,
    lcd_type=0,
):
    """Takes the panel's buffer and starts it; /flash/config.json wins over the arguments for types 1 and 5."""
    deinit()
    default = _host.call(b"lcd_default")
    width = default[0] if width is None else width
    height = default[1] if height is None else height
    if type == 0:
        return
    if type not in (_SHIELD, _CUBE, _STICK, _WATCH, _CONVERTER):
        raise ValueError("type error")
    if type in (_SHIELD, _CONVERTER):
        values = _config.get_value("lcd", None) or {}
        width, height = values.get("width", width), values.get("height", height)
        invert, lcd_type = values.get("invert", invert), values.get("lcd_type", lcd_type)
        _State.direction = values.get("dir", _State.direction)
    else:
        _State.direction = 0
        invert = invert if type == _CUBE else 1
    if type == _CUBE:
        width = height = 240
    _host.call(b"lcd_init", type, width, height, int(invert), lcd_type, _State.direction, _data.word_of(color))
    _State.type, _State.size = type, (width, height)
    _State.width, _State.height = width, height
    _State.rotation, _State.mirror = 0, False


def deinit():
    if _State.type:
        _host.call(b"lcd_deinit")
        _State.type = 0
        _State.ended = True
        _State.width = _State.height = 0


def display(img, roi=None, oft=None):
    """Shows an image: cut where it is larger, in the middle of black where it is smaller, unless `oft` is its place."""
    if not hasattr(img, "pix_to_ai"):
        raise TypeError(f"Can't convert {_builtin_type(img).__name__} to type")
    if img.format() != _data.RGB565:
        raise OSError("Image format is not supported.")
    if not _State.type:
        return
    x, y, w, h = _inside(roi or (0, 0, img.width(), img.height()), img.width(), img.height())
    left, top = (-1, -1) if oft is None else _host.pair_of(oft, 2)
    padded = left < 0 or top < 0
    if padded:
        x, w, left = _centred(x, w, _State.width)
        y, h, top = _centred(y, h, _State.height)
    _host.call(b"lcd_show", img.width(), img.height(), x, y, w, h, left, top, int(padded), data=img.to_bytes())


def _inside(roi, width, height):
    x, y, w, h = _host.pair_of(roi, 4)
    if w < 1 or h < 1:
        raise OSError("Invalid ROI dimensions!")
    right, bottom = min(x + w, width), min(y + h, height)
    x, y = max(x, 0), max(y, 0)
    if x >= right or y >= bottom:
        raise OSError("ROI does not overlap on the image!")
    return x, y, right - x, bottom - y


def _centred(start, size, screen):
    """First pixel shown, pixels shown, and where: one axis."""
    if size > screen:
        return start + (size - screen) // 2, screen, 0
    return start, size, (screen - size) // 2


def clear(*color, **_):
    """Fills the panel; a keyword does nothing."""
    if _State.type:
        _host.call(b"lcd_fill", 0, 0, _State.width, _State.height, _data.word_of(color[0] if color else BLACK))


def _demand_panel():
    """After deinit() MaixPy jumps to a driver that is not there; before the first init() it says so."""
    if not _State.type:
        if _State.ended:
            _host.crash()
        raise ValueError("not init")


def fill_rectangle(x, y, w, h, color=None):
    if color is None:
        raise TypeError("can't convert  to int")
    _demand_panel()
    if x + w >= _State.size[0] or y + h >= _State.size[1]:
        raise ValueError("arg error")
    _host.call(b"lcd_fill", x, y, w, h, _data.word_of(color))


def draw_string(x, y, text, fg=RED, bg=BLACK):
    """Letters of 8x12 pixels, cut at the right edge."""
    _demand_panel()
    text = _host.text_of(text)[: (_State.size[0] - x) // _LETTER_WIDTH]
    if text and y <= _State.size[0] - 16:
        _host.call(b"lcd_string", x, y, fg & 0xFFFF, bg & 0xFFFF, data=text)


def rotation(value=None):
    """Sets one of four directions, whatever the board's configuration says."""
    if value is not None:
        if not 0 <= value <= 3:
            raise ValueError("value:[0,3]")
        _State.rotation = value
        width, height = _State.size
        _State.width, _State.height = (height, width) if value % 2 else (width, height)
        direction((_MIRRORED if _State.mirror else _ROTATIONS)[value])
    return _State.rotation


def mirror(enable=None):
    if enable is not None:
        _State.mirror = bool(enable)
        if enable:
            direction(_MIRRORED[_State.rotation])
    return int(_State.mirror)


def direction(value):
    """Sets the panel's memory access control; an exchange of red and blue stays."""
    _host.call(b"lcd_direction", value & 0xFF)


def bgr_to_rgb(enable=None):
    if enable is None:
        raise ValueError("True or False")
    _host.call(b"lcd_bgr", int(bool(enable)))


def width():
    return _State.width if _State.type else None


def height():
    return _State.height if _State.type else None


def type():  # noqa: A001 - MaixPy's name
    return _State.type or None


def freq(value=None):
    if _State.ended and not _State.type:
        _host.crash()
    if value is not None:
        _State.freq = value
    return _State.freq


def set_backlight(state):
    """Does nothing, on the board too."""


def get_backlight():
    """Does nothing, on the board too."""


register = _host.missing("lcd.register")
