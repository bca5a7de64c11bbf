"""Previews of the program on the vendor's own firmware, without an SD card: JPEGs of what the camera sees."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from host_tools.k210.parts.image_sensor import Gradient
from tests.firmware.app import sentences, virtual
from tests.host_tools.k210 import states
from tests.host_tools.k210.images import IMAGES
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


@pytest.mark.soak
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


@pytest.mark.soak
@pytest.mark.parametrize("name", IMAGES)
def test_what_previews_lack_is_said_and_is_what_the_firmware_does_not_give(name: str, tmp_path: Path) -> None:
    """At 320x240, as deployed: the two large builds have no room."""
    board = PatientSession(
        states.deployed(name, kmodel=virtual.write_random_model(tmp_path, *CAMERA, channel_divisor=1))
    )
    board.machine.power_on()
    board.frames(1)
    lacking = sentences.of(said(board), "HELLO")[-1][16]
    assert (lacking > 0) == (name in ("full", "lvgl"))
    assert (b"no previews, which need %d KiB more: " % lacking in board.sent) == (lacking > 0)
    # No frame need be computed until then.
    board.type(sentences.made("PAUSE,1"))
    board.machine.run_for(WAITED_SECONDS)
    begin = len(board.sent)
    board.type(sentences.made("PREVIEW,2,1,50") + sentences.made("RESUME,3"))
    board.wait(b"$ERROR,42,1,no preview" if lacking else b",JPEG,", begin)
