"""How much of the firmware's RAM model, camera and LCD take, what there is, and what of the camera that allows."""

import pose_board
import pose_heap

# MaixPy's loader: the file in a buffer aligned to 256 bytes, and its own context.
LOADER_BYTES = 256 + 192
# The camera's frame at its size: RGB565, and three planes of 8 bits for the KPU.
CAMERA_WIDTH = 320
CAMERA_HEIGHT = 240
CAMERA_BYTES = CAMERA_WIDTH * CAMERA_HEIGHT * 5
REMEDY = (
    "flash a `minimum` build of MaixPy, make MicroPython's heap smaller (Maix.utils.gc_heap_size), "
    "or press RESET if the program was started before"
)
# MicroPython's heap: what the program has in use while frames run, and what it keeps free, since frames leave garbage.
HEAP_IN_USE = 169984
HEAP_SPARE = 131072

# What the firmware itself may want of it while the program runs, for example to open a file.
RESERVE = pose_heap.RESERVE
# A VGA frame of the camera, and what the firmware is left with beside two of them: less, since they are the last to be
# taken (seen on the emulated chip: the program ran with half as much).
WIDE_BYTES = 640 * 480 * 5
WIDE_RESERVE = 65536
# MicroPython's heap, while frames run: the program with decoder and zoom, and what frames and a copy of heads want.
PROGRAM_BYTES = 184320
SPARE_BYTES = 49152
# Of the program, what is there with zoom alone.
ZOOM_MODULES = 24576
# deploy takes heaps in steps of this.
HEAP_STEP = 32768
ZOOM_REMEDY = "`deploy --set settings.zoom=1` to a `minimum` build of MaixPy makes room for it"


def picture_bytes(width, height):
    """What a picture of MicroPython's heap takes with its planes, of which the firmware aligns each line."""
    return 2 * width * height + (width + 63) // 64 * 64 * height * 3


def zoom_bytes(width, height):
    """What zoom takes of MicroPython's heap beside the program: its modules, pictures, and what frames want."""
    return ZOOM_MODULES + SPARE_BYTES + picture_bytes(width, height)


def scaled(picture, screen):
    """(columns, rows) of a picture of size (width, height) that fills a screen in one direction, in its own shape."""
    width, height = picture
    columns, rows = screen
    if columns * height <= rows * width:
        return columns, max(1, columns * height // width)
    return max(1, rows * width // height), rows


class Budget:
    """What the firmware's RAM has to hold: `needed` and `free` bytes (-1: unknown), the camera's `buffers`, and all of
    it as one `line`. `reserve` is what the firmware keeps beside; `zoom` what a setting comes to: 0, or 1 to 4 with VGA
    frames."""

    def __init__(self, card, config, zoom):
        self._card = card
        self._config = config
        self._kmodel = card.bytes + LOADER_BYTES + card.main_memory
        self._lcd = config.lcd["width"] * config.lcd["height"] * 2 if config.lcd else 0
        self.free = pose_board.system_free()
        # Why there is no zoom that the program would take by itself.
        self.why = ""
        self.plan(zoom)

    def plan(self, zoom):
        """Plans the camera for a setting `zoom`, and returns what that comes to; -1 takes zoom where two VGA frames
        have room."""
        self.why = ""
        self.zoom = self._zoom(zoom)
        size = WIDE_BYTES if self.zoom else CAMERA_BYTES
        self.reserve = WIDE_RESERVE if self.zoom else RESERVE
        parts = [("kmodel", self._kmodel)]
        self.buffers = 0
        if self._config.camera and not self._config.pictures:
            self.buffers = self._buffers(size)
            parts.append(("VGA camera" if self.zoom else "camera", size * self.buffers))
        if self._lcd:
            parts.append(("LCD", self._lcd))
        self.needed = sum([size for _, size in parts])
        copy = self._copy_bytes()
        self.line = "%s = %d KiB needed, %s free; MicroPython's heap %d KiB%s" % (
            " + ".join(["%s %d" % (name, size // 1024) for name, size in parts]),
            self.needed // 1024,
            "%d KiB" % (self.free // 1024) if self.free >= 0 else "unknown",
            (pose_heap.usable() + 1023) // 1024,
            ", %d of it for the picture at the LCD's size" % ((copy + 1023) // 1024) if copy else "",
        )
        return self.zoom

    def _buffers(self, size):
        """Two where they have room: a frame is then taken while another one is computed."""
        wanted = self._config.camera["dual_buffer"]
        if wanted >= 0:
            return 1 + wanted
        return 2 if self.free >= self._kmodel + self._lcd + 2 * size + self.reserve else 1

    def _copy_bytes(self):
        """What the copy of a picture takes of MicroPython's heap (pose_canvas.py)."""
        lcd = self._config.lcd
        if not lcd or not self._config.lcd_scale:
            return 0
        screen = (lcd["width"], lcd["height"])
        if lcd["rotation"] > 0 and lcd["rotation"] & 1:
            screen = (lcd["height"], lcd["width"])
        picture = (self._card.width, self._card.height)
        columns, rows = scaled(picture, screen)
        return 0 if (columns, rows) == picture else 2 * columns * rows

    def _zoom(self, zoom):
        if not zoom or pose_board.CANMV or self._config.pictures or not self._config.camera:
            return 0
        if zoom > 0:
            return zoom
        if self._config.camera["dual_buffer"] == 0:
            return 0
        self.why = self._obstacle()
        return 0 if self.why else 1

    def has_room(self):
        """Whether kmodel, camera and LCD are known to have room."""
        return self.free >= self.needed

    def laid_out(self):
        """Whether the heaps have room for zoom with two camera buffers, as `deploy` makes them for it."""
        config = self._config
        return bool(config.camera) and not (pose_board.CANMV or config.pictures or self._obstacle())

    def _obstacle(self):
        """Why zoom with two camera buffers has no room, and what would help; empty where it has."""
        size = pose_heap.usable()
        heap = PROGRAM_BYTES + SPARE_BYTES + picture_bytes(self._card.width, self._card.height)
        system = self._kmodel + self._lcd + 2 * WIDE_BYTES + WIDE_RESERVE
        both = system + heap
        if size >= heap and self.free >= system:
            return ""
        if self.free + size < both + HEAP_STEP:
            return "MaixPy leaves %d KiB, zoom needs %d: a `minimum` build has them" % (
                (self.free + size) >> 10,
                both >> 10,
            )
        return "MicroPython's heap of %d KiB is too %s: %s" % (
            size >> 10,
            "small" if size < heap else "large",
            ZOOM_REMEDY,
        )

    def tell(self):
        """Prints what is needed and free. The firmware itself refuses what does not fit."""
        print("posenet: memory in KiB: " + self.line)
        if self.why:
            print("posenet: no zoom (%s)" % self.why)
        if self.buffers == 1:
            print("posenet: one camera buffer, which costs frames a second")
        if 0 <= self.free < self.needed:
            print("posenet: that is likely too little: " + REMEDY)
