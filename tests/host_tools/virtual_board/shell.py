"""Runs snippets on a virtual board through its raw REPL."""

from __future__ import annotations

import re
from pathlib import Path

from tests.jumping import VirtualBoard
from tests.patience import until

# Scripts that several tests begin with: the camera at QVGA.
CAMERA = "import sensor\nsensor.reset()\nsensor.set_pixformat(sensor.RGB565)\nsensor.set_framesize(sensor.QVGA)\n"
_ANSWER = re.compile(r"OK(.*?)\x04(.*?)\x04>", re.DOTALL)
_PIECE = 512


def type_in(board: VirtualBoard, data: bytes) -> None:
    """Send bytes no faster than the board takes them, as its 2 KiB ring demands."""
    for start in range(0, len(data), _PIECE):
        until(lambda: board.unread <= _PIECE)
        board.send(data[start : start + _PIECE])


class Shell:
    """A board at its raw prompt."""

    def __init__(self, board: VirtualBoard) -> None:
        self.board = board
        board.wait_for('Type "help()" for more information.\r\n>>> ')
        board.send(b"\x01")
        board.wait_for("raw REPL; CTRL-B to exit\r\n>")

    def answer(self, source: str) -> tuple[str, str]:
        """Run a script: what it prints, and its traceback, with plain line ends."""
        type_in(self.board, source.encode() + b"\x04")
        match = self.board.wait_for(_ANSWER)
        return match[1].replace("\r\n", "\n"), match[2].replace("\r\n", "\n")

    def run(self, source: str) -> str:
        """Run a script that must end well: what it prints, without the last line end."""
        printed, traceback = self.answer(source)
        assert not traceback, traceback
        return printed.rstrip("\n")

    def raises(self, source: str) -> str:
        """Run a script that must fail: the last line of its traceback."""
        printed, traceback = self.answer(source)
        assert traceback, f"nothing was raised, but this printed: {printed}"
        return traceback.strip("\n").split("\n")[-1]


def processes(folder: Path) -> list[int]:
    """The process ids whose command line names a board's folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found
