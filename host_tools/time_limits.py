"""How long the host tools wait for what has to come, before they say that it does not: every such limit, in seconds.

POSENET_MAIX_PATIENCE is a factor on all of them, for a line or a computer that is slower than these allow for. What is
repeated at intervals (pings, polls, redrawing) is no limit, and stands where it is done.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from host_tools.errors import HostToolError

PATIENCE = "POSENET_MAIX_PATIENCE"


@dataclass(frozen=True)
class Limit:
    """A limit of so many seconds, before the factor."""

    usual: float

    @property
    def seconds(self) -> float:
        """The limit as it holds now."""
        return self.usual * patience()

    def unless(self, seconds: float | None) -> float:
        """`seconds` where somebody has said how many, else the limit."""
        return self.seconds if seconds is None else seconds


@dataclass(frozen=True)
class Tries:
    """A request that is sent again each so many seconds, so many times before the factor: repeating does no harm."""

    seconds: float
    usual: int

    @property
    def times(self) -> int:
        """How often it is sent, as it holds now."""
        return max(1, round(self.usual * patience()))


def patience() -> float:
    """The factor on all limits; HostToolError where it is none."""
    text = os.environ.get(PATIENCE) or "1"
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not 0 < factor < math.inf:
        raise HostToolError(f"{PATIENCE}={text}: must be a number above 0, a factor on all time limits; unset it for 1")
    return factor


# The line (serial_link/). A board answers between two frames, which take a fraction of a second.
ANSWER = Tries(1.5, 4)
# Who is there: a program that has just started is busy for some seconds.
GREETING = Limit(10.0)
# A change of the speed: its answer at the old one, which may get lost; then pings at the new one, or back at the usual
# one, for longer than the three seconds after which the board goes there by itself.
SPEED_ANSWER = Tries(1.0, 1)
# A board answers between two frames. A rate is known to work or not after a second.
SPEED_PING = Tries(0.5, 2)
USUAL_SPEED_PING = Tries(0.8, 5)
# At the end of a raised speed: the board falls back by itself.
LOWER_SPEED = Tries(0.5, 1)
# A board that is silent for so long at a raised speed is back at the usual one: it goes there after 3 s
# (firmware/README.md).
RAISED_SILENCE = Limit(3.5)
# A board that draws the test card does not listen; what was asked meanwhile is answered after it.
SELFTEST = Limit(60.0)
AFTER_SELFTEST = Limit(1.5)
# Chunks of a block come between frames: asking for them again too early does no harm. Then a whole block.
# So often when nothing new comes of it.
BLOCK_STALL = Tries(1.5, 6)
BLOCK = Limit(120.0)
# The system takes what is written.
WRITE = Limit(2.0)

# The prompt (prompt/). Ctrl-C until it answers; Python and pyserial starting on a slow PC; their end.
STOP = Limit(25.0)
WORKER_START = Limit(30.0)
WORKER_END = Limit(3.0)
# Of a worker that has the board start again meanwhile; the whole command has less than two seconds to end.
ABANDON = Limit(1.0)
# The board's word that it has taken a command, before it carries it out.
PROMPT_READ = Limit(5.0)
# What is left of an answer whose end has come, and a prompt that was asked for.
PROMPT_QUIET = Limit(2.0)
# A file to SPIFFS, which erases pages meanwhile: a fixed part, and one for each KiB.
PUT = Limit(10.0)
PUT_A_KIB = Limit(4.0)

# Flashing: without any news in each stage. kflash gives the download mode 15 tries of 0.8 s; a flash chip erases and
# writes 64 KiB within 8 s (datasheet of the W25Q128, 4 KiB sectors, longest times).
OPEN_PORT = Limit(30.0)
ENTER_DOWNLOAD = Limit(25.0)
LOADER = Limit(5.0)
STUB_ANSWER = Limit(10.0)
FLASH_WRITE = Limit(20.0)
# Of one piece, after which it is sent again: one of 64 KiB, and a sector or what goes into RAM.
PIECE_ANSWER, SMALL_ANSWER = Limit(10.0), Limit(3.0)
RESTART = Limit(8.0)
# The kernel has taken a piece of 4 KiB when the adapter has; at 9600 baud that is 4 s.
PIECE_WRITE = Limit(15.0)
# Linux may let a port drain for 30 s before a process that was killed is gone.
KILLED = Limit(35.0)
# MaixPy's first start after its file system was erased: it erases 768 sectors of 4 KiB, 45 ms each by the datasheet, up
# to 400 ms where the chip is slow.
NEW_FILE_SYSTEM = Limit(90.0)
# Checksums of what was written: a fixed part, and one for each 4 KiB.
READ_BACK = Limit(20.0)
READ_BACK_A_BLOCK = Limit(0.1)

# Deployment: something small on the board; something with a whole file or more, of which reading and hashing 3 MiB of
# SPIFFS takes the longest; the program's start, which checks the kmodel's CRC, loads it and waits for a slow SD card.
ON_BOARD = Limit(30.0)
ON_BOARD_FILES = Limit(120.0)
PROGRAM_START = Limit(60.0)

# Verification: a start, in which the kmodel is read and checked; an error that the program tries again after.
VERIFY_START = Limit(20.0)
VERIFY_TROUBLE = Limit(6.0)
TELL = Tries(2.0, 4)
# The board reads every millisecond while it receives: a chunk without an answer by then was lost.
CHUNK_ANSWER = Tries(1.0, 8)
# Silence in a run: KPU and decoder need a fraction of a second, a test card is drawn in Python; and a whole run.
RUN_SILENCE = Limit(8.0)
DRAWING = Limit(180.0)
RUN = Limit(300.0)
RESUME = Tries(1.0, 3)
# A layer is measured four times, a fraction of a second.
PROFILE_SILENCE = Limit(10.0)

# The monitor. The board's words wait while it is greeted, so not the seconds of a program that can do nothing else.
MONITOR_GREETING = Limit(3.0)
# A board that starts needs some seconds to its first frame; one that draws the test card is busy for up to a minute.
FIRST_FRAME = Limit(30.0)
NEXT_FRAME = Limit(90.0)
# Whoever asks through a Monitor or a web page may have to wait for the requests of others.
MONITOR_FRAME = Limit(60.0)
MONITOR_ANSWER = Limit(10.0)
WEB_ANSWER = Limit(15.0)
# Of the page for the server, which waits for the board.
PAGE_ANSWER = Limit(20.0)
# A reader that closes sets the speed back.
READER_END = Limit(20.0)
BROKER = Limit(5.0)
BROKER_END = Limit(2.0)
WEB_END = Limit(2.0)

# The demo: all frames of the virtual board.
DEMO = Limit(180.0)
