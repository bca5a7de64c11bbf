"""Opening serial ports so that no board resets and nobody else has them; what goes wrong, with the remedy.

Wirings of DTR and RTS: on most boards two crossed transistors reset the chip when exactly one of the lines is asserted.
The kernel asserts both when it opens a port and lets both go when it closes it, and so do we: neither line is touched.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from pathlib import Path

import serial

from host_tools import time_limits
from host_tools.errors import LinkError

try:
    import fcntl
    import grp
    import termios
except ImportError:  # Windows
    fcntl = grp = termios = None

# What pyserial and the system raise when a port cannot be used (any more).
FAILURES = (OSError,) if termios is None else (OSError, termios.error)
# The REPL's speed after every start: firmware/README.md.
BAUD = 115200
URLS = "socket://HOST:PORT, rfc2217://HOST:PORT, loop://"
_PULSE_SECONDS = 0.1
_PAUSE = None
# Which line is set in which order (device facts: kflash's sequences); None waits.
_RESETS = {
    "dan": (("dtr", False), ("rts", True), _PAUSE, ("rts", False)),
    "kd233": (("rts", False), ("dtr", True), _PAUSE, ("dtr", False)),
    "goD": (("dtr", False), ("rts", False), _PAUSE, ("dtr", True), _PAUSE, ("rts", True)),
}
_MISSING = {errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.EIO, errno.ENOTDIR}
_BUSY = {errno.EBUSY, errno.EAGAIN}
_FORBIDDEN = {errno.EACCES, errno.EPERM}


class MissingPortError(LinkError):
    """A port that is not there; it may come."""


def open_port(name: str, baud: int = BAUD, timeout: float = 0.1) -> serial.SerialBase:
    """Open a port, or a pyserial URL, for nobody but us; no board resets by it. Reads take at most `timeout` seconds.

    LinkError says what is wrong and what to do: missing (MissingPortError), taken, forbidden, no port, wrong URL.
    """
    try:
        port = serial.serial_for_url(name, baudrate=baud, timeout=timeout, **_limits(name))
    except ValueError as error:
        raise LinkError(_wrong_name(name, baud, error)) from error
    except FAILURES as error:
        raise _failure(name, error) from error
    try:
        _keep_others_out(port, name)
    except LinkError:
        port.close()
        raise
    return port


def look_at(name: str) -> None:
    """LinkError, as open_port() says it, where a port cannot be opened now; no address is tried: it may serve once."""
    if "://" not in name:
        open_port(name).close()


def close(port: serial.SerialBase) -> None:
    """Close a port that may be gone; others may open it again."""
    # What is gone, or no terminal, lets nobody in.
    with contextlib.suppress(FAILURES):
        if fcntl is not None and isinstance(port, serial.Serial) and port.is_open:
            fcntl.ioctl(port.fileno(), termios.TIOCNXCL)
    with contextlib.suppress(FAILURES):
        port.close()


def gone(name: str, error: Exception) -> str:
    """Why an open port cannot be used any more."""
    if "://" in name:
        return f"{name}: the connection has ended ({_words(error)}); start the program that serves it again"
    others = holders(name)
    by = f"{', '.join(others)} has opened it too" if others else "unplugged, or another program has opened it too"
    return f"{name}: the port is gone ({by}); plug the board in again, close other programs"


def pulse_reset(port: serial.SerialBase, wiring: str) -> bool:
    """Reset the chip by the lines DTR and RTS; `wiring` is a board's `flash.reset_wiring`.

    False where the port has no such lines (pseudo-terminal, socket); KeyError for a wiring that is not known.
    """
    steps = _RESETS[wiring]
    if str(port.port).startswith(("socket://", "loop://")):
        return False
    try:
        for step in steps:
            if step is _PAUSE:
                time.sleep(_PULSE_SECONDS)
            else:
                setattr(port, *step)
    except FAILURES as error:
        if _number(error) in (errno.ENOTTY, errno.EINVAL):
            return False
        raise LinkError(f"{port.port}: the board cannot be reset over this port ({_words(error)})") from error
    return True


def holders(name: str) -> list[str]:
    """Other programs that have a port open, such as `screen (process 12)`; Linux only, and only what we may see."""
    target = os.path.realpath(name)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if process.name != str(os.getpid()) and _has_open(process, target):
            try:
                found.append(f"{(process / 'comm').read_text().strip()} (process {process.name})")
            except OSError:
                continue
    return sorted(found)


def _has_open(process: Path, target: str) -> bool:
    try:
        with os.scandir(process / "fd") as files:
            return any(_leads_to(file.path, target) for file in files)
    except OSError:
        return False


def _leads_to(link: str, target: str) -> bool:
    try:
        return os.readlink(link) == target
    except OSError:
        return False


def _keep_others_out(port: serial.SerialBase, name: str) -> None:
    """pyserial's lock stops only programs that ask for it: look for others, and let nobody in after us.

    Pseudo-terminals stay as they are: whoever made one may keep its other end open.
    """
    if fcntl is None or not isinstance(port, serial.Serial) or _is_pseudo_terminal(name):
        return
    if others := holders(name):
        raise LinkError(_busy(name, others))
    try:
        fcntl.ioctl(port.fileno(), termios.TIOCEXCL)
    except OSError as error:
        if error.errno not in (errno.ENOTTY, errno.EINVAL):
            raise _failure(name, error) from error


def _limits(name: str) -> dict[str, object]:
    """How long a write may take, and that the port is ours alone; over RFC 2217 the connection has its own limit."""
    if name.lower().startswith("rfc2217://"):
        return {}
    return {"write_timeout": time_limits.WRITE.seconds, "exclusive": True}


def _is_pseudo_terminal(name: str) -> bool:
    return os.path.realpath(name).startswith("/dev/pts/")


def _wrong_name(name: str, baud: int, error: ValueError) -> str:
    if "://" in name:
        return f"{name}: not a URL that pyserial knows ({error}); it knows {URLS}"
    return f"{name!r} at {baud} baud: not a port that can be opened ({error})"


def _failure(name: str, error: Exception) -> LinkError:
    """What the system says, in words that help."""
    number, words = _number(error), _words(error)
    if "://" in name:
        return MissingPortError(
            f"{name}: nobody answers there ({words}); check host, port and the program that serves it"
        )
    if number in _BUSY or (sys.platform == "win32" and "PermissionError" in words):
        return LinkError(_busy(name, holders(name)))
    if number in _FORBIDDEN:
        return LinkError(f"{name}: no permission to open it; {_permission_hint(name)}")
    if number in _MISSING or "FileNotFoundError" in words or not os.path.exists(name):
        return MissingPortError(f"{name}: there is no such port; is the board plugged in? `make ports` lists all")
    return LinkError(f"{name}: cannot be opened as a serial port ({words}); name the board's port")


def _busy(name: str, others: list[str]) -> str:
    by = ", ".join(others) or "another program (a serial monitor, an IDE, ModemManager?)"
    return f"{name}: in use by {by}; close it and try again"


def _permission_hint(name: str) -> str:
    """How to be allowed: on Linux the group that owns the device."""
    if sys.platform == "win32":
        return "close other programs that use it"
    if sys.platform != "linux":
        return f"see `ls -l {name}`"
    try:
        group = grp.getgrgid(os.stat(name).st_gid).gr_name
    except (OSError, KeyError):
        group = "dialout"
    group = "dialout" if group == "root" else group
    return f"join the group {group} with `sudo usermod -aG {group} $USER`, then log out and in again"


def _number(error: Exception) -> int | None:
    """The error's number; pyserial gives it only in some cases, termios in another place."""
    for source in (error, error.__context__):
        if isinstance(source, OSError) and source.errno is not None:
            return source.errno
        if termios is not None and isinstance(source, termios.error):
            return source.args[0]
    return None


def _words(error: Exception) -> str:
    """The system's reason on one line."""
    source = error.__context__ or error
    reason = getattr(source, "strerror", None) or (source.args[-1] if source.args else "") or type(source).__name__
    return " ".join(str(reason).split())
