"""How much of the firmware's RAM model, camera and LCD take, and what there is."""

import pose_board

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


def budget(card, config):
    """Prints what is needed and free, and returns it as one line. The firmware itself refuses what does not fit."""
    parts = [("kmodel", card.bytes + LOADER_BYTES + card.main_memory)]
    if config.camera and not config.pictures:
        parts.append(("camera", CAMERA_BYTES * (2 if config.camera["dual_buffer"] else 1)))
    if config.lcd:
        parts.append(("LCD", config.lcd["width"] * config.lcd["height"] * 2))
    needed = sum([size for _, size in parts])
    free = pose_board.system_free()
    line = "%s = %d KiB needed, %s free" % (
        " + ".join(["%s %d" % (name, size // 1024) for name, size in parts]),
        needed // 1024,
        "%d KiB" % (free // 1024) if free >= 0 else "unknown",
    )
    print("posenet: memory in KiB: " + line)
    if 0 <= free < needed:
        print("posenet: that is likely too little: " + REMEDY)
    return line
