"""The first file that MicroPython runs: shows it the stand-ins, and begins to be a board.

Arguments: the file descriptor of the line to the host, the folders of these files, of /flash and of /sd (or -), the
milliseconds until the SD card is there, and the bytes of the board's own heap.
"""

import os
import sys

# Not within reach of the firmware: it goes when all stand-ins are imported.
STAND_INS = "/.c"


def start():
    _, _, stand_ins, flash, card, card_delay, heap = sys.argv
    files = os.VfsPosix(stand_ins)
    os.mount(files, STAND_INS)
    sys.path[:] = [STAND_INS]
    import _board

    _board.run(files, flash, None if card == "-" else card, int(card_delay), int(heap))


start()
