"""The virtual board as tests have it: its time jumps, see host_tools/virtual_board/README.md."""

from __future__ import annotations

from host_tools import virtual_board
from host_tools.virtual_board.clock import Clock, JumpingClock


class VirtualBoard(virtual_board.VirtualBoard):
    """A virtual board whose clock jumps, unless it is given another."""

    def __init__(self, *arguments: object, clock: Clock | None = None, **keywords: object) -> None:
        super().__init__(*arguments, clock=clock or JumpingClock(), **keywords)
