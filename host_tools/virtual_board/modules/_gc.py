"""MaixPy's gc module: what the stand-ins take of the heap does not count, since on the board they are C."""

import gc as _gc

disable = _gc.disable
enable = _gc.enable
isenabled = _gc.isenabled
mem_free = _gc.mem_free
# A collection here looks through the stand-ins as well, and words are twice as long: as often as on the board, they
# would be most of what a start costs.
_RARER = 2
# A heap is counted in blocks of so many bytes.
_BLOCK = 32
# What MicroPython's tables leave of the board's heap; set once, at the start.
_total = 0


def collect():
    """Returns nothing, other than the unix MicroPython's."""
    _gc.collect()


def threshold(*amount):
    if not amount:
        told = _gc.threshold()
        return told if told < 0 else told // _RARER
    _gc.threshold(amount[0] if amount[0] < 0 else _RARER * (amount[0] // _BLOCK * _BLOCK))


def mem_alloc():
    return max(_total - _gc.mem_free(), 0)


def set_heap(size):
    """A heap of so many bytes holds one byte of table for four blocks, and a bit a block for finalisers."""
    global _total
    _total = size * 8 // (8 + 4 + 8 * 4 * _BLOCK) * 4 * _BLOCK
