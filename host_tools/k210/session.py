"""Talks to the board's REPL without a terminal: waits for texts, types, and runs code in the raw REPL."""

from __future__ import annotations

import binascii
from dataclasses import dataclass

from host_tools.k210.errors import EmulatorError, WaitError
from host_tools.k210.machine import Ended, Machine

# Limits of a wait, of the board's time and of the host's.
SECONDS, REAL_SECONDS = 60.0, 300.0
PROMPT, _RAW_PROMPT, _END = b">>> ", b"raw REPL; CTRL-B to exit\r\n>", b"\x04"
_INTERRUPT, _RAW, _RUN = b"\x03", b"\x01", b"\x04"
# A piece of a file in base64 fits into the receive ring of 2 KiB, which drops silently what is more.
_PIECE = 1024
_SHOWN = 400


@dataclass(frozen=True)
class Line:
    """A whole line that the board has sent: when its last byte left the chip, and how many instructions hart 0 had
    executed by then."""

    text: bytes
    cycle: int
    instructions: int


class Session:
    """`sent` is everything that the board has sent since the session began, `lines` the whole lines of it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.sent = bytearray()
        self.lines: list[Line] = []
        self._begun = 0
        machine.serial.on_sent = self._take

    def _take(self, data: bytes) -> None:
        self.sent += data
        if data == b"\n":
            cycle, instructions = self.machine.serial.departure, self.machine.statistics.instructions
            self.lines.append(Line(bytes(self.sent[self._begun :]), cycle, instructions))
            self._begun = len(self.sent)

    def wait(
        self, text: str | bytes, start: int = 0, *, seconds: float = SECONDS, real_seconds: float = REAL_SECONDS
    ) -> bytes:
        """Run until the board has sent a text, from position `start` of `sent` on; what came up to its end. WaitError
        shows what came instead."""
        wanted = text.encode() if isinstance(text, str) else text
        seen = start

        def there() -> bool:
            nonlocal seen
            found = self.sent.find(wanted, max(start, seen - len(wanted)))
            seen = len(self.sent)
            return found >= 0

        try:
            ended = self.machine.run(there, seconds=seconds, real_seconds=real_seconds)
        except WaitError as error:
            raise WaitError(
                f"waiting for {wanted!r}: {error}; the board sent {bytes(self.sent[start:][-_SHOWN:])!r}"
            ) from error
        if ended is not Ended.UNTIL:
            raise WaitError(f"waiting for {wanted!r}: {ended.value}")
        return bytes(self.sent[start : self.sent.find(wanted, start) + len(wanted)])

    def boot(self, **limits: float) -> bytes:
        """Run to the REPL's prompt; what the firmware printed on its way."""
        return self.wait(PROMPT, **limits)

    def type(self, data: str | bytes) -> None:
        """Put text on the line; it arrives while the machine runs."""
        self.machine.serial.feed(data.encode() if isinstance(data, str) else data)

    def enter_raw(self, **limits: float) -> None:
        """Interrupt what runs and enter the raw REPL."""
        begin = len(self.sent)
        self.type(_INTERRUPT)
        self.wait(PROMPT, begin, **limits)
        self.type(_RAW)
        self.wait(_RAW_PROMPT, begin, **limits)

    def execute(self, code: str, **limits: float) -> str:
        """Run code in the raw REPL; what it printed. EmulatorError with the board's traceback where it failed."""
        output, error = self.attempt(code, **limits)
        if error:
            raise EmulatorError(
                f"the board's Python says: {error.strip().splitlines()[-1]} (after {output[-_SHOWN:]!r})"
            )
        return output

    def attempt(self, code: str, **limits: float) -> tuple[str, str]:
        """Run code in the raw REPL; what it printed, and its traceback or an empty text."""
        begin = len(self.sent)
        self.type(code.encode() + _RUN)
        self.wait(b"OK", begin, **limits)
        start = self.sent.find(b"OK", begin) + 2
        self.wait(_END, start, **limits)
        middle = self.sent.find(_END, start)
        self.wait(_END + b">", middle + 1, **limits)
        end = self.sent.find(_END + b">", middle + 1)
        return _text(self.sent[start:middle]), _text(self.sent[middle + 1 : end])

    def put(self, name: str, data: bytes, **limits: float) -> None:
        """Write a file on the board."""
        self.execute(f"f=open({name!r},'wb')\nw=f.write\nimport ubinascii", **limits)
        for at in range(0, len(data), _PIECE):
            piece = binascii.b2a_base64(data[at : at + _PIECE], newline=False).decode()
            self.execute(f"w(ubinascii.a2b_base64({piece!r}))", **limits)
        self.execute("f.close()", **limits)


def _text(data: bytes | bytearray) -> str:
    return bytes(data).decode("utf-8", "replace")
