"""The camera at VGA: windows of its frame for the network, in a picture of its own that also shows the whole frame."""

import gc

import image
import pose_camera
import pose_canvas
import pose_errors
import pose_memory
import pose_view
import pose_zoom
import sensor
from pose_errors import PoseError

PIXEL = 256


# Size and pictures that were taken, for good: a heap that frames have run on may have no piece for others.
_taken = (None, None, None)


def take_pictures(width, height):
    """The network's picture, and another one for the frame where it has another shape; taken once. PoseError if
    MicroPython's heap has no pieces for them."""
    global _taken
    if _taken[0] != (width, height):
        _taken = (None, None, None)
        gc.collect()
        try:
            _taken = ((width, height),) + _made(width, height)
        except MemoryError:
            raise PoseError(
                pose_errors.MEMORY,
                "zoom has no %d KiB of MicroPython's heap for a picture of %dx%d, %d are free, in pieces: %s"
                % (
                    pose_memory.picture_bytes(width, height) >> 10,
                    width,
                    height,
                    gc.mem_free() >> 10,
                    pose_memory.ZOOM_REMEDY,
                ),
            )
    return _taken[1:]


def _made(width, height):
    view = pose_view.View(width, height)
    target = image.Image(size=(width, height))
    # Makes the planes, which the warp demands.
    target.pix_to_ai()
    if (view.width, view.height) == (width, height):
        return target, target
    return target, image.Image(size=(view.width, view.height))


class WideCamera(pose_camera.Camera):
    """The camera's whole frame; `view` says how it lies in the network's picture.

    The network reads planes that `look` fills. Their pixels are another thing: `show` puts the whole frame there.
    """

    wide = True

    def __init__(self, config, width, height, buffers):
        self.view = pose_view.View(width, height)
        self._frame = None
        # The last windows, each with its matrix: several take turns, and seldom change.
        self._known = []
        self._whole = (0, 0, pose_view.FRAME_WIDTH, pose_view.FRAME_HEIGHT)
        self._x_scale = pose_canvas.copy_scale(self.view.width, pose_view.FRAME_WIDTH)
        self._y_scale = pose_canvas.copy_scale(self.view.height, pose_view.FRAME_HEIGHT)
        self._target, self._shown = take_pictures(width, height)
        self._open(config, buffers, sensor.VGA)

    def snapshot(self):
        """The next frame, VGA."""
        self._frame = pose_camera.Camera.snapshot(self)
        return self._frame

    def look(self, window):
        """The network's picture, its planes filled with a window (x0, y0, step) of the frame."""
        image.warp_affine_ai(self._frame, self._target, self._matrix(window))
        return self._target

    def _matrix(self, window):
        for known, matrix in self._known:
            if known == window:
                return matrix
        x0, y0, step = window
        # Exact in single precision: multiples of 1/256 below 2**16.
        matrix = (step / PIXEL, 0, x0 / PIXEL, 0, step / PIXEL, y0 / PIXEL, 0, 0, 1)
        if len(self._known) == pose_zoom.MAX_RUNS:
            self._known.pop(0)
        self._known.append((window[:], matrix))
        return matrix

    def show(self):
        """The whole frame in the size of the network's picture, or as much of it as it fills."""
        self._frame.copy(self._whole, x_scale=self._x_scale, y_scale=self._y_scale, copy_to_fb=self._shown)
        return self._shown

    def pixels(self):
        """Memory that is free from one `show` to the next: the pixels of the network's picture, which reads planes."""
        return memoryview(self._target.to_bytes())

    def canvas(self):
        """A picture of the network's size to draw into."""
        return self._target

    def close(self):
        """Lets the camera go; the pictures stay for the next one."""
        self.stop()
        self._frame = None
