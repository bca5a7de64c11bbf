"""`make demo FIRMWARE=` on the vendor's own images: frames come, the LCD shows them, and what is written is whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from host_tools.virtual_board import demo
from host_tools.virtual_board.clock import JumpingClock
from tests.host_tools.k210 import states
from tests.host_tools.k210.images import IMAGES, image

FRAMES = 3


@pytest.mark.soak
@pytest.mark.parametrize("name", IMAGES)
def test_the_demo_runs_on_a_real_image(name: str, tmp_path: Path) -> None:
    firmware, said = tmp_path / "maixpy.bin", []
    firmware.write_bytes(image(name))
    kmodel = states.kmodel_files(tmp_path)
    seen = demo.run(kmodel, said.append, count=FRAMES, maixpy=firmware, clock=JumpingClock())
    assert len(seen.frames) == len(seen.pictures) == FRAMES
    assert seen.damaged == 0
    assert any("MicroPython v0.6.2" in line and "run on the emulated chip" in line for line in said), said
    demo.write(seen, tmp_path / "demo")
    lines = (tmp_path / "demo" / demo.POSES).read_text().splitlines()
    assert [json.loads(line)["frame"] for line in lines] == [frame.number for frame in seen.frames]
    # The photo of the camera, with more than one colour.
    assert len(Image.open(tmp_path / "demo" / demo.PICTURE).convert("RGB").getcolors(1 << 20)) > 100
