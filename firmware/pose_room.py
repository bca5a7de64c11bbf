"""Room in one piece for the picture at the LCD's size: compiling the program leaves MicroPython's heap in pieces."""

import json

import pose_files
import pose_heap
import pose_memory

CONFIG = "pose_config.json"
DEFAULT_SIZE = (320, 240)
# The picture's own object, and what may slip in before it.
MARGIN = 1024

_block = None


def take():
    """Holds a block as large as the LCD, unless that is too much, or nothing is to be scaled. Nothing is checked here:
    the program says later what is wrong with the config."""
    global _block
    try:
        with pose_files.opened(pose_files.find(CONFIG)) as file:
            config = json.load(file)
        lcd = config["lcd"]
        size = 2 * lcd.get("width", DEFAULT_SIZE[0]) * lcd.get("height", DEFAULT_SIZE[1]) + MARGIN
        least = pose_memory.HEAP_IN_USE + pose_memory.HEAP_SPARE
        if not config.get("lcd_scale", 1) or pose_heap.usable() < size + least:
            return
        _block = bytearray(size)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, MemoryError):
        return


def let_go():
    """Gives the block back: right before the picture is made."""
    global _block
    _block = None
