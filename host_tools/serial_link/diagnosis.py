"""What came instead of what was waited for: judges what was heard on a board's port, and says what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto

from host_tools.serial_link.events import PROTOCOL, OtherProtocol

_TAIL_BYTES = 4096
# The chip's log, MaixPy's greeting behind it, and what the program says before its first sentence: between the two lie
# seconds in which somebody may begin to listen.
_BOOT_LOG = re.compile(rb"\[(maixpy|canmv)\]|://\S*\bsipeed\.com\b|^posenet: ", re.IGNORECASE | re.MULTILINE)
_BANNER = re.compile(rb"MicroPython v|Type \"help\(\)\"")
_CRASH = re.compile(rb"core dump: ([ -~]{1,60})")
_RAW = b"raw REPL; CTRL-B to exit"
_PROMPT = re.compile(rb"(>>> |\.\.\. |=== )\s*$")
_FRIENDLY_PROMPT = b">>> "
_TRACEBACK = b"Traceback (most recent call last)"
_LAST_ERROR = re.compile(rb"^([A-Za-z_.]+(?:Error|Exception|Interrupt|Exit)\b[^\r\n]*)", re.MULTILINE)
# Of text, next to no byte is outside of ASCII; of text at a wrong speed, many are.
_MOST_STRANGE = 0.1
_LEAST_TO_JUDGE = 16
_LINE_LENGTH = 80
# What the REPL's keys send, Ctrl-A to Ctrl-D, and terminals.
_HARMLESS = frozenset(b"\x01\x02\x03\x04\t\r\n\x1b")
# The files of /flash, of a board that cannot be reached any more.
_ERASE = "make erase BOARD=NAME PORT={port}"
# What to do about a line that damages bytes, and what a line is on which everything comes straight back.
BETTER_LINE = "take a shorter cable, or another port of the computer without a hub, and run the same command again"
ECHO = "whatever is sent comes straight back: this is no board's port, or its lines TX and RX touch"


class Wanted(Enum):
    """What was waited for; it decides what to do next."""

    # Of the program to a sentence of ours.
    ANSWER = auto()
    # MicroPython's, after Ctrl-C.
    PROMPT = auto()
    # That the program which has been put there starts, after a reset.
    START = auto()


@dataclass
class Heard:
    """What came from a port since somebody began to ask; the `tail` of it may be older."""

    port: str
    baud: int
    siblings: list[str] = field(default_factory=list)
    tail: bytearray = field(default_factory=bytearray)
    bytes: int = 0
    sentences: int = 0
    damaged: int = 0
    echoes: int = 0
    other_protocol: OtherProtocol | None = None
    lost: str = ""

    def add(self, data: bytes) -> None:
        """Bytes as they came; the last ones are kept."""
        self.bytes += len(data)
        self.tail += data
        del self.tail[:-_TAIL_BYTES]

    def forget_before_sentence(self) -> None:
        """A sentence of the board has come: what it said before that explains nothing any more."""
        del self.tail[: max(0, self.tail.rfind(b"$"))]

    @property
    def said(self) -> str:
        """The last line of text, shortened."""
        lines = [line.strip() for line in bytes(self.tail).decode("utf-8", errors="replace").splitlines()]
        texts = [line for line in lines if line and not line.startswith(("$", ">>>"))]
        return "".join(letter if letter.isprintable() else "\ufffd" for letter in (texts or [""])[-1])[:_LINE_LENGTH]


def explain(heard: Heard, wanted: Wanted = Wanted.ANSWER) -> str:
    """One line: what, where, why probably, and what to do next."""
    return heard.lost or f"{heard.port}: {reason(heard, wanted)}"


def reason(heard: Heard, wanted: Wanted = Wanted.ANSWER) -> str:
    """The same without the port."""
    return _of_sentences(heard, wanted) or _of_text(heard, wanted) or _of_silence(heard, wanted)


def ends_at_prompt(tail: bytes) -> bool:
    """Whether MicroPython waits for somebody to type, where nobody has typed yet."""
    return tail.endswith(_FRIENDLY_PROMPT)


def _of_sentences(heard: Heard, wanted: Wanted) -> str | None:
    if heard.other_protocol:
        other = heard.other_protocol
        return (
            f"the board's program {other.firmware} speaks protocol {other.protocol}, this tool protocol {PROTOCOL}; "
            "put the program that belongs to this tool on the board with `make deploy`"
        )
    at_prompt = _is_prompt(heard.tail)
    if heard.echoes and not at_prompt:
        return f"{ECHO}; {_other_port(heard)}"
    if heard.sentences - heard.echoes > 0 and not at_prompt and wanted is Wanted.ANSWER:
        return (
            "the board sends, but does not answer: what is sent does not reach it (line TX, USB hub) or it is busy; "
            "reset the board and try again"
        )
    return None


def _of_text(heard: Heard, wanted: Wanted) -> str | None:
    tail = bytes(heard.tail)
    if crash := _CRASH.search(tail):
        return f"the chip has crashed ({crash[1].decode().strip()}) and stands still; press its reset key"
    if not heard.bytes and _RAW not in tail:
        return None
    if _strange(tail) > _MOST_STRANGE and len(tail) >= _LEAST_TO_JUDGE:
        return (
            f"what comes is no text at {heard.baud} baud, so the board speaks at another rate (MaixPy-IDE leaves it at "
            "1500000): press its reset key, close the IDE"
        )
    if wanted is Wanted.PROMPT:
        return _deaf(heard)
    if _RAW in tail:
        return (
            "the board is in the raw REPL, where an upload was broken off, and its program does not run; press its "
            "reset key"
        )
    if _is_prompt(tail):
        return _at_prompt(tail, wanted)
    if heard.damaged:
        return "sentences come, but all are damaged: the cable or the USB hub is bad, or another program reads as well"
    return _other_text(heard, wanted)


def _other_text(heard: Heard, wanted: Wanted) -> str | None:
    tail = bytes(heard.tail)
    if wanted is Wanted.START and heard.said:
        return (
            f"MaixPy has started, but not the program; the last line is {heard.said!r}; press its reset key, then look "
            "with `make monitor`"
        )
    if _BOOT_LOG.search(tail) or _BANNER.search(tail):
        return (
            "MaixPy has started, but not the program: wait some seconds and try again; if it stays so, put the program "
            "on the board with `make deploy`"
        )
    if heard.said:
        return f"another program runs on the board, it says {heard.said!r}; put this project's on it with `make deploy`"
    return None


def _at_prompt(tail: bytes, wanted: Wanted) -> str:
    """The REPL answers; our own question made a SyntaxError there, which says nothing."""
    errors = [found for found in _LAST_ERROR.findall(tail) if not found.startswith(b"SyntaxError")]
    why = ""
    if _TRACEBACK in tail and errors:
        why = f" (it ended with {errors[-1].decode(errors='replace').strip()[:_LINE_LENGTH]})"
    then = "press its reset key, and if that does not help, put the program on it with `make deploy`"
    if wanted is Wanted.START:
        then = "deploy again, and if that does not help, report it with the output of `make monitor`"
    if wanted is Wanted.START and not why:
        then = "its main.py does not start it"
    return f"the board is at MicroPython's prompt, its program does not run{why}; {then}"


def _deaf(heard: Heard) -> str:
    """Something runs, and no Ctrl-C stops it."""
    return (
        f"no prompt, though the board talks (it says {heard.said!r}): its program ignores Ctrl-C. Start again and "
        f"press its reset key meanwhile; {_blocking_start(heard)}"
    )


def _of_silence(heard: Heard, wanted: Wanted) -> str:
    erase = f"; {_blocking_start(heard)}" if wanted is Wanted.PROMPT else ""
    return (
        "nothing comes from it: is the board on, and is this its port? "
        f"{_other_port(heard)}; press its reset key (without BOOT); a board without MaixPy needs `make flash` first"
        f"{erase}"
    )


def _blocking_start(heard: Heard) -> str:
    return f"if its boot.py blocks, erase its files with `{_ERASE.format(port=heard.port)}` and deploy again"


def _other_port(heard: Heard) -> str:
    if heard.siblings:
        return f"its USB bridge has another port, try --port {heard.siblings[0]}"
    return "try another port (`make ports` shows them)"


def _is_prompt(tail: bytes) -> bool:
    return _PROMPT.search(tail) is not None


def _strange(data: bytes) -> float:
    """Share of bytes that no text has."""
    strange = sum(byte >= 0x7F or (byte < 0x20 and byte not in _HARMLESS) for byte in data)
    return strange / max(1, len(data))
