"""`erase` on the vendor's own firmware: its files go, kmodel and MaixPy stay, and MaixPy makes a new file system."""

from __future__ import annotations

from host_tools import boards
from host_tools.flashing import erase, images
from host_tools.virtual_board import Hardware
from host_tools.virtual_board.emulation import EmulationOptions
from tests.host_tools.k210 import states
from tests.host_tools.k210.images import image
from tests.host_tools.virtual_board import kmodels
from tests.jumping import VirtualBoard

OWN = b"print('own')\n"


def test_files_go_and_everything_else_stays() -> None:
    of = boards.find(states.BOARD)
    firmware = images.in_flash(image("minimum"))
    said: list[str] = []
    with (
        VirtualBoard(
            model=kmodels.kmodel(), flash=firmware, board=Hardware.of(of), emulate=EmulationOptions()
        ) as board,
        board.clock.host_waits(),
    ):
        # Something that is no file system any more: the sectors must be those of an erased chip afterwards.
        assert board.flash.program(of.flash.spiffs_address, OWN * 1000)
        names = erase.run(erase.prepare(of, baud=1500000), board.port, said.append, lambda *_: None)
        assert names is not None, said
        assert set(names) <= {"boot.py", "main.py", "freq.conf"}, names
        assert OWN not in board.flash.read(of.flash.spiffs_address, of.flash.bytes - of.flash.spiffs_address)
        assert board.flash.read(of.flash.model_address, len(kmodels.kmodel())) == kmodels.kmodel()
        assert board.flash.read(0, len(firmware)) == firmware
    assert not [line for line in said if "no MaixPy answers" in line], said
