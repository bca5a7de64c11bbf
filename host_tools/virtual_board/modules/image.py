"""MaixPy's image module: pixels lie here, as the board stores them; the host draws into the rows of a shape."""

import errno as _errno
import os as _os
import struct as _struct

import _host

# MaixPy's numbers for pixel formats (sensor.RGB565).
_RGB565 = 2
_JPEG = 5
_LCD_WIDTH = 320
_LCD_HEIGHT = 240
_FONT_HEIGHT = 10
_WHITE = -1
# imlib asks for all that is left of its work buffer, which is malloc'ed; 300 KB in minimum builds.
_JPEG_WORK_BYTES = 300 * 1024
_NOT_MUTABLE = "Image format is not supported!"
_NO_HEAP = (
    "Out of normal MicroPython Heap Memory! Please reduce the resolution of the image you are running this algorithm "
    "on to bypass this issue!"
)


class Image(memoryview):
    """A picture: its pixels in MicroPython's heap, or in the camera's buffer `slot`."""

    def __init__(self, source=None, copy_to_fb=0, from_bytes=False, size=None, _made=None):
        if copy_to_fb:
            raise NotImplementedError("image.Image(copy_to_fb=): not on the virtual board")
        if _made is None:
            _made = _blank(size) if source is None else _decoded(source, from_bytes)
        self._width, self._height, self._format, self._pixels, self._slot = _made
        self._planes = None
        super().__init__(self._pixels)

    # Facts

    def width(self):
        return self._width

    def height(self):
        return self._height

    def format(self):
        return self._format

    def size(self):
        return len(self._pixels)

    def to_bytes(self):
        """A view of the pixels themselves."""
        return self._pixels

    def __len__(self):
        raise TypeError("object of type 'Image' has no len()")

    def __repr__(self):
        kind = "jpeg" if self._format == _JPEG else "rgb565"
        return f'{{"w":{self._width}, "h":{self._height}, "type"="{kind}", "size":{self.size()}}}'

    def __getitem__(self, index):
        count = self._width * self._height if self._format == _RGB565 else self.size()
        if isinstance(index, slice):
            return tuple([self._item(n) for n in range(*index.indices(count))])
        if not -count <= index < count:
            raise IndexError("Image index out of range")
        return self._item(index % count)

    def _item(self, n):
        return self._pixels[n] if self._format == _JPEG else self.get_pixel(n % self._width, n // self._width)

    def get_pixel(self, *arguments, **keywords):
        self._demand_mutable()
        x, y, as_tuple = _parse(arguments, 2, (("rgbtuple", True),), keywords)
        if not (0 <= x < self._width and 0 <= y < self._height):
            return None
        at = 2 * (y * self._width + x)
        if not as_tuple:
            return _struct.unpack_from("<H", self._pixels, at)[0]
        word = _struct.unpack_from(">H", self._pixels, at)[0]
        return (_wide5(word >> 11), ((word >> 5 & 63) * 255 + 31) // 63, _wide5(word & 31))

    # Drawing: every method returns the image

    def clear(self):
        self._demand_mutable()
        self._fill(b"\x00\x00")
        return self

    def set_pixel(self, *arguments, **keywords):
        x, y, color = self._parsed(arguments, 2, (("color", _WHITE),), keywords)
        if 0 <= x < self._width and 0 <= y < self._height:
            _struct.pack_into("<H", self._pixels, 2 * (y * self._width + x), _word_of(color))
        return self

    def draw_line(self, *arguments, **keywords):
        x0, y0, x1, y1, color, thickness = self._parsed(arguments, 4, (("color", _WHITE), ("thickness", 1)), keywords)
        around = thickness // 2
        self._draw(b"line", min(y0, y1) - around, max(y0, y1) + around + 1, x0, y0, x1, y1, _word_of(color), thickness)
        return self

    def draw_cross(self, *arguments, **keywords):
        x, y, color, size, thickness = self._parsed(
            arguments, 2, (("color", _WHITE), ("size", 5), ("thickness", 1)), keywords
        )
        self.draw_line(x - size, y, x + size, y, color, thickness)
        return self.draw_line(x, y - size, x, y + size, color, thickness)

    def draw_rectangle(self, *arguments, **keywords):
        x, y, w, h, color, thickness, fill = self._parsed(
            arguments, 4, (("color", _WHITE), ("thickness", 1), ("fill", False)), keywords
        )
        around = thickness // 2
        self._draw(b"rectangle", y - around, y + h + around + 1, x, y, w, h, _word_of(color), thickness, int(fill))
        return self

    def draw_circle(self, *arguments, **keywords):
        x, y, radius, color, thickness, fill = self._parsed(
            arguments, 3, (("color", _WHITE), ("thickness", 1), ("fill", False)), keywords
        )
        around = radius + thickness // 2
        self._draw(b"circle", y - around, y + around + 1, x, y, radius, _word_of(color), thickness, int(fill))
        return self

    def draw_string(self, *arguments, **keywords):
        x, y, text, color, scale, x_spacing, y_spacing, mono_space = self._parsed(
            arguments,
            3,
            (("color", _WHITE), ("scale", 1), ("x_spacing", 0), ("y_spacing", 2), ("mono_space", 0)),
            keywords,
        )
        if scale <= 0:
            raise OSError("Error: 0 < scale!")
        _host.text_of(text)
        lines = text.count("\n") + text.count("\r") + 1
        scale256 = int(scale * 256)
        _host.call(b"text", data=text)
        self._draw(
            b"string",
            y,
            y + lines * (_FONT_HEIGHT * scale256 // 256 + 1 + y_spacing),
            x,
            y,
            _word_of(color),
            scale256,
            x_spacing,
            y_spacing,
            int(mono_space),
        )
        return self

    def draw_image(self, *arguments, **keywords):
        other, x, y, x_scale, y_scale = self._parsed(arguments, 3, (("x_scale", 1), ("y_scale", 1)), keywords)
        if x_scale != 1 or y_scale != 1:
            raise NotImplementedError("draw_image with a scale: not on the virtual board")
        left, right = max(x, 0), min(x + other.width(), self._width)
        source, here = memoryview(other.to_bytes()), memoryview(self._pixels)
        for row in range(max(y, 0), min(y + other.height(), self._height)):
            if left < right:
                begin = 2 * (row * self._width + left)
                from_ = 2 * ((row - y) * other.width() + left - x)
                here[begin : begin + 2 * (right - left)] = source[from_ : from_ + 2 * (right - left)]
        return self

    def _draw(self, name, top, bottom, *numbers):
        top, bottom = max(top, 0), min(bottom, self._height)
        if top < bottom:
            rows = memoryview(self._pixels)[2 * self._width * top : 2 * self._width * bottom]
            _host.call(name, self._width, top, *numbers, data=rows, into=rows)

    # New pictures

    def copy(self, roi=None):
        return self.cut(*(roi or (0, 0, self._width, self._height)))

    def cut(self, x, y, w, h):
        self._demand_mutable()
        new = Image(size=(w, h))
        return new.draw_image(self, -x, -y)

    def resize(self, w, h):
        self._demand_mutable()
        new = Image(size=(w, h))
        _host.call(b"resize", self._width, self._height, w, h, data=self._pixels, into=new.to_bytes())
        return new

    def compress(self, quality=50):
        """Makes this image a _JPEG, in its own memory."""
        jpeg = self._jpeg(quality)
        if len(jpeg) > self.size():
            raise OSError("Can't compress in place!")
        self._pixels[: len(jpeg)] = jpeg
        self._pixels = _host.part(self._pixels, len(jpeg))
        self._format = _JPEG
        super().__init__(self._pixels)
        return self

    def compressed(self, quality=50):
        """A _JPEG of this image."""
        return Image(_made=(self._width, self._height, _JPEG, bytearray(self._jpeg(quality)), -1))

    def save(self, path, roi=None, quality=50):
        if path.endswith((".jpg", ".jpeg", ".bmp")):
            picture = self if roi is None else self.cut(*roi)
            data = picture._bmp() if path.endswith(".bmp") else picture._jpeg(quality)
            with open(path, "wb") as file:
                file.write(data)
        return self

    def _bmp(self):
        self._demand_mutable()
        return _host.fetch(b"bmp", self._width, self._height, data=self._pixels)

    def _jpeg(self, quality):
        self._demand_mutable()
        if not 1 <= quality <= 100:
            raise OSError("Error: 1 <= quality <= 100!")
        return _host.fetch(b"jpeg", self._width, self._height, quality, _JPEG_WORK_BYTES, data=self._pixels)

    # Planes for the KPU

    def pix_to_ai(self):
        """Fills the planes from the pixels; makes them where the image has none."""
        if self._format != _RGB565:
            print("only support grayscale now")
        elif self._slot >= 0:
            _host.call(b"camera_planes", self._slot, data=self._pixels)
        else:
            size = self._width * self._height * 3
            if self._planes is None:
                self._planes = _memory((self._width + 63 & ~63) * self._height * 3)
            planes = memoryview(self._planes)[:size]
            _host.call(b"planes", self._width, self._height, data=self._pixels, into=planes)

    def _planes_for_kpu(self):
        if self._slot >= 0 or self._planes is None:
            return self._slot, None
        return -1, memoryview(self._planes)[: self._width * self._height * 3]

    # Helpers

    def _demand_mutable(self):
        if self._format != _RGB565:
            raise OSError(_NOT_MUTABLE)

    def _parsed(self, arguments, count, options, keywords):
        self._demand_mutable()
        return _parse(arguments, count, options, keywords)

    def _fill(self, word):
        row = word * self._width
        for at in range(0, len(self._pixels), len(row)):
            self._pixels[at : at + len(row)] = row


# What MaixPy's images have besides.
for _name in (
    "ai_to_pix", "compress_for_ide", "compressed_for_ide", "conv3", "crop", "draw_arrow", "draw_ellipse", "draw_font",
    "dump_roi", "lens_corr", "mean_pool", "mean_pooled", "midpoint_pool", "midpoint_pooled", "strech_char", "stretch",
    "to_bitmap", "to_grayscale", "to_rainbow", "to_rgb565",
):  # fmt: skip
    setattr(Image, _name, _host.missing(_name))


def _word_of(color):
    """A colour as the board's integers have it: _RGB565 with the bytes swapped."""
    if isinstance(color, int):
        return color & 0xFFFF
    red, green, blue = [min(max(value, 0), 255) for value in color]
    green = (green * 63 + 127) // 255
    return (red * 31 + 127) // 255 << 3 | green >> 3 | (green & 7) << 13 | (blue * 31 + 127) // 255 << 8


def _wide5(value):
    return (value * 255 + 15) // 31


def _parse(arguments, count, options, keywords):
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


def _memory(size):
    try:
        return bytearray(size)
    except MemoryError:
        raise MemoryError(_NO_HEAP) from None


# JPEG and BMP.
_KINDS = (b"\xff\xd8", b"BM")


def _blank(size):
    """A picture whose memory holds anything, as on the board."""
    width, height = (_LCD_WIDTH, _LCD_HEIGHT) if size is None else _host.pair_of(size, 2)
    if not width or not height:
        width, height = _LCD_WIDTH, _LCD_HEIGHT
    pixels = _memory(width * height * 2)
    row = b"\x5a\xc3" * width
    for at in range(0, len(pixels), len(row)):
        pixels[at : at + len(row)] = row
    return width, height, _RGB565, pixels, -1


def _decoded(source, from_bytes):
    """A _JPEG or BMP, decoded by the host."""
    if isinstance(source, int):
        _host.crash()
    if from_bytes:
        if bytes(source[:2]) not in _KINDS:
            raise ValueError("format not supported")
        data = source
    else:
        path = source if source.startswith("/") else _os.getcwd() + "/" + source
        try:
            _os.stat(path)
        except OSError:
            raise OSError(_errno.EIO) from None
        data = path
    width, height, _, _, _, _, _, _ = _host.call(b"decode", int(from_bytes), data=data)
    pixels = _memory(width * height * 2)
    _host.call(b"decoded", into=pixels)
    return width, height, _RGB565, pixels, -1


ASCII, UTF8 = 0, 1
ImageReader = _host.missing("image.ImageReader")
ImageWriter = _host.missing("image.ImageWriter")
font_free = _host.missing("image.font_free")
font_load = _host.missing("image.font_load")
get_affine_transform = _host.missing("image.get_affine_transform")
grayscale_to_rgb = _host.missing("image.grayscale_to_rgb")
lab_to_rgb = _host.missing("image.lab_to_rgb")
rgb_to_grayscale = _host.missing("image.rgb_to_grayscale")
rgb_to_lab = _host.missing("image.rgb_to_lab")
warp_affine_ai = _host.missing("image.warp_affine_ai")
