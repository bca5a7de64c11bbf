"""Finding the kmodel that the device card describes: in flash, then in files; and saying what else was found."""

import binascii
import struct

import pose_board
import pose_errors
import pose_files
import pose_heap
from pose_errors import PoseError

# kmodel V3: seven words (version, flags, arch, layers, first line, main memory, outputs), then address and size of each
# output. V4 and V5 begin with "LDMK" and their version.
HEADER_BYTES = 28 + 5 * 8
OUTPUTS = 5
LATER_FORMATS = 0x4B4D444C
VERSION = 3
# Both of flash and of a file; flash_read takes twice that of the heap.
PIECE = 4096
# Beside the name on the card, since SPIFFS takes names of 31 characters only.
SHORT_NAME = "posenet.kmodel"


class Flash:
    """A kmodel at an address of the SPI flash."""

    def __init__(self, address):
        self.source = address
        self.name = "flash 0x%x" % address

    def pieces(self, size):
        """Its first `size` bytes, one piece after another."""
        for at in range(0, size, PIECE):
            yield pose_board.flash_read(self.source + at, min(PIECE, size - at))


class File:
    """A kmodel in a file."""

    def __init__(self, path):
        self.source = path
        self.name = path

    def pieces(self, size):
        """Its first `size` bytes, one piece after another."""
        with pose_files.opened(self.source) as file:
            for at in range(0, size, PIECE):
                yield file.read(min(PIECE, size - at))


def find(card, address):
    """Flash or File with the card's kmodel; PoseError tells what the first other one is, or that there is none."""
    problem = None
    for place in _places(card, address):
        found = _problem(place, card)
        if found is None:
            return place
        problem = problem or found
    if problem:
        raise PoseError(problem[0], problem[1])
    raise PoseError(
        pose_errors.NO_KMODEL,
        "no kmodel at flash 0x%x, nor as %s in /flash or /sd: write it with `flash`" % (address, card.file),
    )


def _places(card, address):
    """Where to look, in this order; only what is there."""
    flash = Flash(address)
    if _header(flash)[0] in (VERSION, LATER_FORMATS):
        yield flash
    for folder in (pose_files.FLASH, pose_files.CARD):
        for name in (card.file, SHORT_NAME):
            path = "%s/%s" % (folder, name)
            if pose_files.size_of(path) is not None:
                yield File(path)


def _header(place):
    """The 17 words at the start of a kmodel; zeros where it is too short."""
    data = b""
    for piece in place.pieces(HEADER_BYTES):
        data = piece
    return struct.unpack("<17I", data + bytes(HEADER_BYTES - len(data)))


def _problem(place, card):
    """(code, text) of what keeps this from being the card's kmodel, or None."""
    words = _header(place)
    if words[0] != VERSION:
        return pose_errors.KMODEL_VERSION, (
            "%s holds a kmodel V%d, but this program and most MaixPy builds run V%d: make it with `make kmodel`"
            % (place.name, words[1] if words[0] == LATER_FORMATS else words[0], VERSION)
        )
    # Address and size of output 0, the whole block, are words 7 and 8.
    sizes = [words[8 + 2 * n] for n in range(1, OUTPUTS)]
    if words[6] != OUTPUTS:
        return _mismatch("%s holds another network's kmodel (%d outputs)" % (place.name, words[6]))
    if sizes != card.head_bytes:
        return _mismatch(
            "the kmodel in %s is for another size: its heatmap has %d bytes, at %dx%d it has %d"
            % (place.name, sizes[0], card.width, card.height, card.head_bytes[0])
        )
    crc = 0
    garbage = pose_heap.Garbage()
    for piece in place.pieces(card.bytes):
        crc = binascii.crc32(piece, crc)
        garbage.add(2 * PIECE)
    if crc != card.crc32:
        return _mismatch(
            "the kmodel in %s is not the one that pose_model.json describes (CRC-32 %08x, expected %08x)"
            % (place.name, crc, card.crc32)
        )
    return None


def _mismatch(what):
    return pose_errors.KMODEL_MISMATCH, what + ": take both from one `make kmodel`, with `flash` and `deploy`"
