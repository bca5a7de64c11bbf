"""Blocks of data in numbered base64 chunks: heads and previews out, pixels in."""

import binascii

import pose_errors
import pose_wire
import utime
from pose_errors import PoseError

HEADS = b"HEADS"
# Of a frame with zoom or smoothing: the state before it, and the heads of each run.
RUNS = b"RUNS"
JPEG = b"JPEG"
# An upload that has stopped is given up after this long.
UPLOAD_MS = 10000


class Outgoing:
    """The block that is on its way to the host, one at a time."""

    def __init__(self, link):
        self.number = 0
        self.kind = None
        self._link = link
        self._writer = pose_wire.Writer(pose_wire.MAX_SENTENCE)
        self._data = b""
        self._next = self._end = 0
        self._line_bytes = len(b"$CHUNK,,,*FFFF\r\n") + 20 + 4 * ((pose_wire.BOARD_CHUNK + 2) // 3)

    def start(self, kind, data, frame):
        """Announces a block; what was left of the one before is dropped. `data` must stay as it is."""
        self.number += 1
        self.kind = kind
        self._data = memoryview(data)
        self._next = 0
        self._end = self._count()
        self._writer.clear()
        self._writer.sentence(
            b"BULK,%d,%s,%d,%d,%d,%d"
            % (self.number, kind, len(data), pose_wire.BOARD_CHUNK, binascii.crc32(data) & 0xFFFFFFFF, frame)
        )
        self._link.send(self._writer)

    def _count(self):
        return (len(self._data) + pose_wire.BOARD_CHUNK - 1) // pose_wire.BOARD_CHUNK

    def busy(self):
        """Whether chunks are left to send."""
        return self._next < self._end

    def drop(self):
        """Ends the block: its data is no more."""
        self._data = b""
        self._next = self._end = 0

    def resend(self, number, first, count):
        """Sends chunks of the current block again, but for previews; returns how many that are."""
        if number != self.number or self.kind == JPEG or not 0 <= first < self._count():
            raise PoseError(pose_errors.BAD_CHUNK, "block %d has no chunk %d any more" % (number, first))
        self._next = first
        self._end = min(first + max(count, 0), self._count())
        return self._end - first

    def push(self, most):
        """Sends chunks while the line has room for them, at most about so many bytes (at least one chunk)."""
        while self.busy() and self._link.credit() >= self._line_bytes:
            self._send_chunk(self._next)
            self._next += 1
            most -= self._line_bytes
            if most < self._line_bytes:
                return

    def _send_chunk(self, number):
        at = number * pose_wire.BOARD_CHUNK
        writer = self._writer
        writer.clear()
        writer.begin(b"CHUNK,%d,%d," % (self.number, number))
        writer.put(binascii.b2a_base64(self._data[at : at + pose_wire.BOARD_CHUNK])[:-1])
        writer.end()
        self._link.send(writer)


class Upload:
    """Pixels that come in, straight into the buffer of a picture."""

    def __init__(self, picture, crc32):
        self.picture = picture
        self.wanted = 0
        self._crc32 = crc32
        self._data = memoryview(picture.to_bytes())
        self._moment = utime.ticks_ms()
        self.count = (len(self._data) + pose_wire.HOST_CHUNK - 1) // pose_wire.HOST_CHUNK

    def chunk(self, number, field):
        """Takes a chunk in base64; returns the number of the next one wanted."""
        if not 0 <= number <= self.wanted or number >= self.count:
            raise PoseError(pose_errors.BAD_CHUNK, "chunk %d is wanted" % self.wanted)
        at = number * pose_wire.HOST_CHUNK
        size = min(pose_wire.HOST_CHUNK, len(self._data) - at)
        try:
            data = binascii.a2b_base64(field)
        except ValueError:
            data = b""
        if len(data) != size:
            raise PoseError(pose_errors.BAD_FIELD, "chunk %d must hold %d bytes in base64" % (number, size))
        self._data[at : at + size] = data
        self.wanted = max(self.wanted, number + 1)
        self._moment = utime.ticks_ms()
        return self.wanted

    def check(self):
        """PoseError unless all pixels are there and right."""
        if self.wanted < self.count:
            raise PoseError(pose_errors.BAD_CHUNK, "chunk %d is wanted" % self.wanted)
        if binascii.crc32(self._data) & 0xFFFFFFFF != self._crc32:
            raise PoseError(pose_errors.BAD_DATA, "the pixels' CRC-32 is wrong: send them again")

    def silent(self):
        """Whether it waits for chunks that do not come."""
        return utime.ticks_diff(utime.ticks_ms(), self._moment) > UPLOAD_MS
