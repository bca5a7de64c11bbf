"""What can go wrong, as numbers for the serial line and one clear line each; and how often it is said."""

import sys

import utime

UNKNOWN_TYPE = 1
BAD_FIELD = 2
NOT_NOW = 3
BAD_CHUNK = 4
BAD_DATA = 5
NOT_POSSIBLE = 6
BAD_CONFIG = 20
NO_CARD = 21
BAD_CARD = 22
NO_KMODEL = 23
KMODEL_VERSION = 24
KMODEL_MISMATCH = 25
KMODEL_SIZE = 26
MEMORY = 27
KMODEL_REFUSED = 28
NO_CAMERA = 30
CAMERA_SILENT = 31
NO_PICTURES = 32
KPU_FAILED = 33
LCD_FAILED = 40
HOOK_FAILED = 41
NO_PREVIEW = 42
OTHER = 50

# Errors of the source of frames, during which the kmodel stays loaded, and the other way round.
OF_SOURCE = (NO_CAMERA, CAMERA_SILENT, NO_PICTURES)
OF_KMODEL = (NO_CARD, BAD_CARD, NO_KMODEL, KMODEL_VERSION, KMODEL_MISMATCH, KMODEL_REFUSED, KPU_FAILED)

# An error that goes on is said again after 1 s, then after 2, 4, … at most this long.
LONGEST_SILENCE_MS = 60000
FIRST_SILENCE_MS = 1000
# An error that has not come back for this long is a new one.
FORGOTTEN_MS = 120000


class PoseError(Exception):
    """Something that the maker or the host can mend: PoseError(code, text), a code of this file and what to do.

    No __init__ of its own: MicroPython's exceptions have none that it could call.
    """

    @property
    def code(self):
        """The number for the serial line."""
        return self.args[0]

    @property
    def text(self):
        """One clear line."""
        return self.args[1]


def described(error):
    """(code, text) of any exception."""
    if isinstance(error, PoseError):
        return error.code, error.text
    if isinstance(error, MemoryError):
        return MEMORY, (
            "MicroPython's heap is full (%s): close other programs, or enlarge it with `deploy --heap 768`" % error
        )
    return OTHER, "%s: %s" % (type(error).__name__, error)


class ErrorLog:
    """Counts every error, and says those of one code ever more rarely while they go on.

    `say(code, count, text)` is called with how often the code came since it was said last.
    """

    def __init__(self, say):
        self.total = 0
        self._say = say
        self._codes = {}

    def report(self, error, cause=None):
        """Takes an exception; when it is said, the traceback of one that is not ours (or of its `cause`) is printed."""
        code, text = described(error)
        self.total += 1
        now = utime.ticks_ms()
        # [count since said, moment said, silence after it, moment of the last one]
        state = self._codes.get(code)
        if state is None or utime.ticks_diff(now, state[3]) > FORGOTTEN_MS:
            state = self._codes[code] = [0, now, 0, now]
        state[0] += 1
        state[3] = now
        if utime.ticks_diff(now, state[1]) < state[2]:
            return
        if cause or not isinstance(error, PoseError):
            sys.print_exception(cause or error)
        self._say(code, state[0], text)
        state[0] = 0
        state[1] = now
        state[2] = min(max(2 * state[2], FIRST_SILENCE_MS), LONGEST_SILENCE_MS)
