"""MicroPython's heap: a larger one where the firmware has room for it, a smaller one where the firmware needs the room.

Picture files need more heap than MaixPy's 512 KiB. Maix.utils.gc_heap_size() keeps a size in flash, which holds from
the next start of the chip on. One that cannot be had gives 128 KiB, where the program cannot be imported, while
gc_heap_size() still answers with the wanted one. So `settle()` comes before the rest of the program is imported.

MaixPy v0.6.2 must not collect by itself while the program works: it looks for what is in use on the C stack, but not in
all registers, and so may free the arguments of a class while `__init__` runs (README.md). gc.collect() is safe, since
the interpreter has put all registers on the stack before it runs any Python, and so is compiling. Everywhere else the
program collects before memory is lacking.
"""

import gc
import sys

import pose_files

# Sizes that this program knows of, as three numbers: what was set before the first change, what it set, and what was
# found to be too much (0: nothing).
FILE = "/flash/pose_heap.txt"
DEFAULT = 524288
# The program runs in no less.
LEAST = 393216
# Programs see a little less than the size: MicroPython keeps its tables in it.
TABLES = 16
# Of the system's heap, what the firmware itself may want while the program runs.
RESERVE = 98304
UNKNOWN = (0, 0, 0)
# While modules are imported, in bytes.
COLLECT_EVERY = 16384
# In bytes, what is left behind at most by a frame, a sentence of the host, and a turn of the program's loop by itself.
FRAME, SENTENCE, TURN = 12288, 4096, 768
MOST_GARBAGE = 16 * (FRAME + TURN)


def settle():
    """Puts the former size back, and resets the chip, where the one that is set could not be had."""
    size = _set_size()
    if not size or usable() >= size - size // TABLES:
        return
    former = _kept()[0]
    former = former if 0 < former < size else DEFAULT
    if size > former:
        _change(former, former, size, "%d KiB could not be had" % (size >> 10))


class Importing:
    """For a `with` in which modules are imported, and nothing else is done. Compiling leaves more behind than it makes:
    collected often, what stays lies close together, and the rest of the heap is in one piece, as a picture must have it
    (pose_canvas.py, pose_wide.py)."""

    def __enter__(self):
        gc.threshold(COLLECT_EVERY)

    def __exit__(self, *exception):
        gc.threshold(-1)


class Garbage:
    """What the running program leaves behind: collected while it is little, so that what stays lies close together, and
    before half of what was free may be gone."""

    def __init__(self):
        self._until_collected = 0

    def add(self, size):
        """Counts so many bytes; collects where they might be too much. For moments at which nothing is half done."""
        self._until_collected -= size
        if self._until_collected < 0:
            gc.collect()
            self._until_collected = min(MOST_GARBAGE, gc.mem_free() // 2)


def usable():
    """Bytes of the heap that programs see."""
    return gc.mem_free() + gc.mem_alloc()


def fit(wanted, needed, free, reserve=RESERVE):
    """Makes the heap as large as wanted, if `needed` bytes of kmodel, camera and LCD and a reserve still have room in
    the `free` ones of the system's heap; that resets the chip. `wanted` 0: as it was before this program changed it.
    Less than MaixPy's own leaves the rest to the system, but for LEAST; a size that others set is not made smaller
    otherwise."""
    size = _set_size()
    former, raised, refused = _kept()
    if not size:
        return
    small = 0 < wanted < DEFAULT
    if small:
        wanted = max(wanted, LEAST)
    elif size == raised:
        wanted = max(wanted, former)
    if wanted < size and (small or size == raised):
        _change(wanted, former or size, refused, "as the config has it")
        return
    if wanted <= size or 0 < refused <= wanted:
        return
    if free - (wanted - size) < needed + reserve:
        print("posenet: MicroPython's heap stays at %d KiB: no room for %d" % (size >> 10, wanted >> 10))
        return
    _change(wanted, former or size, 0, "room for picture files")


def lower():
    """What the system's heap has no room for may have it if this program made MicroPython's heap larger: puts the
    former size back and resets the chip then."""
    size = _set_size()
    former, raised, _ = _kept()
    if size and size == raised > former > 0:
        _change(former, former, size, "kmodel, camera and LCD have no room beside %d KiB" % (size >> 10))


def _change(size, former, refused, why):
    """Sets a size, and resets the chip; from here on it is known what was set before."""
    import machine

    try:
        pose_files.write(FILE, b"%d %d %d" % (former, size, refused))
    except OSError as error:
        # Without that, a size that is too much would be tried again and again.
        print("posenet: MicroPython's heap stays as it is: /flash is full (%s)" % error)
        if size > former:
            return
    print("posenet: MicroPython's heap is set to %d KiB (%s): resetting" % (size >> 10, why))
    _utils().gc_heap_size(size)
    machine.reset()


def _kept():
    """The numbers of FILE."""
    try:
        with pose_files.opened(FILE) as file:
            former, raised, refused = [int(number) for number in file.read(40).split()]
        return former, raised, refused
    except (OSError, ValueError):
        return UNKNOWN


def _set_size():
    """The size that is set, 0 where that cannot be asked: CanMV has a heap of its own making."""
    if sys.platform == "CanMV":
        return 0
    try:
        return _utils().gc_heap_size()
    except (AttributeError, ImportError):
        return 0


def _utils():
    from Maix import utils

    return utils
