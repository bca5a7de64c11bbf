"""Where frames come from: the camera at QVGA, or image files."""

import gc

import image
import pose_errors
import pose_files
import pose_heap
import pose_memory
import sensor
from pose_errors import PoseError

CAMERA = 0
FILES = 1
HOST = 2
TEST_CARD = 3

# The one driver that moves the window to x and y; all others give the top left part of the frame.
GC0328 = 0x9D
ATTEMPTS = 3
ENOMEM = 12
# What the rest of a frame takes, and room to find two large blocks in one piece.
HEAP_RESERVE = 24 * 1024
SUFFIXES = (".jpg", ".jpeg", ".bmp")


def open_source(config, width, height, buffers):
    """The Camera (with so many buffers) or Pictures that the config asks for, giving pictures of this size."""
    if config.pictures:
        return Pictures(config.pictures, width, height)
    if config.camera is None:
        raise PoseError(
            pose_errors.NO_CAMERA,
            'this board has no camera: name a folder of pictures, "pictures", in pose_config.json',
        )
    return Camera(config.camera, width, height, buffers)


class Camera:
    """The camera, windowed to the model's size."""

    source = CAMERA
    # Whether the network sees windows of a larger frame.
    wide = False
    # Bytes of MicroPython's heap that a frame takes.
    heap_bytes = 0
    # Which part of the frame the model sees is said once, not at every new start of the camera.
    told = False

    def __init__(self, config, width, height, buffers):
        if width > pose_memory.CAMERA_WIDTH or height > pose_memory.CAMERA_HEIGHT:
            raise PoseError(
                pose_errors.KMODEL_SIZE,
                "the model is %dx%d, the camera gives %dx%d: make a smaller one with `make kmodel SIZE=320x240`, or "
                "take frames from files" % (width, height, pose_memory.CAMERA_WIDTH, pose_memory.CAMERA_HEIGHT),
            )
        self._open(config, buffers, sensor.QVGA, (width, height))

    def _open(self, config, buffers, framesize, window=None):
        """Starts the camera. First its reset: after a frame size that had no memory the same one again reports success,
        and frames are none."""
        try:
            if buffers == 2:
                sensor.reset(dual_buff=True)
            else:
                sensor.reset()
            sensor.set_pixformat(sensor.RGB565)
            sensor.set_framesize(framesize)
            if window:
                self._set_window(window[0], window[1])
            self._set_flips(config)
        except MemoryError as error:
            raise self._no_memory(error)
        except OSError as error:
            if error.args[:1] == (ENOMEM,):
                raise self._no_memory(error)
            raise PoseError(
                pose_errors.NO_CAMERA, "no camera found (%s): check its ribbon, contacts towards the board" % error
            )
        except (RuntimeError, TypeError, ValueError) as error:
            raise PoseError(pose_errors.NO_CAMERA, "the camera refused its settings: %s" % error)

    def _set_window(self, width, height):
        if (width, height) == (pose_memory.CAMERA_WIDTH, pose_memory.CAMERA_HEIGHT):
            return
        left = (pose_memory.CAMERA_WIDTH - width) // 2
        top = (pose_memory.CAMERA_HEIGHT - height) // 2
        sensor.set_windowing((left, top, width, height))
        if not Camera.told:
            Camera.told = True
            where = "middle" if sensor.get_id() == GC0328 else "top left part (the camera's driver cannot move it)"
            print("posenet: the model sees %dx%d of the frame, its %s" % (width, height, where))

    def _set_flips(self, config):
        if config["vflip"] >= 0:
            sensor.set_vflip(config["vflip"])
        if config["hmirror"] >= 0:
            sensor.set_hmirror(config["hmirror"])

    def _no_memory(self, error):
        if not self.wide:
            pose_heap.lower()
        return PoseError(pose_errors.MEMORY, "no memory for the camera (%s); %s" % (error, pose_memory.REMEDY))

    def snapshot(self):
        """The next frame, planes filled; it lies in the camera's own buffer, which the next call overwrites."""
        problem = None
        for _ in range(ATTEMPTS):
            try:
                return sensor.snapshot()
            except (RuntimeError, OSError, TypeError) as error:
                problem = error
        raise PoseError(pose_errors.CAMERA_SILENT, "the camera does not deliver (%s): check its ribbon" % problem)

    canvas = snapshot

    def stop(self):
        """No capture begins from now on, so that frames of another size do not get in the way of one."""
        sensor.run(0)

    def close(self):
        """Nothing to give back: the firmware reuses the buffers."""


class Pictures:
    """Image files of the model's size in a folder, one after another, again and again."""

    source = FILES
    wide = False

    def __init__(self, folder, width, height):
        self._folder = folder
        self._size = (width, height)
        self._names = [name for name in pose_files.listed(folder) if _is_picture(name)]
        self._next = 0
        self._picture = None
        if not self._names:
            raise PoseError(
                pose_errors.NO_PICTURES, "no .jpg or .bmp in %s: put pictures of %dx%d there" % (folder, width, height)
            )
        # A picture and its planes lie in MicroPython's heap, other than the camera's.
        self.heap_bytes = pose_memory.picture_bytes(width, height)
        # What is free of the heap where frames can be taken.
        self.needed = self.heap_bytes + HEAP_RESERVE
        self._check_memory()

    def _check_memory(self):
        width, height = self._size
        gc.collect()
        free = gc.mem_free()
        if free < self.needed:
            raise PoseError(
                pose_errors.MEMORY,
                "pictures of %dx%d from files need %d KiB of MicroPython's heap, %d are free: enlarge it with "
                "`deploy --heap 768`, or make a smaller model" % (width, height, self.needed >> 10, free >> 10),
            )

    def snapshot(self):
        """The next picture, planes filled."""
        path = "%s/%s" % (self._folder, self._names[self._next])
        self._next = (self._next + 1) % len(self._names)
        # Picture and planes take most of the heap: the old ones must go first.
        self._picture = None
        gc.collect()
        try:
            self._picture = image.Image(path)
        except (OSError, ValueError) as error:
            raise PoseError(pose_errors.NO_PICTURES, "%s cannot be read: %s" % (path, error))
        size = (self._picture.width(), self._picture.height())
        if size != self._size:
            raise PoseError(
                pose_errors.NO_PICTURES,
                "%s is %dx%d, the model needs %dx%d: resize it first" % ((path,) + size + self._size),
            )
        self._picture.pix_to_ai()
        return self._picture

    def canvas(self):
        """A picture to draw into: the last one, if there is any; so large a place is not easily found again."""
        if self._picture is None:
            gc.collect()
            try:
                self._picture = image.Image(size=self._size)
            except MemoryError as error:
                raise PoseError(pose_errors.MEMORY, "no memory for a picture (%s)" % error)
        return self._picture

    def close(self):
        """Lets the picture go."""
        self._picture = None


def _is_picture(name):
    """Whether a file's name ends like a picture's; endswith() takes no tuple on the board."""
    name = name.lower()
    return any(name.endswith(suffix) for suffix in SUFFIXES)
