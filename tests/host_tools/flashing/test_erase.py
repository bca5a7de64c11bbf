"""Erasing: the files go and the rest stays, or all goes; every piece is confirmed, and the board says what is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools import boards, cli
from host_tools.errors import FlashError
from host_tools.flashing import erase, flash
from host_tools.flashing.isp import Operation
from host_tools.virtual_board.flash_chip import FILE_SYSTEM, FLASH_BYTES
from host_tools.virtual_board.rom import DownloadFault
from tests.command_line import invoke
from tests.host_tools.virtual_board import kmodels
from tests.jumping import VirtualBoard

pytestmark = pytest.mark.usefixtures("nothing_left")
# A boot.py that no Ctrl-C ends: what the page on erasing is for.
DEAF = {"boot.py": "import micropython\nmicropython.kbd_intr(-1)\nwhile True:\n    pass\n", "pose_app.py": "x\n"}


def test_the_files_of_a_board_that_heeds_nothing_go_and_it_can_be_deployed_again() -> None:
    with VirtualBoard(model=kmodels.kmodel(), files=DEAF) as board:
        before = board.flash.read(0, FILE_SYSTEM)
        done = invoke(cli.main, ["erase", "--board", "maix_bit", "--port", board.port, "--filesystem"])
        assert done.exit_code == 0, done.stderr
        assert "every piece confirmed by the chip" in done.stdout
        assert "/flash holds main.py; next: `deploy --board maix_bit`" in done.stdout
        # MaixPy's own demo.
        assert [file.name for file in board.flash_folder.iterdir()] == ["main.py"]
        assert board.flash.read(0, FILE_SYSTEM) == before
        assert set(board.flash.read(FILE_SYSTEM, FLASH_BYTES - FILE_SYSTEM)) == {0xFF}


def test_all_leaves_a_blank_board(maix_bit: boards.Board, kmodel: Path, firmware: Path) -> None:
    with VirtualBoard(model=kmodels.kmodel(), files={"main.py": "print('mine')\n"}) as board:
        done = invoke(cli.main, ["erase", "--board", "maix_bit", "--port", board.port, "--all"])
        assert done.exit_code == 0, done.stderr
        assert "The board is blank" in done.stdout
        assert set(board.flash.read(0, FLASH_BYTES)) == {0xFF}
        writing = flash.prepare(maix_bit, kmodel, firmware)
        assert flash.run(writing, board.port, lambda _: None, lambda *_: None).verified


def test_a_dry_run_says_what_would_go(maix_bit: boards.Board) -> None:
    done = invoke(cli.main, ["erase", "--board", "maix_bit", "--dry-run"])
    assert done.stdout == (
        "would erase the files of /flash (program, settings, your own); MaixPy and kmodel stay: "
        "flash 0xd00000 to 0xffffff, 3072 KiB\n"
    )
    both = invoke(cli.main, ["erase", "--board", "maix_bit", "--all", "--filesystem"])
    assert both.exit_code == 2
    assert "give one of the two" in both.stderr


def test_a_piece_that_the_chip_refuses_ends_it(maix_bit: boards.Board) -> None:
    fault = DownloadFault("bad_write", Operation.WRITE_FLASH, times=99)
    with (
        VirtualBoard(model=kmodels.kmodel(), download_faults=[fault]) as board,
        pytest.raises(FlashError, match="the flash chip cannot be written"),
    ):
        erase.run(erase.prepare(maix_bit), board.port, lambda _: None, lambda *_: None)
