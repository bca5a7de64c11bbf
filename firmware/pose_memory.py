"""How much of the firmware's RAM model, camera and LCD take, and what there is."""

import image
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
# What image.compressed() takes of it for a picture of whatever size; a `minimum` build, which takes less, has no
# classifiers.
PREVIEW_BYTES = (708 if hasattr(image, "HaarCascade") else 304) * 1024
# A full build has that beside 320x240 with a smaller heap of MicroPython's and one camera buffer only.
PREVIEW_REMEDY = "a `minimum` build of MaixPy has room, or `deploy --heap 384 --set camera.dual_buffer=0`"
# What the firmware itself may want of it while the program runs, for example to open a file.
RESERVE = pose_heap.RESERVE


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
        self.line = "%s = %d KiB needed, %s free; MicroPython's heap %d KiB" % (
            " + ".join(["%s %d" % (name, size // 1024) for name, size in parts]),
            self.needed // 1024,
            "%d KiB" % (self.free // 1024) if self.free >= 0 else "unknown",
            (pose_heap.usable() + 1023) // 1024,
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


def tell_previews(before):
    """KiB that previews lack now, beside kmodel, camera and LCD; 0 where there is room, or nobody knows. Prints them
    unless they were as many before."""
    free = pose_board.system_free()
    missing = (PREVIEW_BYTES - free + 1023) // 1024 if 0 <= free < PREVIEW_BYTES else 0
    if missing and missing != before:
        print("posenet: no previews, which need %d KiB more: %s" % (missing, PREVIEW_REMEDY))
    return missing


def _sum(parts):
    return sum([size for _, size in parts])
