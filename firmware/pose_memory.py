"""How much of the firmware's RAM model, camera and LCD take, and what there is."""

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


def scaled(picture, screen):
    """(columns, rows) of a picture of size (width, height) that fills a screen in one direction, in its own shape."""
    width, height = picture
    columns, rows = screen
    if columns * height <= rows * width:
        return columns, max(1, columns * height // width)
    return max(1, rows * width // height), rows


class Budget:
    """What the firmware's RAM has to hold: `needed` and `free` bytes (-1: unknown), the camera's `buffers`, and all of
    it as one `line`."""

    def __init__(self, card, config):
        parts = [("kmodel", card.bytes + LOADER_BYTES + card.main_memory)]
        if config.lcd:
            parts.append(("LCD", config.lcd["width"] * config.lcd["height"] * 2))
        self.free = pose_board.system_free()
        self.buffers = 0
        if config.camera and not config.pictures:
            self.buffers = self._buffers(config.camera["dual_buffer"], _sum(parts))
            camera = ("camera", CAMERA_BYTES * self.buffers)
            parts.insert(1, camera)
        self.needed = _sum(parts)
        copy = _copy_bytes(card, config.lcd) if config.lcd and config.lcd_scale else 0
        self.line = "%s = %d KiB needed, %s free; MicroPython's heap %d KiB%s" % (
            " + ".join(["%s %d" % (name, size // 1024) for name, size in parts]),
            self.needed // 1024,
            "%d KiB" % (self.free // 1024) if self.free >= 0 else "unknown",
            (pose_heap.usable() + 1023) // 1024,
            ", %d of it for the picture at the LCD's size" % ((copy + 1023) // 1024) if copy else "",
        )

    def _buffers(self, wanted, others):
        """Two where they have room: a frame is then taken while another one is computed."""
        if wanted >= 0:
            return 1 + wanted
        return 2 if self.free >= others + 2 * CAMERA_BYTES + RESERVE else 1

    def tell(self):
        """Prints what is needed and free. The firmware itself refuses what does not fit."""
        print("posenet: memory in KiB: " + self.line)
        if self.buffers == 1:
            print("posenet: one camera buffer, which costs frames a second")
        if 0 <= self.free < self.needed:
            print("posenet: that is likely too little: " + REMEDY)


def _copy_bytes(card, lcd):
    """What the copy of a picture takes of MicroPython's heap (pose_view.py)."""
    screen = (lcd["width"], lcd["height"])
    if lcd["rotation"] > 0 and lcd["rotation"] & 1:
        screen = (lcd["height"], lcd["width"])
    columns, rows = scaled((card.width, card.height), screen)
    return 0 if (columns, rows) == (card.width, card.height) else 2 * columns * rows


def _sum(parts):
    return sum([size for _, size in parts])
