"""From a blank chip to a board that runs with what was written, proven by reading back; and every way that fails."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from host_tools import boards, cli
from host_tools.errors import FlashError, VerificationError
from host_tools.flashing import download, flash, readback
from host_tools.flashing.flash import Outcome
from host_tools.flashing.isp import Operation
from host_tools.flashing.watch import Stage
from host_tools.virtual_board.rom import DownloadFault, Flip
from tests import command_line
from tests.host_tools.flashing.conftest import FIRMWARE, NO_ANSWER, SHORT
from tests.host_tools.virtual_board import kmodels
from tests.jumping import VirtualBoard
from tests.patience import HANG_SECONDS, until

pytestmark = pytest.mark.usefixtures("nothing_left")
QUIET = {"main.py": "print('the program runs')\n"}
SIZE = len(kmodels.kmodel())
DIGEST = hashlib.sha256(kmodels.kmodel()).hexdigest()[:16]
SILENCE = {**download.SILENCE, Stage.WRITE: SHORT, Stage.RESTART: SHORT}


def run(writing: flash.Writing, board: VirtualBoard, told: list[str], **options: object) -> Outcome:
    return flash.run(writing, board.port, told.append, lambda *_: None, **options)


def invoke(arguments: Sequence[str]) -> command_line.Ended:
    """What the command leaves."""
    return command_line.invoke(cli.main, arguments)


def test_a_port_that_is_not_there_is_told_before_anything_is_announced(kmodel: Path, tmp_path: Path) -> None:
    ended = invoke(["flash", "--board", "maix_bit", "--model", str(kmodel), "--port", str(tmp_path / "ttyUSB0")])
    assert ended.exit_code == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: ")
    assert "ttyUSB0" in line


def in_flash(board: VirtualBoard, writing: flash.Writing) -> bool:
    return all(board.flash.read(entry.address, entry.size) == entry.image for entry in writing.package.entries)


def test_a_blank_board_ends_with_firmware_and_kmodel_proven(
    maix_bit: boards.Board, kmodel: Path, firmware: Path
) -> None:
    writing, told, seen = flash.prepare(maix_bit, kmodel, firmware), [], []
    with VirtualBoard(flash=b"", files=QUIET) as board:
        outcome = flash.run(writing, board.port, told.append, lambda *progress: seen.append(progress))
        assert outcome == Outcome(1500000, verified=True)
        assert in_flash(board, writing)
        # The program was stopped to read back; it runs again.
        for said in ("kpu:freq", "kpu:freq", "the program runs"):
            board.wait_for(said)
    assert told[0] == f"writing {writing.package.size} bytes at 1500000 baud"
    assert told[1] == "reading the flash back through the board's MicroPython"
    assert {what for what, *_ in seen} >= {Stage.WRITE.value, flash.READING}
    assert all(0 <= done <= total == writing.package.size for _, done, total, _ in seen)


def test_without_a_firmware_the_one_that_is_there_stays(maix_bit: boards.Board, kmodel: Path) -> None:
    writing = flash.prepare(maix_bit, kmodel)
    assert [entry.address for entry in writing.package.entries] == [0x300000]
    with VirtualBoard(model=kmodels.kmodel(1), files=QUIET) as board:
        before = board.flash.read(0, 0x300000)
        assert run(writing, board, []).verified
        assert board.flash.read(0, 0x300000) == before
        assert in_flash(board, writing)


class TestDifferences:
    def test_one_wrong_bit_is_found_and_that_file_alone_is_written_again_slower(
        self, maix_bit: boards.Board, kmodel: Path, firmware: Path
    ) -> None:
        writing, told = flash.prepare(maix_bit, kmodel, firmware), []
        with VirtualBoard(flash=b"", download_faults=[Flip(0x305678, bit=7)]) as board:
            assert run(writing, board, told) == Outcome(460800, verified=True)
            assert in_flash(board, writing)
        right = kmodels.kmodel()[0x5678]
        assert told[2:4] == [
            f"flash 0x305678 holds {right ^ 0x80:#04x}, small.kmodel has {right:#04x} at byte {0x5678}; 1 of 15 blocks "
            "of 4 KiB differ; writing that again at 460800 baud",
            f"writing {len(kmodels.kmodel())} bytes at 460800 baud",
        ]

    def test_a_flash_that_keeps_differing_is_named(self, maix_bit: boards.Board, kmodel: Path) -> None:
        writing = flash.prepare(maix_bit, kmodel, baud=115200)
        flips = [Flip(0x300000 + len(kmodels.kmodel()) - 1, times=2), Flip(0x301000, times=2)]
        with VirtualBoard(files=QUIET, download_faults=flips) as board, pytest.raises(VerificationError) as caught:
            run(writing, board, [])
        said = str(caught.value)
        assert "flash 0x301000 holds " in said
        assert "; 2 of 15 blocks of 4 KiB differ, also after it was written again at 115200 baud" in said


class TestFailures:
    def test_a_slower_rate_is_tried_and_said(self, maix_bit: boards.Board, kmodel: Path) -> None:
        faults = [
            DownloadFault("bad_write", Operation.WRITE_FLASH, 1),
            DownloadFault("silent", Operation.WRITE_FLASH, 2),
        ]
        writing, told = flash.prepare(maix_bit, kmodel), []
        with VirtualBoard(files=QUIET, download_faults=faults) as board:
            assert run(writing, board, told, silence=SILENCE) == Outcome(115200, verified=True)
        assert told[1] == (
            "writing at 1500000 baud failed: the board says: the flash chip cannot be written; trying "
            "again at 460800 baud"
        )
        assert told[3] == f"writing at 460800 baud failed: {NO_ANSWER}; trying again at 115200 baud"

    def test_a_damaged_piece_is_sent_again_at_the_same_rate_and_told(
        self, maix_bit: boards.Board, kmodel: Path
    ) -> None:
        writing, told = flash.prepare(maix_bit, kmodel), []
        fault = DownloadFault("bad_checksum", Operation.WRITE_FLASH, times=2)
        with VirtualBoard(files=QUIET, download_faults=[fault]) as board:
            assert run(writing, board, told) == Outcome(1500000, verified=True)
        assert told[1] == "the line damages bytes: 2 pieces were sent again; 1500000 baud works so"

    def test_if_none_works_the_message_says_what_to_do(self, maix_bit: boards.Board, kmodel: Path) -> None:
        writing = flash.prepare(maix_bit, kmodel, baud=115200)
        fault = DownloadFault("bad_write", Operation.WRITE_FLASH, times=9)
        with VirtualBoard(files=QUIET, download_faults=[fault]) as board, pytest.raises(FlashError) as caught:
            run(writing, board, [])
        assert str(caught.value) == (
            f"{board.port}: writing failed at 115200 baud: the board says: the flash chip cannot be written; take a "
            "shorter cable or a port of the computer itself, press RESET and run the same command again; the flash is "
            "half written until that succeeds"
        )

    def test_a_pulled_cable_is_not_tried_again(self, maix_bit: boards.Board, kmodel: Path) -> None:
        writing, told = flash.prepare(maix_bit, kmodel), []
        fault = DownloadFault("unplug", Operation.WRITE_FLASH)
        with (
            VirtualBoard(files=QUIET, download_faults=[fault]) as board,
            pytest.raises(
                FlashError, match=r"lost the board while writing \(cable, power, or another program on the port\); "
            ),
        ):
            run(writing, board, told)
        assert len(told) == 1

    @pytest.mark.soak
    def test_a_port_without_a_k210(self, maix_bit: boards.Board, kmodel: Path) -> None:
        writing = flash.prepare(maix_bit, kmodel)
        fault = DownloadFault("silent", Operation.GREET, times=99)
        with (
            VirtualBoard(files=QUIET, download_faults=[fault]) as board,
            pytest.raises(FlashError, match=r"no K210 in download mode answers: .*\(--board maix_bit resets as `bit`"),
        ):
            run(writing, board, [], silence={**SILENCE, Stage.ENTER: SHORT})

    @pytest.mark.soak
    def test_a_restart_that_is_not_confirmed_is_said(self, maix_bit: boards.Board, kmodel: Path) -> None:
        writing, told = flash.prepare(maix_bit, kmodel), []
        fault = DownloadFault("silent", Operation.REBOOT, times=9)
        with VirtualBoard(files=QUIET, download_faults=[fault]) as board:
            with pytest.raises(FlashError, match="written, but not verified"):
                run(writing, board, told, silence=SILENCE, stop_seconds=1.0)
            assert in_flash(board, writing)
        assert told[1] == (f"all is written, but the board did not confirm its restart ({NO_ANSWER}): press RESET")

    def test_a_chip_without_micropython_is_written_but_not_verified(self, maix_bit: boards.Board, kmodel: Path) -> None:
        writing = flash.prepare(maix_bit, kmodel)
        with VirtualBoard(flash=b"") as board:
            with pytest.raises(FlashError, match=r"written, but not verified: .*nothing comes from it"):
                run(writing, board, [], stop_seconds=2.0)
            assert in_flash(board, writing)
            assert run(writing, board, [], verify=False) == Outcome(1500000, verified=False)

    def test_a_micropython_that_cannot_read_flash(
        self, maix_bit: boards.Board, kmodel: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        writing = flash.prepare(maix_bit, kmodel)
        monkeypatch.setattr(readback, "_CHECKSUMS", "import Maix\nMaix.utils.flash_reed({start}, {end}, {block})\n")
        with VirtualBoard(files=QUIET) as board, pytest.raises(FlashError) as caught:
            run(writing, board, [])
        said = f"written, but not verified: {board.port}: the board's MicroPython says: AttributeError: "
        assert str(caught.value).startswith(said)


def test_what_is_wrong_is_said_before_a_board_is_touched(
    maix_bit: boards.Board, kmodel: Path, firmware: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.kmodel"
    other.write_bytes(kmodels.kmodel(1))
    (tmp_path / "other.kmodel.json").write_bytes((tmp_path / "small.kmodel.json").read_bytes())
    with pytest.raises(Exception, match="keep the two together"):
        flash.prepare(maix_bit, other)
    with pytest.raises(FlashError, match="is no firmware but a kmodel V3"):
        flash.prepare(maix_bit, kmodel, kmodel)
    with pytest.raises(FlashError, match="is no kmodel but something unknown"):
        flash.prepare(maix_bit, firmware)
    with pytest.raises(FlashError, match="a package brings its own files"):
        flash.prepare(maix_bit, kmodel, package=tmp_path / "x.kfpkg")
    with pytest.raises(FlashError, match="no package but a kmodel V3"):
        flash.prepare(maix_bit, None, package=kmodel)
    assert flash.prepare(maix_bit, kmodel, baud=230400).rates == (230400, 115200)
    assert flash.prepare(maix_bit, kmodel, baud=57600).rates == (57600,)


class TestCommand:
    def test_a_dry_run_shows_what_goes_where_and_needs_no_board(self, kmodel: Path, firmware: Path) -> None:
        arguments = ("flash", "--board", "maix_bit", "--model", str(kmodel), "--firmware", str(firmware), "--dry-run")
        ended = invoke([*arguments, "--port", "/dev/none"])
        assert (ended.exit_code, ended.stderr) == (0, "")
        rows = [line.split("  ") for line in ended.stdout.splitlines()]
        assert rows[1][1:4] == ["0x000000", f"{len(FIRMWARE) + 36:#08x}", str(len(FIRMWARE) + 37)]
        assert rows[2][:4] == ["small.kmodel", "0x300000", f"{0x300000 + SIZE - 1:#08x}", str(SIZE)]
        assert "1500000, 460800, 115200 baud" in ended.stdout
        assert "Nothing was written" in ended.stdout

    def test_a_kfpkg_can_be_made_without_flashing(self, maix_bit: boards.Board, kmodel: Path, firmware: Path) -> None:
        package = kmodel.with_name("made.kfpkg")
        files = ("--board", "maix_bit", "--model", str(kmodel), "--firmware", str(firmware))
        made = invoke(["kfpkg", *files, "--output", str(package)])
        assert (made.exit_code, made.stderr) == (0, "")
        assert made.stdout.splitlines()[-1] == f"written: {package}"
        assert flash.prepare(maix_bit, None, package=package) == flash.prepare(maix_bit, kmodel, firmware)

    def test_a_release_is_flashed(self, kmodel: Path, tmp_path: Path) -> None:
        made = invoke(["release", "--board", "maix_bit", "--model", str(kmodel), "--output", str(tmp_path)])
        assert (made.exit_code, made.stderr) == (0, "")
        path = tmp_path / "posenet-maix-maix_bit.zip"
        assert made.stdout == f"written: {path} ({path.stat().st_size} bytes)\n"
        with VirtualBoard(files=QUIET) as board:
            ended = invoke(["flash", "--board", "maix_bit", "--package", str(path), "--port", board.port])
            assert board.flash.read(0x300000, SIZE) == kmodels.kmodel()
        assert ended.exit_code == 0, ended.stderr
        assert ended.stdout.splitlines() == [
            f"small.kmodel: {SIZE} bytes at 0x300000 written, read back, equal (sha256 {DIGEST}…)",
            "The firmware was left alone; it read the kmodel back.",
        ]

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--board", "maix_none"), "there is no board 'maix_none'"),
            (("--board", "maix_bit", "--model", "none"), "none: no such kmodel; make one with `make kmodel`"),
            (("--board", "maix_bit", "--package", "none.kfpkg"), "none.kfpkg: no such package"),
            (("--board", "maix_bit", "--model", "{kmodel}", "--port", "/dev/none"), "/dev/none: there is no such port"),
        ],
    )
    def test_one_line_and_exit_code_2(self, kmodel: Path, arguments: tuple[str, ...], said: str) -> None:
        ended = invoke(["flash", *(part.format(kmodel=kmodel) for part in arguments)])
        assert ended.exit_code == 2
        assert ended.stdout == ""
        errors = [line for line in ended.stderr.splitlines() if not line.startswith("·")]
        assert len(errors) == 1
        assert errors[0].startswith(f"error: {said}")

    def test_a_kfpkg_of_another_name_is_not_written(self, kmodel: Path, tmp_path: Path) -> None:
        path = tmp_path / "made.zip"
        arguments = ("kfpkg", "--board", "maix_bit", "--model", str(kmodel), "--output", str(path))
        ended = invoke(arguments)
        assert ended.exit_code == 2
        assert "must end in .kfpkg: kflash would write a file of another name to address 0" in ended.stderr
        assert not path.exists()


class TestSignals:
    """Whatever ends the command, its worker ends too; a board that stalls keeps it busy meanwhile."""

    @pytest.mark.parametrize(
        ("ending", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)]
    )
    def test_no_worker_is_left(self, kmodel: Path, tmp_path: Path, ending: signal.Signals, code: int) -> None:
        stall = DownloadFault("stall", Operation.WRITE_FLASH)
        arguments = ("flash", "--board", "maix_bit", "--model", str(kmodel))
        folder = tmp_path / "of the command"
        folder.mkdir()
        with VirtualBoard(flash=b"", download_faults=[stall]) as board:
            command = [sys.executable, "-m", "host_tools", *arguments, "--port", board.port]
            environment = {**os.environ, "TMPDIR": str(folder)}
            with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, text=True) as process:
                worker = self._worker(process.pid)
                until(lambda: board.stalled)
                process.send_signal(ending)
                said = process.communicate(timeout=HANG_SECONDS)[1]
            assert process.returncode == code
            self._gone(worker)
        if ending is not signal.SIGKILL:
            assert "stopped; the flash may be half written: run the same command again" in said
            assert list(folder.iterdir()) == []

    def _worker(self, pid: int) -> str:
        end = time.monotonic() + HANG_SECONDS
        while time.monotonic() < end:
            for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                if b"flashing.worker" in Path("/proc", child, "cmdline").read_bytes():
                    return child
            time.sleep(0.01)
        raise AssertionError("no worker was started")

    def _gone(self, pid: str) -> None:
        until(lambda: not (Path("/proc", pid, "cmdline").exists() and Path("/proc", pid, "cmdline").read_bytes()))
