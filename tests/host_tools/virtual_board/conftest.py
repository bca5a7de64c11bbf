"""Boards that several tests of a module share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from tests.host_tools.virtual_board import kmodels
from tests.host_tools.virtual_board.shell import Shell
from tests.jumping import VirtualBoard

QUIET_MAIN = "pass\n"


@pytest.fixture(scope="session")
def noise_photo() -> Image.Image:
    """A photo of 320x240 without two pixels alike nearby."""
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (240, 320, 3), np.uint8))


@pytest.fixture(scope="module")
def shell(noise_photo: Image.Image) -> Iterator[Shell]:
    """A board with a small kmodel in flash that looks at noise, at its raw prompt."""
    files = {"main.py": QUIET_MAIN, "small.kmodel": kmodels.kmodel(1)}
    with VirtualBoard(kmodels.kmodel(), kmodels.device_card(), files, camera=noise_photo) as board:
        yield Shell(board)
