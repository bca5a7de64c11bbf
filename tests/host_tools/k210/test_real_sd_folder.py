"""A folder as SD card under the vendor's own firmware: its FatFs reads what we wrote, and we read what it wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools.k210 import Machine, Session
from host_tools.virtual_board.sd_folder import SdFolder
from tests.host_tools.k210 import states
from tests.host_tools.k210.images import image

REAL_SECONDS = states.REAL_SECONDS
PROGRAM = """
import os, sys
sys.path.append("/sd")
import a_module_with_a_long_name as found
print(found.WORDS, sorted(os.listdir("/sd")))
with open("/sd/Log of this run.txt", "w") as file:
    file.write("x" * 5000)
os.remove("/sd/to be removed.txt")
os.mkdir("/sd/made here")
with open("/sd/made here/inside.txt", "w") as file:
    file.write("inside")
"""


@pytest.mark.soak
def test_programs_of_the_card_run_and_what_they_write_comes_back(tmp_path: Path) -> None:
    (tmp_path / "a_module_with_a_long_name.py").write_text("WORDS = 'imported from the card'\n")
    (tmp_path / "to be removed.txt").write_text("old")
    card = SdFolder(tmp_path)
    made = Machine(image("minimum"), sd=card.image)
    made.power_on()
    session = Session(made)
    session.boot(real_seconds=REAL_SECONDS)
    session.enter_raw(real_seconds=REAL_SECONDS)
    said = session.execute(PROGRAM, real_seconds=REAL_SECONDS)
    # The firmware puts a main.py of its own onto a card that has none.
    assert "imported from the card ['a_module_with_a_long_name.py', 'main.py', 'to be removed.txt']" in said
    assert card.take_back() == ["Log of this run.txt", "made here/inside.txt", "main.py", "to be removed.txt"]
    card.close()
    assert (tmp_path / "Log of this run.txt").read_text() == "x" * 5000
    assert (tmp_path / "made here" / "inside.txt").read_text() == "inside"
    assert not (tmp_path / "to be removed.txt").exists()
