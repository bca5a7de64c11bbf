"""MicroPython 1.11's REPL as a state machine: bytes of the line in, echo and jobs out.

Friendly mode with line editing and history, paste mode, raw mode without raw-paste (that came with 1.14).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E = b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"
EOF = b"\x04"
RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
PASTE_BANNER = b"\r\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== "
_COMPOUND = ("if", "while", "for", "with", "try", "def", "class", "@")
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_HISTORY = 8


class Mode(Enum):
    """What the next byte means."""

    FRIENDLY = auto()
    PASTE = auto()
    RAW = auto()


@dataclass(frozen=True)
class Run:
    """Source to run: one statement that shows its value (`single`), or a script."""

    source: bytes
    single: bool


@dataclass(frozen=True)
class SoftReset:
    """Ctrl-D on an empty line."""


class Repl:
    """The REPL of one board; `raw` outlives soft resets, and keeps main.py from running then."""

    def __init__(self, banner: bytes) -> None:
        self._banner = banner
        self._mode = Mode.FRIENDLY
        self._history: list[str] = []
        self._clear()

    def _clear(self) -> None:
        self._source = bytearray()
        self._lines: list[str] = []
        self._line = ""
        self._cursor = 0
        self._escape = ""
        self._recalled = 0

    @property
    def raw(self) -> bool:
        """Whether the raw REPL is on."""
        return self._mode is Mode.RAW

    def power_off(self) -> None:
        """As after a reset of the chip."""
        self._mode = Mode.FRIENDLY
        self._history.clear()
        self._clear()

    def start(self) -> bytes:
        """What is printed when the REPL begins."""
        self._clear()
        return RAW_BANNER if self.raw else self._banner + b">>> "

    def finished(self, traceback: bytes) -> bytes:
        """What is printed after a job: its traceback, and the next prompt."""
        self._clear()
        if self.raw:
            return EOF + traceback + EOF + b">"
        return traceback + b">>> "

    def feed(self, byte: bytes) -> tuple[bytes, Run | SoftReset | None]:
        """One byte from the line: what is echoed, and what is to be done, after which finished() or start() goes on."""
        if self._mode is Mode.RAW:
            return self._feed_raw(byte)
        if self._mode is Mode.PASTE:
            return self._feed_paste(byte)
        return self._feed_friendly(byte)

    def _feed_raw(self, byte: bytes) -> tuple[bytes, Run | SoftReset | None]:
        if byte == CTRL_A:
            self._source.clear()
            return RAW_BANNER, None
        if byte == CTRL_B:
            self._mode = Mode.FRIENDLY
            self._clear()
            return b"\r\n" + self._banner + b">>> ", None
        if byte == CTRL_C:
            self._source.clear()
        elif byte == CTRL_D:
            if not self._source:
                return b"OK\r\n", SoftReset()
            return b"OK", Run(bytes(self._source), single=False)
        else:
            self._source += byte
        return b"", None

    def _feed_paste(self, byte: bytes) -> tuple[bytes, Run | SoftReset | None]:
        if byte == CTRL_C:
            self._mode = Mode.FRIENDLY
            self._clear()
            return b"\r\n>>> ", None
        if byte == CTRL_D:
            self._mode = Mode.FRIENDLY
            return b"\r\n", Run(bytes(self._source).replace(b"\r", b"\n"), single=False)
        self._source += byte
        return (b"\r\n=== " if byte == b"\r" else byte), None

    def _feed_friendly(self, byte: bytes) -> tuple[bytes, Run | SoftReset | None]:
        if self._escape:
            return self._feed_escape(byte.decode("latin-1")), None
        if byte == CTRL_C:
            self._clear()
            return b"\r\n>>> ", None
        if not self._line and byte in (CTRL_A, CTRL_B, CTRL_D, CTRL_E):
            return self._control(byte)
        if byte == b"\r":
            return self._enter()
        return self._edit(byte.decode("latin-1")), None

    def _control(self, byte: bytes) -> tuple[bytes, Run | SoftReset | None]:
        """A control character on an empty line."""
        if self._lines:
            # Within a compound statement only Ctrl-D means something: its end.
            return (b"\r\n", self._statement()) if byte == CTRL_D else (b"", None)
        if byte == CTRL_A:
            self._mode = Mode.RAW
            self._clear()
            return b"\r\n" + RAW_BANNER, None
        if byte == CTRL_B:
            return b"\r\n" + self._banner + b">>> ", None
        if byte == CTRL_E:
            self._mode = Mode.PASTE
            self._clear()
            return PASTE_BANNER, None
        return b"\r\n", SoftReset()

    def _enter(self) -> tuple[bytes, Run | SoftReset | None]:
        line = self._line
        if line.strip() and line not in self._history[-1:]:
            self._history = [*self._history, line][-_HISTORY:]
        if not self._lines and not line.strip():
            self._clear()
            return b"\r\n>>> ", None
        self._lines.append(line)
        if needs_more("\n".join(self._lines)):
            self._line = _indentation(line)
            self._cursor, self._recalled = len(self._line), 0
            return b"\r\n... " + self._line.encode(), None
        return b"\r\n", self._statement()

    def _statement(self) -> Run:
        return Run("\n".join(self._lines).encode("latin-1") + b"\n", single=True)

    def _edit(self, letter: str) -> bytes:
        """A letter, or a key that edits the line."""
        if letter == "\x1b":
            self._escape = letter
        elif letter in "\x08\x7f":
            if self._cursor:
                return self._replace(self._line[: self._cursor - 1] + self._line[self._cursor :], self._cursor - 1)
        elif letter == "\t":
            return self._insert("    ")
        elif letter >= " ":
            return self._insert(letter)
        return b""

    def _insert(self, text: str) -> bytes:
        at = self._cursor
        if at == len(self._line):
            self._line += text
            self._cursor += len(text)
            return text.encode("latin-1")
        return self._replace(self._line[:at] + text + self._line[at:], at + len(text))

    def _feed_escape(self, letter: str) -> bytes:
        """Arrow keys and their like: ESC [ letter, or ESC [ digit ~."""
        self._escape += letter
        if (letter == "[" and len(self._escape) == 2) or letter.isdigit():
            return b""
        key, self._escape = self._escape[1:], ""
        if key == "[C" and self._cursor < len(self._line):
            return self._replace(self._line, self._cursor + 1)
        if key == "[D" and self._cursor:
            return self._replace(self._line, self._cursor - 1)
        if key in ("[H", "[1~"):
            return self._replace(self._line, 0)
        if key in ("[F", "[4~"):
            return self._replace(self._line, len(self._line))
        if key in ("[A", "[B"):
            self._recalled = min(max(self._recalled + (1 if key == "[A" else -1), 0), len(self._history))
            line = self._history[-self._recalled] if self._recalled else ""
            return self._replace(line, len(line))
        return b""

    def _replace(self, line: str, cursor: int) -> bytes:
        """Show another line in place of this one, with the cursor somewhere in it."""
        back = f"\x1b[{self._cursor}D" if self._cursor else ""
        ahead = f"\x1b[{len(line) - cursor}D" if cursor < len(line) else ""
        self._line, self._cursor = line, cursor
        return (back + line + "\x1b[K" + ahead).encode("latin-1")


def needs_more(source: str) -> bool:
    """Whether a statement goes on in the next line: open brackets or quotes, a backslash, a block without its end."""
    open_brackets, quote = _scan(source)
    if open_brackets or quote in ("'''", '"""') or (source.endswith("\\") and not quote):
        return True
    first = source.lstrip()
    starts_block = first.startswith("@") or first.split(" ")[0].rstrip(":(") in _COMPOUND
    return starts_block and source.split("\n")[-1].strip() != ""


def _scan(source: str) -> tuple[int, str]:
    """Open brackets, and the quote that is open, at the end of a source."""
    depth, quote, at = 0, "", 0
    while at < len(source):
        if quote:
            if source[at] == "\\":
                at += 1
            elif source.startswith(quote, at):
                at += len(quote) - 1
                quote = ""
        elif source[at] in "'\"":
            quote = source[at] * 3 if source.startswith(source[at] * 3, at) else source[at]
            at += len(quote) - 1
        elif source[at] == "#":
            at = max(source.find("\n", at), at) if "\n" in source[at:] else len(source)
        elif source[at] in _PAIRS:
            depth += 1
        elif source[at] in _PAIRS.values():
            depth -= 1
        at += 1
    return max(depth, 0), quote


def _indentation(line: str) -> str:
    """Where the next line of a block begins: as this one, further after a colon."""
    if not line.strip():
        return ""
    indent = line[: len(line) - len(line.lstrip(" "))]
    return indent + "    " if line.rstrip().endswith(":") else indent
