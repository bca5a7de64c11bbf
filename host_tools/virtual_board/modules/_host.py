"""The stand-ins' line to the host process: one request, one reply. And the memory that on a board is not MicroPython's.

A request is a message of REQUEST_BYTES (number, bytes of data, name, 12 integers), then, if there is data, one message
with it, or several of PIECE_BYTES and the rest. A reply is a message of REPLY_BYTES (number, bytes of data, error,
flags, 8 integers), then likewise. Messages keep their boundaries, so that a call that Ctrl-C tore leaves nothing behind
but messages with another number.
"""

import struct
import sys

import uctypes

REQUEST = "<II16s12i"
REPLY = "<IIBBH8i"
REQUEST_BYTES = 72
REPLY_BYTES = 44
PIECE_BYTES = 327680
# So that a reply's first word is never taken for data.
MAGIC = 0x5A000000
INTERRUPTED = 1
ERRORS = (None, ValueError, OSError, RuntimeError, TypeError, MemoryError, NotImplementedError)
_ZEROS = (0,) * 12

# Two camera buffers of 640x480 RGB565, and the outputs of the models.
FRAME_BYTES = 640 * 480 * 2
FRAMES = 2
OUTPUT_BYTES = 96 * 1024

_line = open(int(sys.argv[1]), "r+b")  # noqa: SIM115 - as long as the board lives
_request = bytearray(REQUEST_BYTES)
_reply = bytearray(REPLY_BYTES)
_number = 0
_system = bytearray(FRAMES * FRAME_BYTES + OUTPUT_BYTES)
_outputs = []


def call(name, *numbers, data=None, into=None):
    """Has the host do something; returns 8 integers. Data of the reply goes to `into`, of exactly its size."""
    _exchange(name, numbers, data, into)
    return struct.unpack_from("<8i", _reply, 12)


def fetch(name, *numbers, data=None):
    """Like call, for replies with data of any size, which it returns."""
    return _exchange(name, numbers, data, None)


def value():
    """The first integer of the last reply."""
    return struct.unpack_from("<i", _reply, 12)[0]


def ticks():
    """The board's time in microseconds."""
    _exchange(b"ticks", (), None, None)
    return struct.unpack_from("<q", _reply, 12)[0]


def part(memory, size):
    """The first `size` bytes of memory, as a bytearray of their own place."""
    return uctypes.bytearray_at(uctypes.addressof(memory), size)


def frame(slot):
    """The memory of a camera buffer."""
    return uctypes.bytearray_at(uctypes.addressof(_system) + slot * FRAME_BYTES, FRAME_BYTES)


def take_output(size):
    """Memory for a model's outputs; MemoryError where there is none left."""
    start = FRAMES * FRAME_BYTES
    for begin, end in sorted(_outputs):
        if start + size <= begin:
            break
        start = end
    if start + size > len(_system):
        raise MemoryError(f"the virtual board has room for {OUTPUT_BYTES} bytes of outputs")
    # What follows begins at a multiple of 8, as from malloc.
    _outputs.append((start, start + (size + 7 & ~7)))
    return uctypes.bytearray_at(uctypes.addressof(_system) + start, size)


def give_output(memory):
    """Gives back what take_output gave."""
    start = uctypes.addressof(memory) - uctypes.addressof(_system)
    _outputs[:] = [block for block in _outputs if block[0] != start]


def whole(value):
    """An integer, as the board's C functions take it out of any argument."""
    if not isinstance(value, (int, bool)):
        raise TypeError(f"can't convert {type(value).__name__} to int")
    return int(value)


def text_of(value):
    """A text, as the board's C functions take it out of an argument."""
    if not isinstance(value, (str, bytes)):
        raise TypeError(f"can't convert '{type(value).__name__}' object to str implicitly")
    return value


def pair_of(values, count):
    """A tuple or list of so many values."""
    if not isinstance(values, (tuple, list)):
        raise TypeError(f"object '{type(values).__name__}' isn't a tuple or list")
    if len(values) != count:
        raise ValueError(f"requested length {count} but object has length {len(values)}")
    return values


def crash(text="core dump: misaligned load"):
    """What the firmware crashes of: it prints that, and does nothing any more."""
    call(b"crash", data=text)


def missing(name):
    """A function that the board has and the virtual board has not."""

    def refuse(*_, **__):
        raise NotImplementedError(name + ": not on the virtual board")

    return refuse


def _exchange(name, numbers, data, into):
    global _number
    _number = _number + 1 & 0xFFFFFF
    number = MAGIC + _number
    if isinstance(data, str):
        data = data.encode()
    size = len(data) if data else 0
    struct.pack_into(REQUEST, _request, 0, number, size, name, *(numbers + _ZEROS[len(numbers) :]))
    _line.write(_request)
    if size:
        _send(data, size)
    while True:
        if _line.readinto(_reply) != REPLY_BYTES:
            sys.exit()
        found, size, error, flags, _ = struct.unpack_from("<IIBBH", _reply)
        if found == number:
            break
    if size:
        into = _receive(size, into)
    if error:
        # An OSError without text carries its number.
        raise ERRORS[error](into.decode() if size else struct.unpack_from("<i", _reply, 12)[0])
    if flags & INTERRUPTED:
        raise KeyboardInterrupt
    return into


def _send(data, size):
    """Data of a request, in pieces where it is much."""
    if size <= PIECE_BYTES:
        _line.write(data)
        return
    view = memoryview(data)
    for start in range(0, size, PIECE_BYTES):
        _line.write(view[start : start + PIECE_BYTES])


def _receive(size, into):
    """Data of a reply; a message is never shorter than a reply."""
    last = size % PIECE_BYTES or PIECE_BYTES
    in_place = into is not None and len(into) == size and last >= REPLY_BYTES
    data = into if in_place else bytearray(size - last + max(last, REPLY_BYTES))
    view = memoryview(data)
    for start in range(0, size, PIECE_BYTES):
        _line.readinto(view[start : start + PIECE_BYTES])
    if in_place:
        return into
    if into is not None and len(into) == size:
        into[:] = view[:size]
    return bytes(view[:size])
