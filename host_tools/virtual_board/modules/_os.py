"""MaixPy's os module; each call looks whether the SD card is there by now."""

import hashlib as _hashlib
import os as _os

import _host

# The mounted card's poll(), set at the start.
_card = None
_SYSTEM = ("MaixPy", "MaixPy", "0.6.3", "v0.6.3-2-gd8901fd22 on 2024-06-17", "Sipeed_M1 with kendryte-k210")


class _Uname(tuple):
    sysname, nodename, release, version, machine = _SYSTEM


def _polled(function):
    def polled(*arguments):
        if _card:
            _card.poll()
        return function(*arguments)

    return polled


listdir = _polled(_os.listdir)
ilistdir = _polled(_os.ilistdir)
chdir = _polled(_os.chdir)
mkdir = _polled(_os.mkdir)
rmdir = _polled(_os.rmdir)
remove = _polled(_os.remove)
rename = _polled(_os.rename)
stat = _polled(_os.stat)
statvfs = _polled(_os.statvfs)
mount = _os.mount
umount = _os.umount


# The first bytes after any reset, as MaixPy 0.6.2 gave them: its generator starts from a fixed seed.
_random = b"\x06^\x9d\xde"


def urandom(size):
    """Bytes that look random, and are the same after each reset."""
    global _random
    if size < 0:
        _host.crash()
    while len(_random) < size:
        _random += _hashlib.sha256(_random).digest()
    found, _random = _random[:size], _random[size:] or _hashlib.sha256(_random).digest()
    return found


def getcwd():
    """The folder without the slash that MicroPython leaves behind a mount point."""
    return _os.getcwd().rstrip("/") or "/"


def uname():
    return _Uname(_SYSTEM)


def sync():
    """Everything is written already."""


def flash_format():
    """Removes every file of /flash."""
    for name in listdir("/flash"):
        remove("/flash/" + name)
    return True


VfsFat = _host.missing("os.VfsFat")
VfsSpiffs = _host.missing("os.VfsSpiffs")
dupterm = _host.missing("os.dupterm")
set_REPLio = _host.missing("os.set_REPLio")  # noqa: N816 - MaixPy's name
