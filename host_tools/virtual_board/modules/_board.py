"""A board made of a unix MicroPython: puts the stand-ins in place, then does the jobs that the host gives it."""

import builtins
import errno
import gc
import os
import sys

import _gc
import _host
import _micropython
import _os
import _sys
import _uhashlib
import _utime
import _vfs

STAND_INS = "/.c"
# Imported in this order; on the board they are C, or frozen.
MODULES = ("Maix", "image", "machine", "KPU", "lcd", "sensor", "fpioa_manager")
# What this MicroPython has and MaixPy's minimum builds have not.
NOT_ON_THE_BOARD = (
    "_asyncio",
    "_thread",
    "argparse",
    "asyncio",
    "deflate",
    "framebuf",
    "io",
    "mip",
    "platform",
    "requests",
    "select",
    "ssl",
    "termios",
    "tls",
    "uarray",
    "uasyncio",
    "uselect",
    "vfs",
)
# Kinds of jobs, and how they end.
EXIT, BOOT, FILE, SINGLE, SOURCE = range(5)
DONE, FAILED, LEFT = range(3)
# MaixPy's own start waits for a Ctrl-C.
WAIT_MS = 200
DEMO = """import lcd

lcd.init()
lcd.clear((255, 0, 0))
lcd.draw_string(lcd.width() // 2 - 68, lcd.height() // 2, "Welcome to MaixPy")
"""
BANNER = "\nOfficial Site : https://www.sipeed.com\nWiki          : https://wiki.sipeed.com/maixpy\n"


def run(stand_ins, flash, card, card_delay, heap):
    """Is a board until the host ends it."""
    _install_modules()
    _install_import(stand_ins)
    _install_files(flash, card, card_delay)
    gc.collect()
    _gc.set_heap(heap)
    del _gc.set_heap
    _serve()


def _install_modules():
    """The stand-ins take the names of the board's modules, and their own names are gone."""
    sys.modules["time"] = sys.modules["utime"] = _utime
    sys.modules["sys"] = _sys
    sys.modules["os"] = sys.modules["uos"] = _os
    sys.modules["gc"] = _gc
    sys.modules["hashlib"] = sys.modules["uhashlib"] = _uhashlib
    sys.modules["micropython"] = _micropython
    for name in MODULES:
        __import__(name)
    for name in [name for name in sys.modules if name.startswith("_")]:
        del sys.modules[name]


def _install_import(stand_ins):
    """Modules that the board has not cannot be imported."""
    real = builtins.__import__

    def import_(name, *rest):
        if name.split(".")[0] in NOT_ON_THE_BOARD:
            raise ImportError("no module named '" + name + "'")
        if name == "board" and name not in sys.modules:
            # It reads the board's configuration, and warns, when it is first imported.
            _import_stand_in(real, stand_ins, name)
        return real(name, *rest)

    builtins.__import__ = import_


def _import_stand_in(real, stand_ins, name):
    os.mount(stand_ins, STAND_INS)
    sys.path.insert(0, STAND_INS)
    try:
        real(name)
    finally:
        sys.path.remove(STAND_INS)
        os.umount(STAND_INS)


def _install_files(flash, card, card_delay):
    """The board's file systems, and nothing else of this machine's."""
    files = _vfs.Spiffs(flash)
    _install_open(files)
    if card:
        _os._card = _vfs.Card(card, card_delay)
    os.mount(files, "/flash")
    if card:
        _os._card.poll()
    os.umount(STAND_INS)
    os.umount("/")
    sys.path[:] = []
    os.chdir("/flash")


def _install_open(files):
    """Programs' files are SPIFFS' own, those of imports MicroPython's; in no folder no relative name is a file."""
    real = builtins.open

    def open_(path, mode="r", *_, **__):
        if isinstance(path, str) and not path.startswith("/") and _os.getcwd() == "/":
            raise OSError(errno.EPERM)
        files.for_programs = True
        try:
            return real(path, mode)
        finally:
            files.for_programs = False

    builtins.open = open_


def _boot():
    """What MaixPy's own start does before boot.py and main.py: the folder, a moment for Ctrl-C, files of the card."""
    sys.path.extend(("", "."))
    folder = "/sd" if "sd" in _os.listdir("/") else "/flash"
    _os.chdir(folder)
    if folder == "/sd":
        sys.path.append(folder)
    sys.path.append("/flash")
    print("[MaixPy] init end")
    _utime.sleep_ms(WAIT_MS)
    if "main.py" not in _os.listdir():
        _write("main.py", DEMO)
    if folder == "/sd" and (_covered("boot.py") or _covered("main.py")):
        sys.modules["machine"].reset()
    print(BANNER)


def _covered(name):
    """Whether the card brought another boot.py or main.py for /flash; it is copied."""
    if "cover." + name not in _os.listdir("/sd"):
        return False
    new = _read("/sd/cover." + name)
    if name in _os.listdir("/flash") and new == _read("/flash/" + name):
        return False
    _write("/flash/" + name, new)
    return True


def _read(path):
    with open(path) as file:
        return file.read()


def _write(path, text):
    with open(path, "w") as file:
        file.write(text)


def _run(kind, data, names):
    if kind == BOOT:
        _boot()
    elif kind == FILE:
        name = data.decode()
        if name in _os.listdir():
            execfile(name, names)  # noqa: F821 - MicroPython has it
    else:
        exec(compile(data, "<stdin>", "single" if kind == SINGLE else "exec"), names)


def _attempt(kind, data, names):
    """Does a job; returns how it ended. What it raised is the host's to print."""
    try:
        _run(kind, data, names)
        return DONE
    except SystemExit:
        return LEFT
    except BaseException as error:  # noqa: BLE001 - whatever the board's programs raise
        failure = error
    try:
        text = _sys._traceback(failure)
    except (MemoryError, UnicodeError):
        # Bytes that are no text may come in a name that a bad line has made.
        gc.collect()
        text = type(failure).__name__ + "\n"
    _host.call(b"traceback", data=text)
    return FAILED


def _serve():
    names = {"__name__": "__main__"}
    status = DONE
    while True:
        try:
            data = _host.fetch(b"next", status, gc.mem_free())
            kind = _host.value()
            if kind == EXIT:
                return
            status = _attempt(kind, data, names)
            data = None
        except KeyboardInterrupt:
            # It came when the program had just ended.
            status = DONE
