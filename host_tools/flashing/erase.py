"""Erases a board's flash by the way that `flash` writes: bytes of FF over what shall go, each piece confirmed.

The chip is not asked to erase by itself: kflash's own `erase` waits for an answer that it does not judge, and its
printed form differs from version to version. What is written here is judged piece by piece (watch.py), and a flash of
FF is an erased one.
"""

from __future__ import annotations

from dataclasses import dataclass

from conversion.progress import Report, Talk
from host_tools import time_limits
from host_tools.boards import Board
from host_tools.errors import FlashError, LinkError
from host_tools.flashing import flash
from host_tools.flashing.flash import Writing
from host_tools.flashing.kfpkg import Entry, Package
from host_tools.prompt.repl import Prompt

_ERASED = b"\xff"
_BITS_A_BYTE = 10
# MaixPy says which files it has; a new file system holds what MaixPy puts there itself.
_LIST = "import os\nprint('\\n'.join(sorted(os.listdir('/flash'))))"


@dataclass(frozen=True)
class Erasing:
    """What is to be erased of which kind of board."""

    board: Board
    everything: bool
    writing: Writing

    @property
    def address(self) -> int:
        """The first byte that goes."""
        return self.writing.package.entries[0].address

    @property
    def size(self) -> int:
        """How many bytes go."""
        return self.writing.package.size

    @property
    def what(self) -> str:
        """In words."""
        if self.everything:
            return "the whole flash: MaixPy, kmodel and files"
        return "the files of /flash (program, settings, your own); MaixPy and kmodel stay"

    def seconds(self, baud: int) -> float:
        """How long the line takes for it: an estimate, the chip's own time is not in it."""
        return self.size * _BITS_A_BYTE / baud


def prepare(board: Board, everything: bool = False, baud: int | None = None) -> Erasing:
    """What is erased: /flash, or the whole chip; no board is touched."""
    first = 0 if everything else board.flash.spiffs_address
    entry = Entry("erased.bin", first, _ERASED * (board.flash.bytes - first))
    return Erasing(board, everything, Writing(board, Package((entry,)), flash.rates(board, baud)))


def run(erasing: Erasing, port: str, talk: Talk, report: Report, stop_seconds: float | None = None) -> list[str] | None:
    """Erase, and ask MaixPy what files there are then: their names, None where nobody can be asked.

    FlashError if the chip does not confirm every piece.
    """
    flash.write(erasing.writing, port, talk, report)
    if erasing.everything:
        return None
    talk("waiting for MaixPy, which makes a new file system (on a real board some half a minute, estimated)")
    limit = time_limits.NEW_FILE_SYSTEM.unless(stop_seconds)
    try:
        with Prompt(port, talk, erasing.board.flash.reset_wiring, limit) as prompt:
            names = prompt.execute(_LIST, seconds=time_limits.ON_BOARD.seconds).split()
            prompt.restart()
    except LinkError as error:
        talk(f"erased, but no MaixPy answers that could tell its files: {error}")
        return None
    if left := [name for name in names if name.startswith("pose_")]:
        raise FlashError(
            f"{port}: {', '.join(left)} of the program still lie in /flash: its file system begins elsewhere than at "
            f"{erasing.address:#x}; erase all with --all, then `flash` with --firmware"
        )
    return names
