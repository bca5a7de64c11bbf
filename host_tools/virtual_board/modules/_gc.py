"""MaixPy's gc module: what the stand-ins take of the heap does not count, since on the board they are C."""

import gc as _gc

collect = _gc.collect
disable = _gc.disable
enable = _gc.enable
isenabled = _gc.isenabled
mem_free = _gc.mem_free
# In use when the board's own programs started; set once.
overhead = 0


def mem_alloc():
    return _gc.mem_alloc() - overhead


def threshold(size=-1):
    return _gc.threshold(size) if size >= 0 else _gc.threshold()
