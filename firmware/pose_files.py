"""Files on the board: where they may lie, and waiting for an SD card that is slow to appear."""

import os

import utime

FLASH = "/flash"
CARD = "/sd"
# The firmware mounts the card beside the start of our program, with up to three attempts.
CARD_WAIT_MS = 3000
# Behind the name of a file that takes another's place; `deploy` knows it.
NEW = ".new"

_waited = False


def folders():
    """/flash and /sd, that which the program was started from first: a card in the slot wins, as in MaixPy itself."""
    return (CARD, FLASH) if os.getcwd() == CARD else (FLASH, CARD)


def size_of(path):
    """The bytes of a file, or None where there is none. Waits for a slow card, once, before it says so."""
    if path.startswith(CARD):
        _wait_for_card()
    try:
        return os.stat(path)[6]
    except OSError:
        return None


def opened(path):
    """A file opened for reading bytes."""
    return open(path, "rb")


def write(path, data):
    """Writes a whole small file; OSError where there is no room. A cut in the middle leaves it torn."""
    with open(path, "wb") as file:
        file.write(data)


def replace(path, data):
    """Writes a whole small file in place of one that is there, or is not; OSError where there is no room.

    It is written beside the old one first, under its name and NEW: a cut in the middle leaves one of them whole.
    """
    write(path + NEW, data)
    try:
        os.rename(path + NEW, path)
    except OSError:
        # SPIFFS renames over no other file.
        os.remove(path)
        os.rename(path + NEW, path)


def find(name):
    """The absolute path of a file in one of the folders, or None."""
    for folder in folders():
        path = "%s/%s" % (folder, name)
        if size_of(path) is not None:
            return path
    return None


def listed(folder):
    """The names in a folder, sorted; empty where there is no such folder."""
    if folder.startswith(CARD):
        _wait_for_card()
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _wait_for_card():
    """Waits for the card to be mounted; in vain only once in the life of the program."""
    global _waited
    begin = utime.ticks_ms()
    while not _waited and CARD[1:] not in os.listdir("/"):
        _waited = utime.ticks_diff(utime.ticks_ms(), begin) > CARD_WAIT_MS
        utime.sleep_ms(50)
