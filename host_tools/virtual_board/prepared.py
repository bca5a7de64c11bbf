"""A flash chip as a maker's afternoon leaves it: the vendor's firmware, the kmodel, and the program in /flash.

What is in /flash is written by the firmware itself, on the emulated chip, through `deploy`: its file system is its own
affair. That takes a while, so the chip's content is kept by what it was made of.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path

from conversion import cache
from conversion.progress import Talk
from host_tools import payload
from host_tools.boards import Board
from host_tools.deployment import deploy
from host_tools.flashing import images
from host_tools.virtual_board.board import VirtualBoard
from host_tools.virtual_board.clock import JumpingClock
from host_tools.virtual_board.emulation import EmulationOptions
from host_tools.virtual_board.flash_chip import FLASH_BYTES
from host_tools.virtual_board.hardware import Hardware

_KIND = "deployed-flash"
# Emulated, a board may be several times slower than real ones, on a busy computer many times.
_START_SECONDS = 600.0


def flash(firmware: bytes, board: Board, kmodel: Path, talk: Talk) -> bytes:
    """All 16 MiB of the flash chip of a board on which `flash` and `deploy` were run. Kept by content."""
    digest = cache.key(firmware, board.id, *_contents(board, kmodel))
    return zlib.decompress(cache.cached(_KIND, digest, lambda: zlib.compress(_made(firmware, board, kmodel, talk), 1)))


def _contents(board: Board, kmodel: Path) -> list[str]:
    """What of the project goes onto the chip, as hashes."""
    files = {name: _bytes(content) for name, content in payload.files(board).items()}
    card = json.dumps(payload.device_card(kmodel), sort_keys=True)
    parts = [f"{name} {hashlib.sha256(files[name]).hexdigest()}" for name in sorted(files)]
    return [hashlib.sha256(kmodel.read_bytes()).hexdigest(), card, *parts]


def _bytes(content: bytes | str | Path) -> bytes:
    if isinstance(content, Path):
        return content.read_bytes()
    return content.encode() if isinstance(content, str) else content


def _made(firmware: bytes, board: Board, kmodel: Path, talk: Talk) -> bytes:
    talk("deploying the program through the firmware on the emulated chip; the result is kept")
    with VirtualBoard(
        model=kmodel,
        flash=images.in_flash(firmware),
        board=Hardware.of(board),
        tell=talk,
        clock=JumpingClock(),
        emulate=EmulationOptions(),
    ) as virtual:
        options = deploy.DeployOptions(virtual.port, board.id, kmodel, seconds=_START_SECONDS)
        with virtual.clock.host_waits():
            deploy.run(options, lambda line: None, lambda done, total: None)
        return virtual.flash.read(0, FLASH_BYTES)
