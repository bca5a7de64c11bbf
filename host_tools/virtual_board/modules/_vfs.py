"""The board's file systems: a flat /flash, as SPIFFS is, and an SD card that may appear late."""

import errno
import io
import os

import _utime

SPIFFS_BYTES = 3 * 1024 * 1024
SPIFFS_PAGE = 0x1000
# A slash in a name is a letter like others to SPIFFS; in the folder behind it stands this instead.
SLASH = "%2F"
# Not in this MicroPython's errno.
ENOSPC = 28
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


class _Writer(io.IOBase):
    """A file that is written, as long as there is room."""

    def __init__(self, file, has_room):
        self._file = file
        self._has_room = has_room

    def write(self, data):
        if not self._has_room(len(data)):
            raise OSError(ENOSPC)
        return self._file.write(data)

    def seek(self, *arguments):
        return self._file.seek(*arguments)

    def tell(self):
        return self._file.tell()

    def flush(self):
        self._file.flush()

    def close(self):
        self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Spiffs(_Files):
    """A folder without folders."""

    def open(self, path, mode):
        file = super().open(path, mode)
        if "+" in mode or not ("w" in mode or "a" in mode):
            return file
        return _Writer(file, self._has_room)

    def _has_room(self, size):
        return self.statvfs("/")[3] * SPIFFS_PAGE >= size

    def _place(self, path):
        path = path.strip("/")
        if path.startswith("./"):
            path = path[2:]
        return "/" + path.replace("/", SLASH)

    def ilistdir(self, path):
        for name, kind, _, size in self._entries("/"):
            yield (name.replace(SLASH, "/"), kind, 0, size)

    def mkdir(self, path):
        raise NotImplementedError("SPIFFS not support")

    def rmdir(self, path):
        raise OSError(errno.EIO)

    def chdir(self, path):
        if path.strip("/"):
            raise OSError(errno.ENOENT)

    def getcwd(self):
        return "/"

    def stat(self, path):
        if not path.strip("/."):
            return (_FOLDER,) + (0,) * 9
        return super().stat(path)

    def statvfs(self, path):
        used = sum([-(-entry[3] // SPIFFS_PAGE) for entry in self.ilistdir("/")])
        pages = SPIFFS_BYTES // SPIFFS_PAGE
        return (SPIFFS_PAGE, SPIFFS_PAGE, pages, pages - used, pages - used, 0, 0, 0, 0, 128)


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
        self._files.rmdir(self._place(path))

    def chdir(self, path):
        place = self._place(path)
        if not self._files.stat(place)[0] & _FOLDER:
            raise OSError(errno.ENOENT)
        self._cwd = place

    def getcwd(self):
        return self._cwd

    def statvfs(self, path):
        return self._files.statvfs("/")
