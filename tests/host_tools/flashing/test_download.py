"""The real kflash against the emulated ROM and stub: it writes what it should; whatever goes wrong has its end.

kflash's own ways with faults, which the watch must not let pass: it goes on after a write that failed, and it waits for
ever for an answer.
"""

from pathlib import Path

import pytest

from host_tools import boards
from host_tools.errors import FlashError
from host_tools.flashing import download, kfpkg
from host_tools.flashing.download import Download, DownloadError
from host_tools.flashing.isp import Operation
from host_tools.flashing.watch import Stage
from host_tools.virtual_board.faults import Faults
from host_tools.virtual_board.rom import DownloadFault, Flip
from tests.host_tools.flashing.conftest import FIRMWARE, NO_ANSWER, SHORT, children
from tests.host_tools.virtual_board import kmodels
from tests.jumping import VirtualBoard
from tests.samples import sample

pytestmark = pytest.mark.usefixtures("nothing_left")


def package(board: boards.Board) -> kfpkg.Package:
    return kfpkg.make(board, kmodels.kmodel(), Path("small.kmodel"), FIRMWARE, Path("maixpy.bin"))


def write(board: VirtualBoard, of: boards.Board, baud: int, silent: Stage | None = None) -> list[Stage]:
    """Flash it; the stages in their order. The stage that is known to be silent is not waited for as long."""
    seen: dict[Stage, int] = {}
    job = Download(board.port, of.flash.kflash, baud, package(of))
    silence = {**download.SILENCE, **({silent: SHORT} if silent else {})}
    download.run(job, lambda stage, written: seen.update({stage: written}), silence)
    return list(seen)


def flashed(board: VirtualBoard, of: boards.Board) -> bool:
    return all(board.flash.read(entry.address, entry.size) == entry.image for entry in package(of).entries)


# kflash loads its stub at 1.5 Mbaud on boards with `goE` only, and each wiring has a sequence of its own.
@pytest.mark.parametrize(("board_id", "baud"), [("maix_bit", 115200), ("maix_bit_v2", 1500000), ("maix_go", 1500000)])
def test_a_blank_board_gets_everything_and_starts(board_id: str, baud: int) -> None:
    of = boards.find(board_id)
    with VirtualBoard(flash=b"") as board:
        stages = write(board, of, baud)
        speed = [Stage.SPEED] if baud != 115200 else []
        assert stages == [
            *(Stage.OPEN, Stage.ENTER, Stage.LOADER, Stage.START, *speed, Stage.INIT, Stage.WRITE, Stage.RESTART)
        ]
        assert flashed(board, of)
        board.wait_for('Type "help()"')


def test_a_running_board_is_written_too(maix_bit: boards.Board) -> None:
    noisy = "import machine\nmachine.UART.repl_uart().init(1500000)\nwhile True: print('\\xc0' * 99)\n"
    with VirtualBoard(files={"main.py": noisy}) as board:
        board.wait_for("\xc3\x80")
        write(board, maix_bit, 1500000)
        assert flashed(board, maix_bit)
        board.wait_for("init end")


@pytest.mark.parametrize(
    "fault",
    sample(
        [
            DownloadFault("silent", Operation.GREET, times=2),
            DownloadFault("noise", Operation.GREET),
            DownloadFault("noise", Operation.WRITE_FLASH, times=9),
            DownloadFault("busy", Operation.WRITE_FLASH, first=2, times=3),
            # What a line does that damages bytes: the piece is sent again, in smaller ones.
            DownloadFault("bad_checksum", Operation.WRITE_RAM, first=3, times=2),
            DownloadFault("bad_checksum", Operation.INIT_FLASH),
            DownloadFault("bad_checksum", Operation.WRITE_FLASH, first=2, times=4),
            DownloadFault("wrong_echo", Operation.WRITE_FLASH, first=2, times=2),
        ],
        0,
        2,
        4,
        6,
    ),
    ids=lambda fault: f"{fault.kind} {fault.operation.name}",
)
def test_what_a_board_may_do_is_no_failure(fault: DownloadFault, maix_bit: boards.Board) -> None:
    with VirtualBoard(flash=b"", download_faults=[fault]) as board:
        write(board, maix_bit, 1500000)
        assert flashed(board, maix_bit)


@pytest.mark.parametrize(
    ("kind", "operation", "first", "failed", "stage", "said"),
    sample([
        ("silent", Operation.GREET, 1, "silent", Stage.ENTER, NO_ANSWER),
        ("unplug", Operation.GREET, 1, "lost", Stage.ENTER, ""),
        ("bad_checksum", Operation.WRITE_RAM, 3, "answer", Stage.LOADER, "the board says: wrong checksum of data"),
        ("unplug", Operation.WRITE_RAM, 9, "lost", Stage.LOADER, ""),
        ("silent", Operation.STUB_GREET, 1, "silent", Stage.START, NO_ANSWER),
        ("silent", Operation.STUB_GREET, 2, "silent", Stage.SPEED, NO_ANSWER),
        ("unplug", Operation.INIT_FLASH, 1, "lost", Stage.INIT, ""),
        ("bad_checksum", Operation.WRITE_FLASH, 2, "answer", Stage.WRITE, "the board says: wrong checksum of data"),
        ("wrong_echo", Operation.WRITE_FLASH, 1, "answer", Stage.WRITE, "answered 0xd0 to 0xd4"),
        ("garbage", Operation.WRITE_FLASH, 1, "silent", Stage.WRITE, NO_ANSWER),
        ("silent", Operation.WRITE_FLASH, 3, "silent", Stage.WRITE, NO_ANSWER),
        ("stall", Operation.WRITE_FLASH, 1, "silent", Stage.WRITE, NO_ANSWER),
        ("reset", Operation.WRITE_FLASH, 2, "silent", Stage.WRITE, NO_ANSWER),
        ("unplug", Operation.WRITE_FLASH, 2, "lost", Stage.WRITE, ""),
        ("silent", Operation.REBOOT, 1, "silent", Stage.RESTART, NO_ANSWER),
        ("unplug", Operation.REBOOT, 1, "lost", Stage.RESTART, ""),
    ], 2, 3, 5, 7, 9, 12, 14),
)  # fmt: skip
def test_every_fault_ends_with_what_and_where(
    kind: str, operation: Operation, first: int, failed: str, stage: Stage, said: str, maix_bit: boards.Board
) -> None:
    fault = DownloadFault(kind, operation, first, times=99)
    with VirtualBoard(flash=b"", download_faults=[fault]) as board, pytest.raises(DownloadError) as caught:
        write(board, maix_bit, 1500000, stage if failed == "silent" else None)
    assert (caught.value.kind, caught.value.stage) == (failed, stage), str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("rate", "seed"), sample([(1 / 50_000, 1), (1 / 50_000, 2), (1 / 30_000, 3)], 0))
def test_a_line_that_damages_bytes_carries_everything_at_the_first_rate(
    rate: float, seed: int, maix_bit: boards.Board
) -> None:
    with VirtualBoard(flash=b"", faults=Faults(corrupt=rate, seed=seed)) as board:
        job = Download(board.port, maix_bit.flash.kflash, 1500000, package(maix_bit))
        repeated = download.run(job, lambda *_: None)
        assert flashed(board, maix_bit)
    assert repeated > 0


def test_a_silent_flip_is_not_noticed_here_which_is_why_flash_is_read_back(maix_bit: boards.Board) -> None:
    with VirtualBoard(flash=b"", download_faults=[Flip(0x300123)]) as board:
        write(board, maix_bit, 1500000)
        assert not flashed(board, maix_bit)


def test_nobody_there(maix_bit: boards.Board, tmp_path: Path) -> None:
    job = Download(str(tmp_path / "ttyUSB9"), "bit", 115200, package(maix_bit))
    with pytest.raises(DownloadError, match="there is no such port") as caught:
        download.run(job, lambda *_: None)
    assert caught.value.kind == "port"


def test_an_echo_is_not_taken_for_a_board(maix_bit: boards.Board) -> None:
    job = Download("loop://", "bit", 115200, package(maix_bit))
    with pytest.raises(DownloadError, match="what is sent comes back"):
        download.run(job, lambda *_: None)


def test_a_worker_that_breaks_is_said(maix_bit: boards.Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_MODULE", "host_tools.flashing.none")
    job = Download("loop://", "bit", 115200, package(maix_bit))
    with pytest.raises(DownloadError, match=r"process ended with code 1 \(.*No module named host_tools.flashing.none"):
        download.run(job, lambda *_: None)


def test_without_kflash_it_says_so(maix_bit: boards.Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download.importlib.util, "find_spec", lambda name: None)
    job = Download("loop://", "bit", 115200, package(maix_bit))
    with pytest.raises(FlashError, match=r"kflash is not installed in this Python: .* extra `host`"):
        download.run(job, lambda *_: None)


def test_an_owner_that_raises_takes_the_worker_along(maix_bit: boards.Board) -> None:
    def interrupt(stage: Stage, written: int) -> None:
        if stage is Stage.WRITE:
            assert [line for line in children() if "flashing.worker" in line]
            raise KeyboardInterrupt

    with VirtualBoard(flash=b"") as board, pytest.raises(KeyboardInterrupt):
        download.run(Download(board.port, "bit", 1500000, package(maix_bit)), interrupt)
