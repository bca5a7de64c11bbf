"""How a picture lies on the LCD: scaled to its size in a copy that is taken once, or its middle as it is."""

import gc
from array import array

import image
import pose_memory
from pose_decoder import PARTS

SIXTEENTHS = 4


def fit(picture, screen):
    """One axis of a picture on a screen, both in pixels: (first pixel shown, pixels shown, place on the screen).

    What is larger is cut on both sides alike, what is smaller stands in the middle.
    """
    if picture > screen:
        return (picture - screen) // 2, screen, 0
    return 0, picture, (screen - picture) // 2


def copy_scale(pixels, of):
    """The scale with which `copy` makes `pixels` of so many: the firmware takes the whole part of the product, and half
    a pixel more is never one too few."""
    return (2 * pixels + 1) / (2 * of)


class View:
    """A picture of width x height on an LCD.

    `roi` of what `canvas` gives lies at `offset` on the LCD; `xs` and `ys` are the points of the last pose in it.
    """

    def __init__(self, width, height, lcd_width, lcd_height):
        self.size = (width, height)
        self.xs = array("i", [0] * PARTS)
        self.ys = array("i", [0] * PARTS)
        self._copy = None
        self._lcd = (lcd_width, lcd_height)
        self._place(width, height)

    def _place(self, columns, rows):
        left, columns_shown, x = fit(columns, self._lcd[0])
        top, rows_shown, y = fit(rows, self._lcd[1])
        self._columns = columns
        self._rows = rows
        self.roi = (left, top, columns_shown, rows_shown)
        self.offset = (x, y)

    def scale(self, spare):
        """Takes the copy if the picture has another size on the LCD, and MicroPython's heap keeps `spare` bytes beside
        it. Returns the bytes that there is no room for, 0 where all is well."""
        columns, rows = pose_memory.scaled(self.size, self._lcd)
        if (columns, rows) == self.size:
            return 0
        needed = 2 * columns * rows
        gc.collect()
        if gc.mem_free() < needed + spare:
            return needed
        try:
            self._copy = image.Image(size=(columns, rows))
        except MemoryError:
            # It is there, but not in one piece.
            return needed
        self._x_scale = copy_scale(columns, self.size[0])
        self._y_scale = copy_scale(rows, self.size[1])
        self._whole = (0, 0) + self.size
        self._place(columns, rows)
        return 0

    def canvas(self, picture):
        """What is drawn upon and shown: the picture itself, or its copy."""
        if self._copy is None:
            return picture
        picture.copy(self._whole, x_scale=self._x_scale, y_scale=self._y_scale, copy_to_fb=self._copy)
        return self._copy

    def locate(self, pose):
        """Writes where a pose's keypoints lie on the canvas into `xs` and `ys`, in whole pixels."""
        xs = self.xs
        ys = self.ys
        x16 = pose.x16
        y16 = pose.y16
        if self._copy is None:
            for n in range(PARTS):
                xs[n] = x16[n] + 8 >> SIXTEENTHS
                ys[n] = y16[n] + 8 >> SIXTEENTHS
            return
        columns = self._columns
        rows = self._rows
        width = self.size[0] << SIXTEENTHS
        height = self.size[1] << SIXTEENTHS
        for n in range(PARTS):
            xs[n] = (x16[n] * columns + (width >> 1)) // width
            ys[n] = (y16[n] * rows + (height >> 1)) // height
