"""Functions for the board's prompt: what the firmware is, what lies in /flash, and exchanging files there.

Answers are lines of `@` and a JSON object.
"""

import gc
import os
import sys

import machine
import ubinascii
import ujson

try:
    import uhashlib
except ImportError:
    uhashlib = None
if sys.platform == "CanMV":
    from maix import utils
elif sys.platform == "MaixPy":
    from Maix import utils
else:
    utils = None

FLASH = "/flash"
PIECE = 1024
# Whole small files go over the line in lines of this many bytes.
LINE = 300
# flash_read takes twice its size of MicroPython's heap.
BLOCK = 4096
ERASED = b"\xff" * 16
# A kmodel's pieces are more than the heap holds, and MaixPy does not collect well by itself (firmware/pose_heap.py).
PIECES_UNTIL_COLLECTED = 16


def say(**values):
    """One answer."""
    print("@" + ujson.dumps(values))


def path_of(name):
    """The path of a file in /flash."""
    return FLASH + "/" + name


def size_of(path):
    """Bytes of a file, None where there is none."""
    try:
        return os.stat(path)[6]
    except OSError:
        return None


def pieces(path, size=PIECE):
    """A file, piece by piece."""
    with open(path, "rb") as file:
        while True:
            data = file.read(size)
            if not data:
                return
            yield data


def text_of(data):
    """Bytes in base64."""
    return ubinascii.b2a_base64(data).decode().strip()


def missing():
    """What the program needs of the firmware and does not find."""
    wanted = [(utils, "flash_read"), (machine, "reset"), (machine.UART, "repl_uart")]
    if sys.platform == "MaixPy":
        import KPU

        wanted += [(KPU, name) for name in ("load", "forward", "get_output")]
    return [name for place, name in wanted if not hasattr(place, name)]


def firmware():
    """Says what the firmware is, what is mounted, and how much room there is."""
    say(platform=sys.platform, version=os.uname()[3], mounted=os.listdir("/"))
    if utils:
        space = os.statvfs(FLASH)
        say(missing=missing(), free=space[1] * space[3])


def inventory(read, most_bytes):
    """Says names and sizes of all files, and the content of those in `read` that are small enough, or that they are
    damaged: a power cut may leave a file whose pages are gone."""
    for name in os.listdir(FLASH):
        size = size_of(path_of(name)) or 0
        say(file=name, bytes=size)
        if name in read and size <= most_bytes:
            try:
                for piece in pieces(path_of(name), LINE):
                    say(content=name, data=text_of(piece))
            except OSError:
                say(damaged=name)


def holds(name, word):
    """Says whether a word stands in a file, also across two pieces, and how the file begins; or that it is damaged."""
    found = False
    before = begin = b""
    try:
        for piece in pieces(path_of(name)):
            begin = begin or piece[:64]
            found = found or word in before + piece
            before = piece[-len(word) :]
    except OSError:
        say(damaged=name)
        return
    say(holds=found, begin=text_of(begin))


def sha256(parts):
    """SHA-256 in hexadecimal."""
    made = uhashlib.sha256()
    for part in parts:
        made.update(part)
    return "sha256:" + ubinascii.hexlify(made.digest()).decode()


def crc32(parts):
    """CRC-32."""
    made = 0
    for number, part in enumerate(parts):
        made = ubinascii.crc32(part, made)
        if number % PIECES_UNTIL_COLLECTED == 0:
            gc.collect()
    return made


def digests(wanted, known):
    """Says the digests of files, {name: size}, that have this size (None: any) and can be read.

    `known` is the digest of three times all bytes four times over and a hundred zeros. The chip's own SHA-256 may be
    fed wrongly by a firmware when data come in pieces: then CRC-32 takes its place.
    """
    full = bytes(range(256)) * 4
    sound = uhashlib is not None and sha256([full, full, full, bytes(100)]) == known
    for name in wanted:
        size = size_of(path_of(name))
        if size is not None and wanted[name] in (None, size):
            parts = pieces(path_of(name))
            try:
                say(digest=name, value=sha256(parts) if sound else "crc32:" + str(crc32(parts)))
            except OSError:
                say(damaged=name)
            gc.collect()


def flash_blocks(address, size):
    """The SPI flash, block by block."""
    for at in range(0, size, BLOCK):
        yield utils.flash_read(address + at, min(BLOCK, size - at))


def model(address, size, crc, places):
    """Says whether a kmodel lies in flash (`same`, `other`, `empty`), and in which of the files it does."""
    head = utils.flash_read(address, len(ERASED))
    same = head != ERASED and crc32(flash_blocks(address, size)) == crc
    say(flash="same" if same else "empty" if head == ERASED else "other")
    for path in places:
        try:
            if size_of(path) == size and crc32(pieces(path, BLOCK)) == crc:
                say(path=path)
        except OSError:
            say(damaged=path)


def restore_heap(name):
    """Puts back the size of MicroPython's heap that the program found and changed; says it if there was one."""
    try:
        with open(path_of(name), "rb") as file:
            former, raised = [int(number) for number in file.read(40).split()[:2]]
    except (OSError, ValueError):
        return
    if 0 < former < raised == utils.gc_heap_size():
        utils.gc_heap_size(former)
        say(heap=former)


def copy(name, target, part):
    """Copies a program's file of /flash; until it is whole the copy is called `part`.

    One is open at a time: MaixPy has two, and a program whose import broke off may hold one until the next reset.
    """
    data = b"".join(pieces(path_of(name)))
    with open(path_of(part), "wb") as file:
        file.write(data)
    if size_of(path_of(part)) != size_of(path_of(name)):
        raise OSError(28)
    rename(part, target)


def rename(name, target):
    """Renames a file of /flash, over another one if need be."""
    try:
        os.rename(path_of(name), path_of(target))
    except OSError:
        os.remove(path_of(target))
        os.rename(path_of(name), path_of(target))


def remove(names):
    """Removes those of the files that there are."""
    for name in names:
        if size_of(path_of(name)) is not None:
            os.remove(path_of(name))


def finish(name):
    """Puts finish.py, which is called `name`, in the place of main.py, and runs it; it leaves the chip running."""
    if size_of(path_of(name)) is not None:
        rename(name, "main.py")
    with open(path_of("main.py")) as file:
        source = file.read()
    exec(source, {"DEPLOYING": True})


gc.collect()
