"""MaixPy's image module: pixels lie here, as the board stores them; the host draws into the rows of a shape."""

import errno as _errno
import struct as _struct

import _host
import _picture_data as _data


class Image(memoryview):
    """A picture: its pixels in MicroPython's heap, or in the camera's buffer `slot`."""

    def __init__(self, source=None, copy_to_fb=0, from_bytes=False, size=None, _made=None, **_):
        if copy_to_fb:
            raise NotImplementedError("image.Image(copy_to_fb=): not on the virtual board")
        if _made is None:
            _made = _data.blank(size) if source is None else _data.decoded(source, from_bytes)
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
        kind = "jpeg" if self._format == _data.JPEG else "rgb565"
        return f'{{"w":{self._width}, "h":{self._height}, "type"="{kind}", "size":{self.size()}}}'

    def __getitem__(self, index):
        count = self._width * self._height if self._format == _data.RGB565 else self.size()
        if isinstance(index, slice):
            return tuple([self._item(n) for n in range(*index.indices(count))])
        if not -count <= index < count:
            raise IndexError("Image index out of range")
        return self._item(index % count)

    def _item(self, n):
        return self._pixels[n] if self._format == _data.JPEG else self.get_pixel(n % self._width, n // self._width)

    def get_pixel(self, *arguments, **keywords):
        self._demand_mutable()
        x, y, as_tuple = _data.parse(arguments, 2, (("rgbtuple", True),), keywords)
        if not (0 <= x < self._width and 0 <= y < self._height):
            return None
        at = 2 * (y * self._width + x)
        if not as_tuple:
            return _struct.unpack_from("<H", self._pixels, at)[0]
        word = _struct.unpack_from(">H", self._pixels, at)[0]
        return (_data.wide5(word >> 11), ((word >> 5 & 63) * 255 + 31) // 63, _data.wide5(word & 31))

    # Drawing: every method returns the image

    def clear(self):
        self._demand_mutable()
        self._fill(b"\x00\x00")
        return self

    def set_pixel(self, *arguments, **keywords):
        x, y, color = self._parsed(arguments, 2, (("color", _data.WHITE),), keywords)
        if 0 <= x < self._width and 0 <= y < self._height:
            _struct.pack_into("<H", self._pixels, 2 * (y * self._width + x), _data.word_of(color))
        return self

    def draw_line(self, *arguments, **keywords):
        x0, y0, x1, y1, color, thickness = self._parsed(
            arguments, 4, (("color", _data.WHITE), ("thickness", 1)), keywords
        )
        around = thickness // 2
        self._draw(
            b"line", min(y0, y1) - around, max(y0, y1) + around + 1, x0, y0, x1, y1, _data.word_of(color), thickness
        )
        return self

    def draw_cross(self, *arguments, **keywords):
        x, y, color, size, thickness = self._parsed(
            arguments, 2, (("color", _data.WHITE), ("size", 5), ("thickness", 1)), keywords
        )
        self.draw_line(x - size, y, x + size, y, color, thickness)
        return self.draw_line(x, y - size, x, y + size, color, thickness)

    def draw_rectangle(self, *arguments, **keywords):
        x, y, w, h, color, thickness, fill = self._parsed(
            arguments, 4, (("color", _data.WHITE), ("thickness", 1), ("fill", False)), keywords
        )
        around = thickness // 2
        self._draw(b"rectangle", y - around, y + h + around + 1, x, y, w, h, _data.word_of(color), thickness, int(fill))
        return self

    def draw_circle(self, *arguments, **keywords):
        x, y, radius, color, thickness, fill = self._parsed(
            arguments, 3, (("color", _data.WHITE), ("thickness", 1), ("fill", False)), keywords
        )
        around = radius + thickness // 2
        self._draw(b"circle", y - around, y + around + 1, x, y, radius, _data.word_of(color), thickness, int(fill))
        return self

    def draw_string(self, *arguments, **keywords):
        x, y, text, color, scale, x_spacing, y_spacing, mono_space = self._parsed(
            arguments,
            3,
            (("color", _data.WHITE), ("scale", 1), ("x_spacing", 0), ("y_spacing", 2), ("mono_space", 0)),
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
            y + lines * (_data.FONT_HEIGHT * scale256 // 256 + 1 + y_spacing),
            x,
            y,
            _data.word_of(color),
            scale256,
            x_spacing,
            y_spacing,
            int(mono_space),
        )
        return self

    def draw_image(self, *arguments, **keywords):
        other, x, y, x_scale, y_scale = self._parsed(arguments, 3, (("x_scale", 1), ("y_scale", 1)), keywords)
        if not isinstance(other, Image):
            raise TypeError(f"Can't convert {type(other).__name__} to type")
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

    def copy(self, roi=None, x_scale=1, y_scale=1, copy_to_fb=False, **_):
        """The nearest pixels, in an image of its own or in that of `copy_to_fb`, whose size becomes the copy's."""
        x, y, w, h = roi or (0, 0, self._width, self._height)
        right, bottom = min(x + w, self._width), min(y + h, self._height)
        x, y = max(x, 0), max(y, 0)
        if x >= right or y >= bottom:
            raise OSError("ROI does not overlap on the image!")
        self._demand_mutable()
        columns = _data.scaled(right - x, x_scale, "width", "x_scale")
        rows = _data.scaled(bottom - y, y_scale, "height", "y_scale")
        if copy_to_fb is True:
            raise NotImplementedError("copy(copy_to_fb=True): not on the virtual board")
        if copy_to_fb is False:
            target = Image(size=(columns, rows))
        else:
            if not isinstance(copy_to_fb, Image):
                raise TypeError(f"Can't convert {type(copy_to_fb).__name__} to type")
            copy_to_fb._become(columns, rows)
            target = Image(_made=(columns, rows, _data.RGB565, copy_to_fb._pixels, copy_to_fb._slot))
        scales = (_data.bits_of(x_scale), _data.bits_of(y_scale))
        part = (x, y, right - x, bottom - y)
        size = (self._width, self._height)
        _host.call(b"scaled", *size, *part, *scales, columns, rows, data=self._pixels, into=target.to_bytes())
        return target

    def _become(self, width, height):
        """Takes another size, in its own memory."""
        if 2 * width * height > self.size():
            raise OSError("The new image won't fit in the target frame buffer!")
        if (width, height) != (self._width, self._height):
            self._width, self._height = width, height
            self._pixels = _host.part(self._pixels, 2 * width * height)
            super().__init__(self._pixels)

    def cut(self, x, y, w, h):
        self._demand_mutable()
        new = Image(size=(w, h))
        return new.draw_image(self, -x, -y)

    def resize(self, w, h):
        if self._format != _data.RGB565:
            print("only support grayscale, 565 zoom out now")
            return None
        new = Image(size=(w, h))
        _host.call(b"resize", self._width, self._height, w, h, data=self._pixels, into=new.to_bytes())
        return new

    def mean_pool(self, x_div, y_div):
        """Becomes the means of x_div x y_div pixels each, in its own memory, the camera's too."""
        self._demand_mutable()
        for side, most, name in ((x_div, self._width, "Width"), (y_div, self._height, "Height")):
            if side < 1:
                raise OSError(f"{name} divisor must be greater than >= 1")
            if side > most:
                raise OSError(f"{name} divisor must be less than <= img {name.lower()}")
        columns, rows = self._width // x_div, self._height // y_div
        small = _host.part(self._pixels, 2 * columns * rows)
        _host.call(b"means", self._width, self._height, x_div, y_div, data=self._pixels, into=small)
        self._become(columns, rows)
        return self

    def compress(self, quality=50):
        """Makes this image a JPEG, in its own memory."""
        jpeg = self._jpeg(quality)
        if len(jpeg) > self.size():
            raise OSError("Can't compress in place!")
        self._pixels[: len(jpeg)] = jpeg
        self._pixels = _host.part(self._pixels, len(jpeg))
        self._format = _data.JPEG
        super().__init__(self._pixels)
        return self

    def compressed(self, quality=50):
        """A JPEG of this image."""
        return Image(_made=(self._width, self._height, _data.JPEG, bytearray(self._jpeg(quality)), -1))

    def save(self, path, roi=None, quality=50):
        if _host.text_of(path).endswith((".jpg", ".jpeg", ".bmp")):
            picture = self if roi is None else self.cut(*roi)
            data = picture._bmp() if path.endswith(".bmp") else picture._jpeg(quality)
            try:
                file = open(path, "wb")  # noqa: SIM115 - its error alone is renamed
            except OSError:
                raise OSError(_errno.ENOENT) from None
            with file:
                file.write(data)
        return self

    def _bmp(self):
        self._demand_mutable()
        return _host.fetch(b"bmp", self._width, self._height, data=self._pixels)

    def _jpeg(self, quality):
        self._demand_mutable()
        if not 1 <= quality <= 100:
            raise OSError("Error: 1 <= quality <= 100!")
        return _host.fetch(b"jpeg", self._width, self._height, quality, _data.JPEG_WORK_BYTES, data=self._pixels)

    # Planes for the KPU

    def pix_to_ai(self):
        """Fills the planes from the pixels; makes them where the image has none."""
        if self._format != _data.RGB565:
            print("only support grayscale now")
        elif self._slot >= 0:
            _host.call(b"camera_planes", self._slot, data=self._pixels)
        else:
            size = self._width * self._height * 3
            if self._planes is None:
                self._planes = _data.memory((self._width + 63 & ~63) * self._height * 3)
            planes = memoryview(self._planes)[:size]
            _host.call(b"planes", self._width, self._height, data=self._pixels, into=planes)

    def _planes_for_kpu(self):
        if self._slot >= 0 or self._planes is None:
            return self._slot, None
        return -1, memoryview(self._planes)[: self._width * self._height * 3]

    # Helpers

    def _demand_mutable(self):
        if self._format != _data.RGB565:
            raise OSError(_data.NOT_MUTABLE)

    def _parsed(self, arguments, count, options, keywords):
        self._demand_mutable()
        return _data.parse(arguments, count, options, keywords)

    def _fill(self, word):
        row = word * self._width
        for at in range(0, len(self._pixels), len(row)):
            self._pixels[at : at + len(row)] = row


# What MaixPy's images have besides.
for _name in (
    "ai_to_pix", "compress_for_ide", "compressed_for_ide", "conv3", "crop", "draw_arrow", "draw_ellipse", "draw_font",
    "dump_roi", "lens_corr", "mean_pooled", "midpoint_pool", "midpoint_pooled", "strech_char", "stretch",
    "to_bitmap", "to_grayscale", "to_rainbow", "to_rgb565",
):  # fmt: skip
    setattr(Image, _name, _host.missing(_name))


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


def warp_affine_ai(*arguments, **keywords):
    """warp_affine_ai(src, dst, T) fills dst's planes with src's, T (9 numbers) leading from dst's pixels to src's."""
    if keywords:
        raise TypeError("function doesn't take keyword arguments")
    if len(arguments) != 3:
        raise TypeError(f"function takes 3 positional arguments but {len(arguments)} were given")
    source, target, matrix = arguments
    for picture in (source, target):
        if not isinstance(picture, Image):
            raise TypeError(f"Can't convert {type(picture).__name__} to type")
    numbers = [_data.bits_of(value) for value in _host.pair_of(matrix, 9)]
    slot, planes = source._planes_for_kpu()
    into_slot, into = target._planes_for_kpu()
    if (slot < 0 and planes is None) or (into_slot < 0 and into is None):
        raise ValueError("only support ai image affine")
    _host.call(b"warp_source", source._width, source._height, slot, data=planes)
    _host.call(b"warp", target._width, target._height, into_slot, *numbers[:6], into=into)
