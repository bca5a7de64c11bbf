"""Whether everything is there that the emulated chip needs, said in one line where it is not."""

from __future__ import annotations

import importlib.util
import sys

from conversion import extras
from conversion.printing import warn
from host_tools.k210.engine import native
from host_tools.k210.errors import EmulatorError

# 2.1.4 is the version whose traps hart.py knows.
UNICORN = "2.1.4"
_PACKAGES = ("unicorn", "cryptography")
_said = False


def require() -> None:
    """EmulatorError unless Unicorn is installed and the system is one that it can share memory on."""
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise EmulatorError(
            f"the emulated K210 needs the package {missing[0]}, which is not installed: {extras.advice('emulator')}"
        )
    if sys.platform == "win32":
        raise EmulatorError("the emulated K210 needs Linux or macOS: it shares memory between two engines")
    import unicorn

    if unicorn.__version__ != UNICORN:
        raise EmulatorError(
            f"the emulated K210 needs unicorn {UNICORN}, not {unicorn.__version__}: pip install '.[host,emulator]'"
        )
    _say_if_slow()


def _say_if_slow() -> None:
    global _said
    if not _said and native.library() is None:
        _said = True
        warn("no C compiler (cc) was found: the emulated K210 runs about twenty times slower")
