"""Measures the network on the KPU layer by layer: how long its first layer takes, its first two, and so on.

`KPU.set_layers(task, n)` has the whole result of layer n copied to where output 0 lies, over whatever is behind it: an
ordinary kmodel has no room for that. So only a copy of the kmodel is ever loaded for it whose header asks for main
memory enough; it lies at an address of its own, behind the kmodel. `flash` writes it (conversion/kmodel/profiling.py).
"""

import binascii
import gc
import struct

import KPU
import pose_board
import pose_errors
import pose_kmodel
import pose_memory
import utime
from pose_errors import PoseError

# Where the copy may begin, behind the kmodel: a flash chip's blocks.
BLOCK = 65536
# Words of the header.
LAYERS = 3
MAIN_MEMORY = 5
WORDS = 7
# The network's largest result: 48 channels at half the picture's width and height; and room behind it, since the DMA
# writes some bytes more.
LARGEST = 12
MARGIN = 64
# The least of so many times: interrupts and the camera's DMA only ever add.
TIMES = 4


def place(card, address):
    """The copy of the kmodel at a flash address, and its number of layers; PoseError unless exactly that is where it
    belongs, and memory for it."""
    copy = pose_kmodel.Flash((address + card.bytes + BLOCK - 1) // BLOCK * BLOCK)
    crc = 0
    words = None
    for piece in copy.pieces(card.bytes):
        if words is None:
            words = struct.unpack("<%dI" % WORDS, piece[: 4 * WORDS])
            at = 4 * MAIN_MEMORY
            piece = piece[:at] + struct.pack("<I", card.main_memory) + piece[at + 4 :]
        crc = binascii.crc32(piece, crc)
    if crc != card.crc32 or words[MAIN_MEMORY] < LARGEST * card.width * card.height + MARGIN:
        raise PoseError(
            pose_errors.NO_KMODEL,
            "no copy of this kmodel for measuring at %s: write it with `flash --profile`" % copy.name,
        )
    _check_memory(words[MAIN_MEMORY] - card.main_memory)
    return copy, words[LAYERS]


def _check_memory(more):
    """The copy takes the place of the kmodel, and so many bytes more."""
    needed = more + pose_memory.RESERVE
    free = pose_board.system_free()
    if free < needed:
        raise PoseError(
            pose_errors.MEMORY,
            "measuring takes %d KiB more than running, %s free: take a `minimum` build of MaixPy, or a smaller model"
            % (needed // 1024, "%d KiB are" % (free // 1024) if free >= 0 else "unknown is what is"),
        )


def measure(copy, layers, picture, say):
    """Times of the first layer, of the first two, …, with the copy of the last one's whole result: `say(n, layers,
    microseconds)` for each. The network itself must not be loaded."""
    gc.collect()
    task = KPU.load(copy.source)
    try:
        for n in range(1, layers + 1):
            KPU.set_layers(task, n)
            say(n, layers, _least(task, picture))
    finally:
        KPU.deinit(task)


def _least(task, picture):
    least = 0
    for _ in range(TIMES):
        begin = utime.ticks_us()
        KPU.forward(task, picture)
        took = utime.ticks_diff(utime.ticks_us(), begin)
        if not least or took < least:
            least = took
    return least
