"""Sentences of the serial line, `$TYPE,field,…*CRC`: making them, and reading those of the host.

The table of all of them is in README.md. Nothing here knows of a port.
"""

# The longest sentence, both ways, with `$` and the line's end.
MAX_SENTENCE = 1024
# Data bytes of a chunk: what the host sends in one sentence, and what the board does (shorter, so that a damaged line
# costs less).
HOST_CHUNK = 720
BOARD_CHUNK = 384
# The longest POSE: six characters for a coordinate, and the sentence around 17 of them.
MAX_POSE = 340
MAX_FRAME = 120
# The fields of four windows, and of the time to make them.
MAX_WINDOWS = 96

_DOLLAR, _STAR, _COMMA, _PERCENT = 0x24, 0x2A, 0x2C, 0x25
DAMAGED = ()


def _tables():
    """High and low bytes of each byte's CRC, for CRC-16/CCITT-FALSE (polynomial 0x1021)."""
    high = bytearray()
    low = bytearray()
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1
        high.append(crc >> 8 & 0xFF)
        low.append(crc & 0xFF)
    return bytes(high), bytes(low)


_HIGH, _LOW = _tables()


def crc16(data):
    """CRC-16/CCITT-FALSE of a buffer of bytes.

    In halves, and over the buffer itself: 730 instructions a byte on the board, 1140 with one table and an index.
    """
    high = low = 0xFF
    of_high = _HIGH
    of_low = _LOW
    for byte in data:
        byte ^= high
        high = low ^ of_high[byte]
        low = of_low[byte]
    return high << 8 | low


def escaped(text):
    """A text field: printable ASCII without `$`, `*`, `,` and `%`, everything else as %XX, as bytes."""
    out = bytearray()
    for byte in text.encode():
        if 0x20 <= byte < 0x7F and byte not in (_DOLLAR, _STAR, _COMMA, _PERCENT):
            out.append(byte)
        else:
            out.extend(b"%%%02X" % byte)
    return out


class Writer:
    """Sentences one after another in a buffer that is made once; `line[:size]` is what to send."""

    def __init__(self, capacity):
        self.line = bytearray(capacity)
        self.view = memoryview(self.line)
        self.size = 0
        self._start = 0

    def clear(self):
        """Drops what is in the buffer."""
        self.size = 0

    def begin(self, head):
        """Starts a sentence with its type and perhaps first fields, bytes without `$`."""
        self._start = self.size
        self.put(b"$")
        self.put(head)

    def put(self, data):
        """Adds bytes to the sentence: fields, each with the comma before it."""
        end = self.size + len(data)
        if end > len(self.line):
            raise ValueError("a sentence is longer than its buffer")
        self.line[self.size : end] = data
        self.size = end

    def end(self):
        """Finishes the sentence with its CRC and the line's end."""
        self.put(b"*%04X\r\n" % crc16(self.view[self._start + 1 : self.size]))

    def text(self, head, text):
        """A whole sentence that ends in a text field, cut to what a sentence may hold."""
        self.begin(head)
        self.put(b",")
        room = MAX_SENTENCE - (self.size - self._start) - len("*CRC0\r\n")
        text = text[:room]
        while len(escaped(text)) > room:
            text = text[:-1]
        self.put(escaped(text))
        self.end()

    def sentence(self, body):
        """A whole sentence from its bytes between `$` and `*`."""
        self.begin(body)
        self.end()


def parse(line):
    """The fields of a line, a list of bytes with the type first; None if it is no sentence, DAMAGED if a broken one."""
    start = line.rfind(b"$")
    if start < 0 or not 0x41 <= (line[start + 1] if start + 1 < len(line) else 0) <= 0x5A:
        return None
    end = len(line)
    while end > start and line[end - 1] in b"\r\n":
        end -= 1
    star = end - 5
    if star <= start or line[star] != _STAR or end - start + 2 > MAX_SENTENCE:
        return DAMAGED
    if line[star + 1 : end] != b"%04X" % crc16(line[start + 1 : star]):
        return DAMAGED
    return line[start + 1 : star].split(b",")


def integer(field):
    """The number in a field, or None where it holds none: digits, perhaps a minus before them, nothing else."""
    digits = field[1:] if field[:1] == b"-" else field
    if not 0 < len(digits) <= 18:
        return None
    for byte in digits:
        if not 0x30 <= byte <= 0x39:
            return None
    return int(field)
