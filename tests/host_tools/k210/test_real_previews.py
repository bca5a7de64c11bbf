"""Previews of the program on the vendor's own firmware, without an SD card: JPEGs of what the camera sees."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from host_tools.k210.parts.image_sensor import Gradient
from tests.firmware.app import sentences
from tests.host_tools.k210 import states
from tests.host_tools.k210.states import PatientSession
from tests.host_tools.virtual_board import kmodels

CAMERA = 320, 240
# The program makes none before the second core has looked for an SD card.
WAITED_SECONDS = 10.0


def said(board: PatientSession) -> list[sentences.Sentence]:
    """The sentences among all whole lines that the board has sent."""
    lines = (bytes(line.text) for line in board.lines)
    return [sentences.sentence(line) for line in lines if line.startswith(b"$")]


def preview(board: PatientSession, number: int) -> np.ndarray:
    """Wait for the whole of a preview, which the next one follows: [height, width, 3]."""
    board.wait(b"$BULK,%d,JPEG," % (number + 1))
    jpeg = sentences.block(said(board), number)
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")).astype(int)


@pytest.mark.parametrize("name", states.EACH)
def test_previews_are_what_the_camera_sees(name: str) -> None:
    board = states.running(name)
    board.type(sentences.made("PREVIEW,1,1,90"))
    shown = preview(board, 1)
    assert board.machine.clock.seconds > WAITED_SECONDS
    seen = Gradient().picture(0, *CAMERA)[: kmodels.HEIGHT, : kmodels.WIDTH].astype(int)
    assert shown.shape == seen.shape
    # JPEG keeps a colour for two pixels; both halves of the picture are whole.
    rows = abs(shown - seen).mean((1, 2))
    assert rows.max() < 16
    assert sentences.of(said(board), "ERROR") == []
