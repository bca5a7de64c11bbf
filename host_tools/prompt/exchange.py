"""Commands for MicroPython's raw prompt over a line that may damage bytes: checked, repeated, carried out once.

A command carries a CRC-32, which the board checks before it runs anything (on_board/taker.py); what it prints comes in
lines with a CRC-32 each. What does not arrive whole, there or here, is asked for again; the board has its answer still.
mpremote's own exchange knows none of that, and one damaged byte can keep it waiting for ever.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import serial

from conversion.outside import json_text
from host_tools import time_limits

CTRL_A, CTRL_C, CTRL_D = b"\x01", b"\x03", b"\x04"
RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
# The board's receive ring holds 2 KiB and drops what is more, so no command is longer than that: however slow the
# board is, it has room for one. Bytes of a file or a script in one command, and the length of their Python text.
PIECE_BYTES, MOST_TEXT = 1024, 1600
# What a script of ours prints has some hundred KB at most: the list of 16 MiB of flash, block by block.
MOST_PRINTED_BYTES = 4 * 1024 * 1024
# Of a line that damages one byte in 2,000, more than a third of the commands have to be repeated: once, or twice.
TRIES = 12
_TAKER = Path(__file__).with_name("on_board") / "taker.py"
_LINE = re.compile(rb"~([0-9a-f]{8}) ([^\n]*?)\r?\n")
_OF_COMMAND = re.compile(r"(\d+) (\d+|end) (.*)", re.DOTALL)
_MOST_END_BYTES = 64 * 1024
# Behind the output of a command: EOF, a traceback if there is one, EOF, and the prompt.
_TAKEN, _EOF = b"OK", b"\x04"
_FINISHED = re.compile(rb"\x04([^\x04]*)\x04>$")
_LOOKED_AT = 4096
# What else may come behind the prompt of a board that the line has confused.
_LINGER_SECONDS = 0.15
# What has a cause on the board, if it comes twice; all else is what a damaged command raises.
_OF_BOARD = ("ImportError", "MemoryError")
_ECHO_BYTES = 12


class ExchangeError(Exception):
    """An exchange that failed: `kind` is raised, damaged, echo or endless, the text says more."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass
class Answer:
    """What came whole of the command of a number: its printed lines; how many there are, what was printed behind the
    last of them, and the last line of a traceback (`end`)."""

    number: int
    lines: dict[int, str] = field(default_factory=dict)
    end: tuple[int, str, str] | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return self.end is not None and all(at in self.lines for at in range(self.end[0]))

    @property
    def text(self) -> str:
        """All that was printed."""
        return "".join(f"{self.lines[at]}\n" for at in range(self.end[0])) + self.end[1]

    def take(self, check: bytes, said: bytes) -> str | None:
        """A line of the board: the printed line that is new in it. What is damaged, or another command's, is none."""
        if zlib.crc32(said) != int(check, 16):
            return None
        match = _OF_COMMAND.fullmatch(said.decode(errors="replace"))
        if match is None or int(match[1]) != self.number:
            return None
        if match[2] == "end":
            self.end = _end(match[3])
            return None
        new = int(match[2]) not in self.lines
        self.lines[int(match[2])] = match[3]
        return match[3] if new else None


class Exchange:
    """A session at the raw prompt of the board on an open port; so many `commands`, and so often one was `repeated`.

    `notice` is called once, when the line is first seen to damage bytes.
    """

    def __init__(self, port: serial.SerialBase, notice: Callable[[], None]) -> None:
        self._port, self._notice = port, notice
        self._number = 0
        self._taken_over = False
        self._raised: list[str] = []
        self.commands = self.repeated = 0

    def run(self, source: str, line: Callable[[str], None] | None = None) -> str:
        """Run a script: what it printed; `line` gets each line as it comes. ExchangeError if that cannot be had."""
        data = source.encode()
        if len(repr(data)) <= MOST_TEXT:
            return self._take(data, line)
        for piece in pieces(data):
            self.give(piece)
        return self._take(b"exec(taken().decode(), globals())", line)

    def give(self, data: bytes) -> None:
        """Data that `taken()` gives to the next script."""
        self._take(data, None, run=False)

    def begin_reset(self) -> bytes:
        """Have the chip reset itself; what it has said since."""
        self._take(b"import machine", None)
        heard = b""

        def reset() -> bool:
            nonlocal heard
            self._port.write(b"posenet.space['machine'].reset()" + CTRL_D)
            heard = self._hear_reset()
            return bool(heard)

        self._until(reset)
        return heard

    def _hear_reset(self) -> bytes:
        """What comes after an order to reset; nothing if it was not understood."""
        heard = bytearray()
        deadline = time.monotonic() + time_limits.PROMPT_READ.seconds
        while len(heard) < len(_TAKEN) and time.monotonic() < deadline:
            heard += self._read()
        deadline = time.monotonic() + _LINGER_SECONDS
        while heard and time.monotonic() < deadline:
            heard += self._read()
        return b"" if _EOF in heard else bytes(heard)

    def _take(self, data: bytes, line: Callable[[str], None] | None, run: bool = True) -> str:
        """Have the board take a command, until its answer is here whole."""
        if not self._taken_over:
            self._take_over()
        self._number += 1
        command = b"posenet.take(%d,%d,%a%s)" % (self._number, zlib.crc32(data), data, b"" if run else b",False")
        answer = self._answer(command, line)
        if answer.end[2]:
            raise ExchangeError("raised", answer.end[2])
        return answer.text

    def _take_over(self) -> None:
        """Bring taker.py onto the board, each piece of it checked, and the whole before it runs."""
        source = _TAKER.read_bytes()
        self._sure(b"import ubinascii\n_b = {}", 0)
        for at, piece in enumerate(pieces(source)):
            self._sure(b"_b[%d] = %a" % (at, piece), zlib.crc32(piece), b"_b[%d]" % at)
        self._sure(b"_b = b''.join([_b[at] for at in range(len(_b))])", zlib.crc32(source), b"_b")
        self._sure(b"if ubinascii.crc32(_b) & 0xffffffff == %d: exec(_b)" % zlib.crc32(source), 0)
        self._answer(b"posenet.take(0,%d,b'')" % zlib.crc32(b""), None)
        self._taken_over = True

    def _sure(self, command: bytes, check: int, made: bytes = b"b''") -> None:
        """Repeat a command that does no harm if it is repeated, until what it has `made` on the board has this CRC."""
        asking = b"\nprint('~%%d~' %% (ubinascii.crc32(%s) & 0xffffffff))" % made
        self._until(lambda: b"~%d~" % check in self._listened(command + asking))

    def _answer(self, command: bytes, line: Callable[[str], None] | None) -> Answer:
        """The whole answer of a command, which is repeated until it is here."""
        answer = Answer(self._number)
        self._until(lambda: self._listened(command, answer, line) and answer.whole)
        return answer

    def _until(self, done: Callable[[], bool]) -> None:
        """Exchange until it has succeeded."""
        self.commands += 1
        self._raised.clear()
        for _ in range(TRIES):
            if done():
                return
            for cause in self._raised:
                # Damage is not the same twice.
                if self._raised.count(cause) > 1:
                    raise ExchangeError("raised", cause)
            self._recover()
        raise ExchangeError("damaged", f"{self.repeated} of {self.repeated + self.commands} exchanges came damaged")

    def _listened(
        self, command: bytes, answer: Answer | None = None, line: Callable[[str], None] | None = None
    ) -> bytes:
        """All that came of a command; what it raised is kept."""
        heard = self._exchange(command, answer, line)
        self._raised += _raised(heard)
        return heard

    def _exchange(
        self, command: bytes, answer: Answer | None = None, line: Callable[[str], None] | None = None
    ) -> bytes:
        """Send a command, and listen until the prompt is there again, or cannot come any more: all that came."""
        self._port.write(command + CTRL_D)
        heard, seen, changed = bytearray(), 0, time.monotonic()
        while not _FINISHED.search(bytes(heard[-_LOOKED_AT:])):
            data = self._read()
            heard += data
            quiet = 0.0 if data else time.monotonic() - changed
            changed = time.monotonic() if data else changed
            for match in _LINE.finditer(heard, seen) if answer else ():
                seen = match.end()
                new = answer.take(match[1], match[2])
                if new is not None and line:
                    line(new)
            if heard.startswith(command[:_ECHO_BYTES]):
                raise ExchangeError("echo", "")
            if len(heard) > MOST_PRINTED_BYTES:
                raise ExchangeError("endless", f"the board prints without end, more than {MOST_PRINTED_BYTES} bytes")
            # Before it carries a command out the board says OK; no limit for what comes then, who waits has one.
            if not _begun(heard) and quiet > time_limits.PROMPT_READ.seconds:
                break
            if quiet > time_limits.PROMPT_QUIET.seconds and (_EOF in heard or (answer and answer.end)):
                break
        return bytes(heard)

    def _read(self) -> bytes:
        return self._port.read(max(1, self._port.in_waiting))

    def _recover(self) -> None:
        """The line has damaged something: an empty raw prompt again, whatever the board has made of it."""
        if not self.repeated:
            self._notice()
        self.repeated += 1
        for _ in range(TRIES):
            self._port.write(CTRL_C + CTRL_A)
            heard, changed = bytearray(), time.monotonic()
            while time.monotonic() - changed < (
                _LINGER_SECONDS if RAW_PROMPT in heard else time_limits.PROMPT_QUIET.seconds
            ):
                data = self._read()
                heard += data
                changed = time.monotonic() if data else changed
            if heard.endswith(RAW_PROMPT):
                return


def pieces(data: bytes) -> Iterator[bytes]:
    """Pieces whose Python text is short enough: binary bytes take four letters each."""
    start = 0
    while start < len(data):
        size = PIECE_BYTES
        while len(repr(data[start : start + size])) > MOST_TEXT:
            size //= 2
        yield data[start : start + size]
        start += size


def _begun(heard: bytes) -> bool:
    """Whether the board has taken a command, though one of the two bytes that say so may be damaged."""
    return len(heard) >= len(_TAKEN) and (heard[0] == _TAKEN[0] or heard[1] == _TAKEN[1])


def _end(text: str) -> tuple[int, str, str] | None:
    """The fields of an answer's end; None for what taker.py does not say."""
    try:
        count, rest, error = json_text.parse(text, _MOST_END_BYTES)
    except (ValueError, TypeError):
        return None
    sound = type(count) is int and 0 <= count < MOST_PRINTED_BYTES and isinstance(rest, str) and isinstance(error, str)
    return (count, rest, error) if sound else None


def _raised(heard: bytes) -> list[str]:
    """What a command raised that taker.py did not run, where the board is the cause: the last line of the traceback."""
    match = _FINISHED.search(heard)
    words = match[1].decode(errors="replace").strip() if match else ""
    last = words.splitlines()[-1].strip() if words else ""
    return [last] if last.startswith(_OF_BOARD) else []
