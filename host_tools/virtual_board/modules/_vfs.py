"""The board's file systems: a flat /flash, as SPIFFS is, and an SD card that may appear late."""

import errno
import io
import os

import _utime

# As MaixPy sets SPIFFS up in 3 MiB: pages of 4 KiB with a header of 5 bytes, in blocks of 128 KiB, of which each loses
# a page to its table and two are spare.
BLOCK = 128 * 1024
PAGE_DATA = 4096 - 5
DATA_PAGES = (24 - 2) * (32 - 1) + 1
# Where MaixPy keeps the clocks in a file, freq.conf, which the stand-in has not.
OWN_PAGES = 2
MOST_OPEN = 2
# With the slash before it.
MOST_NAME = 127
# SPIFFS' numbers; seek() gives them as the unsigned numbers that they are not.
_NOT_FOUND = -10002
_END_OF_OBJECT = (1 << 64) - 10003
_FILE_CLOSED = (1 << 64) - 10010
# A slash in a name is a letter like others to SPIFFS; in the folder behind it stands this instead.
SLASH = "%2F"
# Not in this MicroPython's errno.
_NOT_EMPTY = 39
_FILE = 0x8000
_FOLDER = 0x4000


class _Files:
    """A folder of the host's as a file system; `_place` gives the path in it."""

    def __init__(self, root):
        self._files = os.VfsPosix(root)

    def mount(self, readonly, mkfs):
        self._files.mount(readonly, mkfs)

    def umount(self):
        self._files.umount()

    def open(self, path, mode):
        return self._files.open(self._place(path), mode)

    def remove(self, path):
        self._files.remove(self._place(path))

    def rename(self, old, new):
        # Of two absolute paths VfsPosix forgets the first.
        self._files.chdir("/")
        self._files.rename(self._place(old)[1:], self._place(new))

    def stat(self, path):
        return self._files.stat(self._place(path))

    def _entries(self, folder):
        for name, kind, inode, *_ in self._files.ilistdir(folder):
            yield (name, kind, inode, self._files.stat(folder.rstrip("/") + "/" + name)[6])


class _SpiffsFile(io.IOBase):
    """An open file of SPIFFS: what is wrong with it is EIO, and a seek gives SPIFFS' own error as a number."""

    def __init__(self, spiffs, file, name, mode):
        self._spiffs = spiffs
        self._file = file
        self._name = name
        self._text = "b" not in mode
        self._readable = "+" in mode or not _writes(mode)
        self._writable = "+" in mode or _writes(mode)
        self._dirty = False

    def _alive(self):
        if self._file is None or not self._spiffs.has(self._name):
            raise OSError(errno.EIO)
        return self._file

    def _made(self, data):
        return data.decode() if self._text else data

    def read(self, size=-1):
        file = self._alive()
        return self._made(file.read(size) if self._readable else b"")

    def readline(self, size=-1):
        file = self._alive()
        return self._made(file.readline(size) if self._readable else b"")

    def readlines(self):
        return list(self)

    def __iter__(self):
        while True:
            line = self.readline()
            if not line:
                return
            yield line

    def readinto(self, memory):
        file = self._alive()
        return file.readinto(memory) if self._readable else 0

    def write(self, data):
        if isinstance(data, (int, type(None))):
            raise TypeError("object with buffer protocol required")
        file = self._alive()
        if not self._writable or not self._spiffs.has_room(self._name, file.tell() + len(data)):
            raise OSError(errno.EIO)
        self._dirty = True
        return file.write(data.encode() if isinstance(data, str) else data)

    def seek(self, offset, whence=0):
        if self._file is None:
            return _FILE_CLOSED
        here = self._file.tell()
        size = self._file.seek(0, 2)
        place = offset + (0, here, size)[whence]
        if 0 <= place <= size:
            return self._file.seek(place)
        self._file.seek(size)
        return _END_OF_OBJECT

    def tell(self):
        return _FILE_CLOSED if self._file is None else self._file.tell()

    def flush(self):
        if self._dirty:
            raise OSError(errno.EIO)

    def close(self):
        file, self._file = self._file, None
        if file is not None:
            file.close()
            if self._dirty and not self._spiffs.has(self._name):
                raise OSError(errno.EIO)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __repr__(self):
        return f"<io.{'TextIOWrapper' if self._text else 'FileIO'} {id(self):x}>"


def _writes(mode):
    return "w" in mode or "a" in mode or "x" in mode


class Spiffs(_Files):
    """A folder without folders."""

    def __init__(self, root):
        super().__init__(root)
        # What this process has open: the garbage collector closes files, and nobody else hears of it.
        self._descriptors = os.VfsPosix("/proc/self/fd")
        self._descriptors.mount(True, False)
        # Files of imports are MicroPython's own, closed at once.
        self.for_programs = False

    def open(self, path, mode):
        if not self.for_programs:
            return super().open(path, mode)
        name = self._place(path)
        if self._open_files() >= MOST_OPEN or len(name) > MOST_NAME or name == "/":
            raise OSError(errno.ENOENT)
        kind = "w" if "x" in mode else mode[0] if mode[:1] in ("r", "w", "a") else "r"
        file = self._files.open(name, kind + "b" + ("+" if "+" in mode else ""))
        return _SpiffsFile(self, file, name, mode)

    def _open_files(self):
        ours = [entry[2] for entry in self._files.ilistdir("/")]
        count = 0
        for name, *_ in self._descriptors.ilistdir("/"):
            try:
                count += self._descriptors.stat("/" + name)[1] in ours
            except OSError:
                # What the list itself was read from.
                continue
        return count

    def has(self, name):
        """Whether there is a file of that name, which begins with a slash."""
        try:
            self._files.stat(name)
        except OSError:
            return False
        return True

    def has_room(self, name, size):
        """Whether a file can become that large."""
        pages = sum([_pages(entry[3]) for entry in self._entries("/") if "/" + entry[0] != name])
        return OWN_PAGES + pages + _pages(size) <= DATA_PAGES

    def _place(self, path):
        if path.startswith("./"):
            path = path[2:]
        elif path.startswith("/"):
            path = path[1:]
        return "/" + path.replace("/", SLASH)

    def remove(self, path):
        try:
            super().remove(path)
        except OSError:
            print("[MaixPy]:SPIFFS Error Code", _NOT_FOUND)
            raise

    def rename(self, old, new):
        """What has the new name is removed first, also where it is the file itself."""
        if not self.has(self._place(old)):
            raise OSError(errno.ENOENT)
        if self.has(self._place(new)):
            self._files.remove(self._place(new))
        super().rename(old, new)

    def ilistdir(self, path):
        for name, _, _, size in self._entries("/"):
            yield (name.replace(SLASH, "/"), _FILE, 0, size)

    def mkdir(self, path):
        raise NotImplementedError("SPIFFS not support")

    def rmdir(self, path):
        raise OSError(errno.EIO)

    def chdir(self, path):
        """Succeeds, and changes nothing."""

    def getcwd(self):
        return "/"

    def stat(self, path):
        if not path.strip("/."):
            return (_FOLDER,) + (0,) * 9
        if len(path) > MOST_NAME:
            raise OSError(errno.EINVAL)
        return (_FILE, 0, 0, 0, 0, 0, super().stat(path)[6], 0, 0, 0)

    def statvfs(self, path):
        used = OWN_PAGES + sum([_pages(entry[3]) for entry in self._entries("/")])
        free = max(DATA_PAGES - used, 0) * PAGE_DATA // BLOCK
        return (BLOCK, BLOCK, DATA_PAGES * PAGE_DATA // BLOCK, free, free, 0, 0, 0, 0, 128)


def _pages(size):
    """An index page, and pages of data."""
    return 1 - -size // PAGE_DATA


class Card(_Files):
    """The SD card, with folders: mounted when its time has come."""

    def __init__(self, root, delay_ms):
        super().__init__(root)
        self._cwd = "/"
        self._since = _utime.ticks_ms()
        self._delay = delay_ms
        self._mounted = False

    def poll(self):
        if not self._mounted and _utime.ticks_diff(_utime.ticks_ms(), self._since) >= self._delay:
            self._mounted = True
            os.mount(self, "/sd")

    def _place(self, path):
        parts = [] if path.startswith("/") else self._cwd.strip("/").split("/")
        for part in path.split("/"):
            if part == "..":
                parts = parts[:-1]
            elif part not in ("", "."):
                parts.append(part)
        return "/" + "/".join([part for part in parts if part])

    def ilistdir(self, path):
        return self._entries(self._place(path))

    def mkdir(self, path):
        self._files.mkdir(self._place(path))

    def rmdir(self, path):
        try:
            self._files.rmdir(self._place(path))
        except OSError as error:
            raise OSError(errno.EACCES if error.args[0] == _NOT_EMPTY else error.args[0]) from None

    def stat(self, path):
        found = super().stat(path)
        return (_FOLDER if found[0] & _FOLDER else _FILE,) + found[1:]  # noqa: RUF005 - no stars in its tuples

    def chdir(self, path):
        place = self._place(path)
        if not self._files.stat(place)[0] & _FOLDER:
            raise OSError(errno.ENOENT)
        self._cwd = place

    def getcwd(self):
        return self._cwd

    def statvfs(self, path):
        return self._files.statvfs("/")
