"""Why a board does not answer: judges what was heard on the port instead, and says what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from host_tools.serial_link.events import PROTOCOL, OtherProtocol

_TAIL_BYTES = 4096
_BOOT_LOG = re.compile(rb"\[(maixpy|canmv)\]", re.IGNORECASE)
_BANNER = re.compile(rb"MicroPython v|Type \"help\(\)\"")
_CRASH = re.compile(rb"core dump: ([ -~]{1,60})")
_RAW = b"raw REPL; CTRL-B to exit"
_PROMPT = re.compile(rb"(>>> |\.\.\. |=== )\s*$")
_TRACEBACK = b"Traceback (most recent call last)"
_LAST_ERROR = re.compile(rb"^([A-Za-z_.]+(?:Error|Exception|Interrupt|Exit)\b[^\r\n]*)", re.MULTILINE)
# Of text, next to no byte is outside of ASCII; of text at a wrong speed, many are.
_MOST_STRANGE = 0.1
_LEAST_TO_JUDGE = 16
_LINE_LENGTH = 80


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


def explain(heard: Heard) -> str:
    """One line: what, where, why probably, and what to do next."""
    if heard.lost:
        return heard.lost
    reason = _of_sentences(heard) or _of_text(heard) or _of_silence(heard)
    return f"{heard.port}: {reason}"


def _of_sentences(heard: Heard) -> str | None:
    if heard.other_protocol:
        other = heard.other_protocol
        return (
            f"the board's program {other.firmware} speaks protocol {other.protocol}, this tool protocol {PROTOCOL}; "
            "put the program that belongs to this tool on the board with `make deploy`"
        )
    if heard.echoes and not _is_prompt(heard):
        return (
            "whatever is sent comes straight back: this is no board's port, or its lines TX and RX touch; "
            f"{_other_port(heard)}"
        )
    if heard.sentences - heard.echoes > 0 and not _is_prompt(heard):
        return (
            "the board sends, but does not answer: what is sent does not reach it (line TX, USB hub) or it is busy; "
            "reset the board and try again"
        )
    return None


def _of_text(heard: Heard) -> str | None:
    tail = bytes(heard.tail)
    if crash := _CRASH.search(tail):
        return f"the chip has crashed ({crash[1].decode().strip()}) and stands still; press its reset key"
    if _RAW in tail:
        return (
            "the board is in the raw REPL, where an upload was broken off, and its program does not run; press its "
            "reset key"
        )
    if not heard.bytes:
        return None
    if _is_prompt(heard):
        return _at_prompt(tail)
    if _strange(tail) > _MOST_STRANGE and len(tail) >= _LEAST_TO_JUDGE:
        return (
            f"what comes is no text at {heard.baud} baud, so the board speaks at another rate (MaixPy-IDE leaves it at "
            "1500000): press its reset key, close the IDE"
        )
    if heard.damaged:
        return "sentences come, but all are damaged: the cable or the USB hub is bad, or another program reads as well"
    if _BOOT_LOG.search(tail) or _BANNER.search(tail):
        return (
            "MaixPy has started, but not the program: wait some seconds and try again; if it stays so, put the program "
            "on the board with `make deploy`"
        )
    if heard.said:
        return f"another program runs on the board, it says {heard.said!r}; put this project's on it with `make deploy`"
    return None


def _at_prompt(tail: bytes) -> str:
    """The REPL answers; our own question made a SyntaxError there, which says nothing."""
    errors = [found for found in _LAST_ERROR.findall(tail) if not found.startswith(b"SyntaxError")]
    why = ""
    if _TRACEBACK in tail and errors:
        why = f" (it ended with {errors[-1].decode(errors='replace').strip()[:_LINE_LENGTH]})"
    return (
        f"the board is at MicroPython's prompt, its program does not run{why}; press its reset key, and if that does "
        "not help, put the program on it with `make deploy`"
    )


def _of_silence(heard: Heard) -> str:
    return (
        "nothing comes from it: is the board on, and is this its port? "
        f"{_other_port(heard)}; press its reset key (without BOOT); a board without MaixPy needs `make flash` first"
    )


def _other_port(heard: Heard) -> str:
    if heard.siblings:
        return f"its USB bridge has another port, try --port {heard.siblings[0]}"
    return "try another port (`python -m serial.tools.list_ports` shows them)"


def _is_prompt(heard: Heard) -> bool:
    return _PROMPT.search(heard.tail) is not None


def _strange(data: bytes) -> float:
    """Share of bytes that no text has."""
    strange = sum(byte >= 0x7F or (byte < 0x20 and byte not in b"\t\r\n\x1b") for byte in data)
    return strange / max(1, len(data))
