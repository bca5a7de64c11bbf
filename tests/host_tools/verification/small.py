"""The small model of the virtual board's tests with a test vector, and boards with it, whole or damaged."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from conversion import test_vector
from conversion.decoding import board_decoder
from conversion.kpu.posenet import Simulation
from host_tools import boards, payload
from host_tools.virtual_board import Faults, Hardware
from tests.host_tools.virtual_board import kmodels
from tests.jumping import VirtualBoard

BOARD = "maix_bit"


@cache
def card(seed: int = 0) -> dict:
    """Its model card, test vector included."""
    the_card = kmodels.model_card(seed)
    the_card["test_vector"] = test_vector.test_vector(Simulation(kmodels.model(seed), "small"), the_card)
    return the_card


def write(path: Path, seed: int = 0) -> Path:
    """The kmodel and its card beside it."""
    path.write_bytes(kmodels.kmodel(seed))
    path.with_name(path.name + ".json").write_text(json.dumps(card(seed)))
    return path


def scene() -> Image.Image:
    """What the camera sees: large coloured patches."""
    patches = np.random.default_rng(5).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    return Image.fromarray(patches).resize((320, 240), Image.Resampling.BICUBIC)


def damaged(name: str, *changes: tuple[str, str]) -> dict[str, str]:
    """A file of the firmware with some of its text replaced, each exactly once."""
    source = payload.program()[name].read_text()
    for whole, broken in changes:
        assert source.count(whole) == 1, whole
        source = source.replace(whole, broken)
    return {name: source}


def board(
    files: Mapping[str, str] | None = None,
    kmodel: bytes | None = None,
    device_card: dict | None = None,
    faults: Faults | None = None,
    camera: Image.Image | None = None,
) -> VirtualBoard:
    """A board after `flash` and `deploy`; `files` replace the firmware's, `kmodel` what the device card describes."""
    the_board = boards.find(BOARD)
    return VirtualBoard(
        model=kmodels.kmodel() if kmodel is None else kmodel,
        card=board_decoder.device_card(card()) if device_card is None else device_card,
        files={**payload.files(the_board), **(files or {})},
        board=Hardware.of(the_board),
        camera=camera or scene(),
        faults=faults,
    )


def board_with_other_kmodel(kmodel: bytes) -> VirtualBoard:
    """A board whose flash holds something else than its card says, with a checksum that hides it from the firmware."""
    device_card = board_decoder.device_card(card())
    device_card["kmodel"]["crc32"] = zlib.crc32(kmodel)
    return board(kmodel=kmodel, device_card=device_card)
