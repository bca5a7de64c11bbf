"""What belongs on a board besides MaixPy: the program, its settings for this kind of board, kmodel and device card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from conversion import network, presets
from conversion.decoding import board_decoder
from conversion.kmodel.recognise import recognise
from conversion.kpu import posenet
from host_tools import boards
from host_tools.errors import BoardError

FIRMWARE = Path(__file__).resolve().parents[1] / "firmware"
BUILD = Path("build")
# The kmodel that is taken where several are: what `make kmodel` makes without a size.
USUAL = f"{network.NAME}-{presets.PRESETS[presets.DEFAULT]}.kmodel"
# Who is asked which of several kmodels it shall be.
Choose = Callable[[list[Path]], Path]
MAIN = "main.py"
# MaixPy's own settings, the program's, and the device card.
MAIXPY_CONFIG, POSE_CONFIG, DEVICE_CARD = "config.json", "pose_config.json", "pose_model.json"
# What the program itself writes into /flash, whatever it was started from (firmware/pose_boot.py, pose_heap.py).
HEAP_STATE = "pose_heap.txt"
WRITTEN_BY_PROGRAM = ("pose_boot_0.txt", "pose_boot_1.txt", HEAP_STATE)
# Settings that a board has unless its owner chose others: the bytes of MicroPython's heap, of which a picture file of
# 320x240 and its planes take 375 KiB.
DEFAULT_SETTINGS = {"heap": 768 * 1024}


@dataclass(frozen=True)
class Payload:
    """What a board is to have. `files` are the program's and the device card, by their names in /flash.

    The two settings are not whole files, since what else stands in a board's own stays: `pose_config` is the
    program's, `maixpy_config` MaixPy's (None: this board needs none). `main_chosen`: somebody has said which main.py it
    shall be; `own_main`: a maker's, which later deploys leave there.
    """

    board: boards.Board
    kmodel_path: Path
    kmodel: bytes
    card: dict
    files: dict[str, bytes]
    pose_config: dict
    maixpy_config: dict | None
    main_chosen: bool = False
    own_main: bool = False


def of(board: boards.Board, model: Path | None) -> Payload:
    """The payload of a board and a kmodel (None: the one in build/).

    BoardError or ModelFormatError if the kmodel or its card is missing, they do not belong together, or it is no V3.
    """
    path = kmodel(model)
    data = _read(path)
    kind = recognise(data)
    if kind is None or not kind.is_v3:
        what = kind.name if kind else "no kmodel"
        raise BoardError(f"{path}: is {what}; the program runs V3: make one with `make kmodel FORMAT=v3`")
    found = posenet.read_described(path)
    the_card = board_decoder.device_card(found.card)
    files = {name: _read(source) for name, source in program().items()}
    files[DEVICE_CARD] = json.dumps(the_card).encode()
    return Payload(board, path, found.data, the_card, files, boards.pose_config(board), board.maixpy_config)


def program() -> dict[str, Path]:
    """The program's files by name."""
    return {path.name: path for path in sorted(FIRMWARE.glob("*.py"))}


def files(board: boards.Board) -> dict[str, bytes | str | Path]:
    """What lies in the /flash of a new board after `deploy`, but for the device card: the program and settings."""
    contents: dict[str, bytes | str | Path] = {**program(), POSE_CONFIG: json.dumps(boards.pose_config(board))}
    if board.maixpy_config:
        contents[MAIXPY_CONFIG] = json.dumps(board.maixpy_config)
    return contents


def kmodel(path: Path | None, choose: Choose | None = None) -> Path:
    """The kmodel at a path; else the only one in build/, else that of the default size, else what `choose` says.

    BoardError says how to get one, or to name one where nobody can be asked.
    """
    if path is not None:
        if not path.is_file():
            raise BoardError(f"{path}: no such kmodel; make one with `make kmodel`")
        return path
    found = built()
    if not found:
        raise BoardError(f"{BUILD}: no kmodel here; make one with `make kmodel`, or name one with --model")
    usual = [each for each in found if each.name == USUAL]
    if len(found) == 1 or usual:
        return (usual or found)[0]
    if choose is not None:
        return choose(found)
    raise BoardError(f"{BUILD}: {', '.join(path.name for path in found)}; choose one with --model")


def built() -> list[Path]:
    """The kmodels of this project in build/."""
    return sorted(BUILD.glob(f"{network.NAME}-*.kmodel"))


def of_digest(sha256: str | None) -> Path | None:
    """The kmodel in build/ that has this SHA-256; None if none has."""
    return next((path for path in built() if hashlib.sha256(_read(path)).hexdigest() == sha256), None)


def device_card(path: Path) -> dict:
    """The device card of a kmodel, from the model card beside it; ModelFormatError if that describes another one."""
    return board_decoder.device_card(posenet.read_described(path).card)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BoardError(f"{path}: cannot be read ({error.strerror})") from error
