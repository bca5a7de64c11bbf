"""MaixPy's micropython module: kbd_intr tells the host which byte interrupts a program."""

import _host
import micropython as _micropython

const = _micropython.const
opt_level = _micropython.opt_level
mem_info = _micropython.mem_info
qstr_info = _micropython.qstr_info
heap_lock = _micropython.heap_lock
schedule = _micropython.schedule


def heap_unlock():
    """Returns nothing, other than the unix MicroPython's."""
    _micropython.heap_unlock()


def kbd_intr(byte):
    _host.call(b"kbd_intr", byte)


def alloc_emergency_exception_buf(size):
    """Nothing to do here."""


stack_use = _micropython.stack_use
mem_current = _host.missing("micropython.mem_current")
mem_peak = _host.missing("micropython.mem_peak")
mem_total = _host.missing("micropython.mem_total")
