"""Looks over kflash's shoulder: follows the download protocol in both directions and stops at the first wrong answer.

kflash 1.1.6 takes any framed bytes for a greeting, goes on after a failed write, sends a repeated piece to the wrong
address, and waits for ever. So what it makes of the answers is not relied upon: each is judged here, and only those
that are right are handed on to it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from host_tools.flashing import isp
from host_tools.flashing.isp import Command, Operation, Status

# A flash chip may be busy for a while; kflash repeats the piece each time.
_MOST_BUSY = 20


class Stage(str, Enum):
    """Where the work stands."""

    OPEN = "opening the port"
    ENTER = "asking for the chip's download mode"
    LOADER = "loading the flash writer"
    START = "starting the flash writer"
    SPEED = "changing the speed"
    INIT = "initialising the flash"
    WRITE = "writing"
    RESTART = "restarting the board"


_STAGES = {
    Operation.WRITE_RAM: Stage.LOADER,
    Operation.START: Stage.START,
    Operation.STUB_BAUD: Stage.SPEED,
    Operation.INIT_FLASH: Stage.INIT,
    Operation.WRITE_FLASH: Stage.WRITE,
    Operation.REBOOT: Stage.RESTART,
}
Range = tuple[int, int]


class WrongAnswer(Exception):  # noqa: N818 - what was answered, not what was done
    """The chip answered what it must not, or kflash asked for what it must not; says which."""


class DamagedAnswer(WrongAnswer):
    """What came, or what is said of what was sent, is what a bad line makes of it: repeating may help."""


# The board's words for a request that did not arrive as it was sent. What it says of its flash chip is none of these.
_DAMAGED = (Status.BAD_LENGTH, Status.BAD_CHECKSUM, Status.INVALID_COMMAND)
# What may be sent twice: the same bytes to the same place.
_REPEATABLE = (Operation.WRITE_RAM, Operation.INIT_FLASH, Operation.WRITE_FLASH)


class Watch:
    """One download. `ranges` are the (address, bytes) that are to be written, in order; `stage` is called at each."""

    def __init__(self, ranges: tuple[Range, ...], stage: Callable[[Stage], None]) -> None:
        self._left = [entry for entry in ranges if entry[1]]
        self._tell = stage
        self._deframer = isp.Deframer()
        self._pending: Command | None = None
        self._sent = b""
        self._busy = 0
        self.written = 0
        self.stage = Stage.ENTER

    def sending(self, frame: bytes) -> None:
        """kflash is about to send this frame; WrongAnswer if that would write something else than it should."""
        self._sent = isp.unescaped(frame.strip(isp.END))
        self._deframer = isp.Deframer()
        command = Command.read(self._sent)
        if command is None:
            raise WrongAnswer("kflash sends something unknown")
        if command.operation == Operation.WRITE_FLASH:
            self._check_place(command)
        elif command.operation == Operation.REBOOT and self._left:
            raise WrongAnswer(f"kflash would leave {sum(size for _, size in self._left)} bytes unwritten")
        self._enter(_STAGES.get(command.operation, self.stage))
        self._pending = None if command.operation in isp.SILENT else command

    @property
    def repeatable(self) -> bool:
        """Whether what was sent last may be sent again."""
        return self._pending is not None and self._pending.operation in _REPEATABLE

    @property
    def piece(self) -> Command | None:
        """What is being written into flash and not confirmed yet."""
        pending = self._pending
        return pending if pending and pending.operation == Operation.WRITE_FLASH else None

    def again(self) -> None:
        """The same frame is about to be sent once more: what came so far is no answer to it."""
        self._deframer = isp.Deframer()

    def _check_place(self, command: Command) -> None:
        """Pieces come in order, without gaps, and end where the file ends."""
        address, size = self._left[0] if self._left else (0, 0)
        if command.address != address or len(command.data) > size or not command.data:
            raise WrongAnswer(f"kflash would write {len(command.data)} bytes to {command.address:#x}, not {address:#x}")

    def _enter(self, stage: Stage) -> None:
        if stage is not self.stage:
            self.stage = stage
            self._tell(stage)

    def received(self, data: bytes) -> bytes:
        """What kflash may read of what came; WrongAnswer for answers that are not right."""
        return b"".join(isp.frame(body) for body in self._deframer.feed(data) if self._judge(body))

    def _judge(self, body: bytes) -> bool:
        """Whether a frame is the answer that is waited for; others are dropped, or end it all."""
        if body[0] == Operation.DEBUG:
            return False
        if self.stage is Stage.ENTER:
            return self._judge_greeting(body)
        if self._pending is None or len(body) < 2:
            return False
        if body[0] != self._pending.operation:
            raise DamagedAnswer(f"answered {body[0]:#04x} to {self._pending.operation:#04x}")
        return self._judge_status(body[1])

    def _judge_greeting(self, body: bytes) -> bool:
        """Until the ROM answers, anything may come: what the program said before the reset, above all."""
        if len(body) > 2 and body == self._sent:
            raise WrongAnswer("what is sent comes back: an adapter without a board, or its RX and TX are connected")
        return body[0] == Operation.GREET and body[1:2] in (bytes([Status.OK]), bytes([Status.DEFAULT]))

    def _judge_status(self, status: int) -> bool:
        if status == Status.BUSY and self.stage in (Stage.WRITE, Stage.RESTART) and self._busy < _MOST_BUSY:
            self._busy += 1
            return True
        default_is_sound = status == Status.DEFAULT and self.stage is Stage.LOADER
        if status != Status.OK and not default_is_sound:
            words = isp.STATUS_WORDS.get(status, f"status {status:#04x}")
            damaged = status in _DAMAGED or status not in isp.STATUS_WORDS
            raise (DamagedAnswer if damaged else WrongAnswer)(f"the board says: {words}")
        self._busy = 0
        if self._pending.operation == Operation.WRITE_FLASH:
            self._advance(len(self._pending.data))
        self._pending = None
        return True

    def _advance(self, size: int) -> None:
        address, left = self._left.pop(0)
        self.written += size
        if left > size:
            self._left.insert(0, (address + size, left - size))
