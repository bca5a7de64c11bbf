"""Windows of a camera's frame: where the network looks, how what it finds there lies in the frame. Integers only.

A window is three integers (x0, y0, step): pixel (j, i) of the network's picture is the frame at x0 + step * j and
y0 + step * i. Positions in the frame are in 1/256 pixel, whole numbers are centres of pixels. MaixPy's
`image.warp_affine_ai` makes exactly this picture of the matrix (step/256, 0, x0/256, 0, step/256, y0/256, 0, 0, 1),
whose floats are exact: multiples of 1/256 below 2**16.

The whole frame is fitted into the network's picture, top left, the rest black: that is the full window, and in 1/16
pixel of that picture go all coordinates out. At the size of the frame itself nothing is scaled.
"""

from array import array

from pose_decoder import const

# What the camera gives where memory allows (VGA).
FRAME_WIDTH = const(640)
FRAME_HEIGHT = const(480)
# Of the positions, in 1/256 pixel.
PIXEL = const(256)
# At most two pixels of the network's picture for one of the camera's: there is nothing more to see.
MIN_STEP = const(128)
# A window is 1.3 times as large as the box of the keypoints, in 1/256: heads and feet end beyond them.
GROW = const(333)
# A window is kept until the box comes nearer to a side than this part of the window ...
MARGIN = const(16)
# ... or becomes so small that three quarters of the window would do.
KEEP_OVER = const(3)
KEEP_UNDER = const(4)


class View:
    """The windows of one frame size for one size of the network's picture.

    `full` is the full window, `width` and `height` the pixels of the network's picture that the frame takes up in it.
    """

    def __init__(self, width, height, frame_width=FRAME_WIDTH, frame_height=FRAME_HEIGHT):
        self._width = width
        self._height = height
        self._frame_width = frame_width
        self._frame_height = frame_height
        # Rounded up: the whole frame is to be seen.
        step = max(-(-frame_width * PIXEL // width), -(-frame_height * PIXEL // height), PIXEL)
        # What shows nearly the whole frame (7/8) is not worth having.
        self._largest = step * 7 // 8
        self.width = min(width, (frame_width * PIXEL + step // 2) // step)
        self.height = min(height, (frame_height * PIXEL + step // 2) // step)
        self.full = array("i", [_whole(step, width, frame_width), _whole(step, height, frame_height), step])

    def is_full(self, window):
        """Whether that is the full window."""
        return window[2] == self.full[2]

    def choose(self, left, top, right, bottom, window, least=0):
        """Sets `window` for a box of keypoints (1/256 pixel of the frame), of that step at least; the full one where
        none is better."""
        step = max(self._needed(right - left, bottom - top), least)
        if step > self._largest:
            window[:] = self.full
            return
        window[0] = _placed(left + right >> 1, step, self._width, self._frame_width)
        window[1] = _placed(top + bottom >> 1, step, self._height, self._frame_height)
        window[2] = step

    def holds(self, left, top, right, bottom, window):
        """Whether the window is good enough for that box, so that it need not change."""
        return self.inside(left, top, right, bottom, window) and not self.small(left, top, right, bottom, window)

    def inside(self, left, top, right, bottom, window):
        """Whether a box is well inside of a window, or at the frame's edge."""
        x = window[0]
        y = window[1]
        width = window[2] * self._width
        height = window[2] * self._height
        return (
            (left >= x + width // MARGIN or x <= PIXEL)
            and (top >= y + height // MARGIN or y <= PIXEL)
            and (right <= x + width - width // MARGIN or x + width >= (self._frame_width - 2) * PIXEL)
            and (bottom <= y + height - height // MARGIN or y + height >= (self._frame_height - 2) * PIXEL)
        )

    def small(self, left, top, right, bottom, window):
        """Whether a box is so small in a window that a smaller one would show it better."""
        return KEEP_UNDER * self._needed(right - left, bottom - top) < KEEP_OVER * window[2]

    def _needed(self, width, height):
        """The step of a window for a box of that size."""
        step = max(width * GROW // (PIXEL * self._width), height * GROW // (PIXEL * self._height)) + 1
        return step if step > MIN_STEP else MIN_STEP

    def tell(self, xs, ys, x16, y16):
        """What goes out for positions in the frame: 1/16 pixel of the full window's picture, rounded half up."""
        x0, y0, step = self.full
        twice = 2 * step
        for n in range(len(xs)):
            x16[n] = (32 * (xs[n] - x0) + step) // twice
            y16[n] = (32 * (ys[n] - y0) + step) // twice

    def outline(self, window):
        """(x, y, width, height) of a window in pixels of the full window's picture, as far as it lies in the frame."""
        x0, y0, step = self.full
        left = max((window[0] - x0) // step, 0)
        top = max((window[1] - y0) // step, 0)
        right = min((window[0] - x0 + self._width * window[2]) // step, self.width)
        bottom = min((window[1] - y0 + self._height * window[2]) // step, self.height)
        return left, top, right - left, bottom - top


def _placed(centre, step, pixels, side):
    """Where a window begins: in the middle of a box, but in the frame, whose last line MaixPy's warp mixes with what
    lies behind it in memory."""
    last = (side - 1) * PIXEL - 1 - (pixels - 1) * step
    if last < 0:
        return _whole(step, pixels, side)
    return min(max(centre - step * pixels // 2, 0), last)


def _whole(step, pixels, side):
    """Where a window begins that shows a whole side of the frame: its pixels are areas as the frame's are.

    It moves by less than a pixel of the frame where one of its lines would be the frame's last.
    """
    begin = (step - PIXEL) // 2
    beyond = ((side - 1) * PIXEL - begin + step - 1) // step
    at = begin + beyond * step
    if beyond < pixels and at < side * PIXEL and step > PIXEL:
        begin += side * PIXEL - at
    return begin
