"""A virtual board as a maker's board is after `flash` and `deploy`: the firmware, its settings, kmodel and card."""

from __future__ import annotations

import json
from pathlib import Path

from conversion import card, decode, network
from host_tools import boards
from host_tools.errors import BoardError
from host_tools.virtual_board.board import Content

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
BUILD = Path("build")
# MaixPy's own settings, and the program's.
MAIXPY_CONFIG, POSE_CONFIG = "config.json", "pose_config.json"


def files(board: boards.Board) -> dict[str, Content]:
    """What lies in /flash: the program, and the settings of this kind of board."""
    contents: dict[str, Content] = {path.name: path for path in sorted(FIRMWARE.glob("*.py"))}
    contents[POSE_CONFIG] = json.dumps(boards.pose_config(board))
    if board.maixpy_config:
        contents[MAIXPY_CONFIG] = json.dumps(board.maixpy_config)
    return contents


def kmodel(path: Path | None) -> Path:
    """The kmodel at a path, or the only one in build/; BoardError says how to get one."""
    if path is not None:
        if not path.is_file():
            raise BoardError(f"{path}: no such kmodel; make one with `make kmodel`")
        return path
    found = sorted(BUILD.glob(f"{network.NAME}-*.kmodel"))
    if not found:
        raise BoardError(f"{BUILD}: no kmodel here; make one with `make kmodel`, or name one with --model")
    if len(found) > 1:
        raise BoardError(f"{BUILD}: {', '.join(path.name for path in found)}; choose one with --model")
    return found[0]


def device_card(path: Path) -> dict:
    """The device card of a kmodel, from the model card beside it."""
    return decode.device_card(card.read(card.path_beside(path)))
