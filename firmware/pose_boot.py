"""The number of this start of the program: counted in flash, so that no two starts have the same.

MaixPy's os.urandom() gives the same bytes after each reset. Two files take turns: the next number goes into the one
that does not hold the newest, which so stays whole whatever becomes of the chip meanwhile. Nothing is renamed.
"""

import binascii
import os

import pose_files
import utime

FILES = ("/flash/pose_boot_0.txt", "/flash/pose_boot_1.txt")
NUMBERS = 1 << 32
# The longest content: two numbers of ten digits and a comma.
MAX_BYTES = 21
WAITS_MS = (0, 1, 2, 3)


def number():
    """The number of this start, below 2**32; it is counted by this call, so call it once.

    Where no earlier number can be read, or this one not be written, it is drawn.
    """
    values = [_read(path) for path in FILES]
    newest = _newest(values)
    # One that cannot be read may have held the number after the other's.
    step = 2 if None in values else 1
    value = _drawn() if values[newest] is None else (values[newest] + step) % NUMBERS
    try:
        pose_files.write(FILES[1 - newest], _content(value))
    except OSError as error:
        print("posenet: starts cannot be counted in /flash (%s): is it full?" % error)
        return _drawn()
    return value


def _content(value):
    text = b"%d" % value
    return b"%s,%d" % (text, binascii.crc32(text) & 0xFFFFFFFF)


def _read(path):
    """The number in a file, None where it is missing, torn or anything else."""
    try:
        with pose_files.opened(path) as file:
            content = file.read(MAX_BYTES + 1)
        value = int(content.split(b",")[0])
    except (OSError, ValueError):
        return None
    return value if content == _content(value) else None


def _newest(values):
    """The index of the number that was counted last; of one that is there."""
    first, second = values
    if first is None or second is None:
        return 0 if second is None else 1
    return 0 if (first - second) % NUMBERS < NUMBERS // 2 else 1


def _drawn():
    """A number from moments that differ a little each time: of flash accesses, of waits."""
    seed = binascii.crc32(os.urandom(4))
    for wait in WAITS_MS:
        utime.sleep_ms(wait)
        seed = binascii.crc32(b"%d" % utime.ticks_us(), seed)
    return seed & 0xFFFFFFFF
