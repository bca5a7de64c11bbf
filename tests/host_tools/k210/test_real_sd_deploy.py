"""`deploy --sd` on the vendor's own firmware: the program starts from the card, and sets the heap once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from host_tools import cli, payload
from host_tools.k210 import Machine
from host_tools.virtual_board.sd_folder import SdFolder
from tests.command_line import invoke
from tests.host_tools.k210 import states
from tests.host_tools.k210.images import image
from tests.host_tools.k210.states import PatientSession
from tests.host_tools.k210.test_real_frames import Asker
from tests.host_tools.verification import small

KIB = 1024


def command(*arguments: object) -> None:
    ended = invoke(cli.main, ["deploy", "--board", states.BOARD, *arguments])
    assert ended.exit_code == 0, ended


@pytest.mark.soak
@pytest.mark.parametrize("name", states.IMAGES)
def test_a_card_is_all_that_a_board_with_maixpy_needs(name: str, tmp_path: Path) -> None:
    folder, kmodel = tmp_path / "card", states.kmodel_files(tmp_path)
    folder.mkdir()
    (folder / "holiday.txt").write_text("mine")
    command("--model", kmodel, "--sd", folder)
    card = SdFolder(folder)
    made = Machine(image(name), board=states.BOARD, sd=card.image)
    made.power_on()
    board = PatientSession(made)

    # The first start makes the heap larger, and resets the chip once.
    heap = payload.DEFAULT_SETTINGS["heap"]
    board.wait(f"posenet: MicroPython's heap is set to {heap // KIB} KiB (room for picture files): resetting")
    begin = len(board.sent)
    said = board.wait("$FRAME,", begin)
    assert b"from /sd/small.kmodel" in said
    assert b"heap 759 KiB" in said
    assert made.resets == 1

    # What the board computes is what the card's kmodel computes here.
    asker = Asker(board)
    asker.ask("PAUSE")
    assert asker.digest("SELFTEST", 0) == small.card()["test_vector"]["heads_crc32"]

    # The next start finds all as it should be.
    begin = len(board.sent)
    made.reset()
    board.wait("$FRAME,", begin)
    assert b"resetting" not in board.sent[begin:]
    board.enter_raw()
    assert board.execute("print(open('/flash/pose_heap.txt').read())").split() == [str(512 * KIB), str(heap), "0"]
    assert "pose_app.py" not in board.execute("import os\nprint(os.listdir('/flash'))")

    made.power_off()
    card.take_back()
    card.close()
    assert json.loads((folder / payload.POSE_CONFIG).read_text())["board"] == states.BOARD
    command("--sd", folder, "--remove")
    # The program counts its starts on the card it runs from.
    assert (folder / "holiday.txt").read_text() == "mine"
    assert not list(folder.glob("pose*"))
