"""MaixPy's sys module, and tracebacks without the frames that on the board are C."""

import io as _io
import sys as _sys

# Where the stand-ins come from.
_HERE = ('  File "/.c/', '/_start.py", line ')

platform = "MaixPy"
version = "3.4.0"
version_info = (3, 4, 0)
maxsize = 2147483647
byteorder = "little"
argv = []
path = _sys.path
modules = _sys.modules
exit = _sys.exit  # noqa: A001 - MicroPython's name
stdin = _sys.stdin
stdout = _sys.stdout
stderr = _sys.stdout


class _Implementation(tuple):
    name = "micropython"
    version = (0, 6, 3)


implementation = _Implementation(("micropython", (0, 6, 3)))


def _traceback(error):
    """What the board prints of an exception."""
    memory = _io.StringIO()
    _sys.print_exception(error, memory)
    lines = memory.getvalue().split("\n")
    return "\n".join([line for line in lines if not (_HERE[0] in line or _HERE[1] in line)])


def print_exception(error, file=None):
    (file or _sys.stdout).write(_traceback(error))
