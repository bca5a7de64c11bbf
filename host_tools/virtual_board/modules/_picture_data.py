"""What MaixPy's pictures are made of: colours, arguments of drawing calls, memory, files and bytes that hold one."""

import errno
import os
import struct

import _host

# MaixPy's numbers for pixel formats (sensor.RGB565).
RGB565 = 2
JPEG = 5
LCD_WIDTH = 320
LCD_HEIGHT = 240
FONT_HEIGHT = 10
WHITE = -1
# imlib asks for all that is left of its work buffer, which is malloc'ed; 300 KB in minimum builds.
JPEG_WORK_BYTES = 300 * 1024
NOT_MUTABLE = "Image format is not supported!"
NO_HEAP = (
    "Out of normal MicroPython Heap Memory! Please reduce the resolution of the image you are running this algorithm "
    "on to bypass this issue!"
)


def word_of(color):
    """A colour as the board's integers have it: RGB565 with the bytes swapped."""
    if isinstance(color, int):
        return color & 0xFFFF
    red, green, blue = [min(max(value, 0), 255) for value in _host.pair_of(color, 3)]
    green = (green * 63 + 127) // 255
    return (red * 31 + 127) // 255 << 3 | green >> 3 | (green & 7) << 13 | (blue * 31 + 127) // 255 << 8


def wide5(value):
    return (value * 255 + 15) // 31


def parse(arguments, count, options, keywords):
    """Values of a vector of `count` (a tuple, or so many arguments), then options by place or by name."""
    if arguments and isinstance(arguments[0], (tuple, list)):
        vector, rest = tuple(arguments[0]), arguments[1:]
    else:
        vector, rest = arguments[:count], arguments[count:]
    if len(vector) != count:
        raise OSError("Not enough positional arguments!")
    for value in vector:
        if isinstance(value, float):
            raise TypeError("can't convert float to int")
    values = list(vector)
    for n in range(len(options)):
        name, default = options[n]
        values.append(keywords[name] if name in keywords else rest[n] if n < len(rest) else default)
    return values


def bits_of(scale):
    """A scale as the board has it, in single precision."""
    if isinstance(scale, str):
        raise TypeError("can't convert str to float")
    return struct.unpack("<i", struct.pack("<f", scale))[0]


def scaled(side, scale, name, argument):
    """The whole part of side * scale, in single precision."""
    exact = struct.unpack("<f", struct.pack("<i", bits_of(scale)))[0]
    if exact < 0:
        raise OSError(f"Error: 0.0 <= {argument}!")
    found = int(struct.unpack("<f", struct.pack("<f", side * exact))[0])
    if not found:
        raise OSError(f"Output image {name} is 0!")
    return found


def memory(size):
    try:
        return bytearray(size)
    except MemoryError:
        raise MemoryError(NO_HEAP) from None


# JPEG and BMP.
_KINDS = (b"\xff\xd8", b"BM")
_BMP_HEADER = 54


def blank(size):
    """A picture whose memory holds anything, as on the board."""
    width, height = (LCD_WIDTH, LCD_HEIGHT) if size is None else _host.pair_of(size, 2)
    if width <= 0 or height <= 0:
        width, height = LCD_WIDTH, LCD_HEIGHT
    pixels = memory(width * height * 2)
    row = b"\x5a\xc3" * width
    for at in range(0, len(pixels), len(row)):
        pixels[at : at + len(row)] = row
    return width, height, RGB565, pixels, -1


def _demand_picture(path):
    try:
        file = open(path, "rb")  # noqa: SIM115 - its error alone is renamed
    except OSError:
        raise OSError(errno.EIO if path.startswith("/flash") else errno.ENOENT) from None
    with file:
        start = file.read(_BMP_HEADER)
    if start[:2] not in _KINDS:
        raise ValueError("format not supported")
    if start[:2] == b"BM" and len(start) < _BMP_HEADER:
        raise ValueError("file_corrupted_raise!")


def decoded(source, from_bytes):
    """A JPEG or BMP, decoded by the host."""
    if isinstance(source, int):
        _host.crash()
    if from_bytes:
        if bytes(source[:2]) not in _KINDS:
            raise ValueError("format not supported")
        data = source
    else:
        path = source if source.startswith("/") else os.getcwd() + "/" + source
        _demand_picture(path)
        data = path
    width, height, _, _, _, _, _, _ = _host.call(b"decode", int(from_bytes), data=data)
    pixels = memory(width * height * 2)
    _host.call(b"decoded", into=pixels)
    return width, height, RGB565, pixels, -1
