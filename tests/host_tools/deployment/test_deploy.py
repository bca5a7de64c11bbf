"""`deploy` on a virtual board: from nothing to frames, settings, warnings, what goes wrong, and the command."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from conversion import card
from conversion.progress import silent
from host_tools import boards, payload
from host_tools.cli import main
from host_tools.deployment import deploy
from host_tools.deployment.deploy import DeployOptions
from host_tools.deployment.flash_folder import FlashFolder
from host_tools.errors import BoardError, HostToolError
from host_tools.prompt.repl import Prompt
from host_tools.serial_link import sentences
from host_tools.virtual_board import Hardware
from tests.host_tools.deployment import tiny
from tests.host_tools.deployment.conftest import Install
from tests.host_tools.virtual_board import kmodels
from tests.jumping import VirtualBoard

Files = dict[str, bytes]


def files_of(board: VirtualBoard) -> Files:
    """What lies in /flash, but for what the program counts its starts in."""
    names = {path.name for path in board.flash_folder.iterdir()} - {*payload.WRITTEN_BY_PROGRAM}
    return {name: (board.flash_folder / name).read_bytes() for name in names}


def heap_of(board: VirtualBoard) -> int:
    """Bytes of MicroPython's heap at the last start."""
    return board.heap_free_at_start


def deploy_onto(board: VirtualBoard, kmodel: Path, board_id: str = "maix_bit", **more: object) -> deploy.Report:
    return deploy.run(DeployOptions(board.port, board_id, kmodel, **more), silent, lambda done, total: None)


@dataclass(frozen=True)
class Ended:
    """How the command ended, and what it said."""

    exit_code: int
    stdout: str
    stderr: str


def command(*arguments: object) -> Ended:
    said, talked = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(talked), pytest.raises(SystemExit) as end:
        main(["deploy", *map(str, arguments)])
    return Ended(end.value.code or 0, said.getvalue(), talked.getvalue())


def one_error_line(ended: Ended) -> str:
    """The one line that a command that failed has to say."""
    assert ended.exit_code == 2, ended
    assert ended.stdout == ""
    errors = [line for line in ended.stderr.splitlines() if not line.startswith("· ")]
    assert len(errors) == 1, ended.stderr
    assert errors[0].startswith("error: ")
    return errors[0]


@pytest.fixture
def board() -> Iterator[VirtualBoard]:
    """A board with a kmodel in flash and a program of its owner's."""
    with VirtualBoard(model=kmodels.kmodel(), files={"main.py": "print('mine')\n", "notes.txt": "x"}) as started:
        started.wait_for("mine")
        yield started


def test_from_a_bare_board_to_frames_and_back(board: VirtualBoard, kmodel: Path) -> None:
    before = files_of(board)
    seen: list[tuple[int, int]] = []
    report = deploy.run(DeployOptions(board.port, "maix_bit", kmodel), silent, lambda *step: seen.append(step))
    assert report.started.runs
    assert report.started.hello.kmodel_sha256 == card.kmodel_entry("", kmodels.kmodel())["sha256"]
    assert (report.started.hello.width, report.started.hello.board) == (kmodels.WIDTH, "maix_bit")
    assert "KiB needed" in report.started.memory
    assert report.warnings == []
    assert seen[0] == (0, seen[-1][1])
    assert seen[-1][0] == seen[-1][1] > 100_000
    board.wait_for("$FRAME,")
    after = files_of(board)
    assert {name: after[name] for name in payload.program()} == {
        name: path.read_bytes() for name, path in payload.program().items()
    }
    again = deploy_onto(board, kmodel)
    assert again.nothing_to_do
    assert again.started.runs
    assert files_of(board) == after
    assert (board.flash_folder / payload.WRITTEN_BY_PROGRAM[0]).exists()
    deploy.remove(DeployOptions(board.port), silent, lambda done, total: None)
    assert files_of(board) == before
    assert not any((board.flash_folder / name).exists() for name in payload.WRITTEN_BY_PROGRAM)
    board.wait_for("mine")


@pytest.mark.soak
def test_the_heap_is_enlarged_overridden_and_restored(board: VirtualBoard, kmodel: Path) -> None:
    report = deploy_onto(board, kmodel)
    assert "MicroPython's heap is set to 768 KiB (room for picture files)" in report.notes
    assert heap_of(board) > 700 * 1024
    assert not any("heap is" in note for note in deploy_onto(board, kmodel).notes)
    report = deploy_onto(board, kmodel, heap=640 * 1024)
    assert "MicroPython's heap is set to 640 KiB (as the config has it)" in report.notes
    # What somebody chose stays.
    assert not any("heap is" in note for note in deploy_onto(board, kmodel).notes)
    assert 590 * 1024 < heap_of(board) < 640 * 1024
    report = deploy.remove(DeployOptions(board.port), silent, lambda done, total: None)
    assert "MicroPython's heap has 512 KiB again" in report.notes
    board.wait_for("mine")
    assert 490 * 1024 < heap_of(board) < 512 * 1024


def test_a_heap_that_cannot_be_had_is_put_back_by_the_program(board: VirtualBoard, kmodel: Path) -> None:
    """MaixPy takes any size, and only the next start shows that it was too much."""
    deploy_onto(board, kmodel, heap=0)
    with Prompt(board.port) as prompt:
        prompt.execute("from Maix import utils\nutils.gc_heap_size(7000000)", seconds=20)
        prompt.restart()
    board.wait_for("(131072)")
    board.wait_for("posenet: MicroPython's heap is set to 512 KiB (6835 KiB could not be had): resetting")
    board.wait_for("$FRAME,")


def test_only_what_changed_is_sent(board: VirtualBoard, kmodel: Path, install: Install) -> None:
    install(1)
    deploy_onto(board, kmodel)
    folder = payload.FIRMWARE
    (folder / "pose_old.py").write_text("OLD = 2\n")
    report = deploy_onto(board, kmodel)
    assert report.written == ["pose_old.py"]
    assert report.bytes == len("OLD = 2\n")


class TestCube:
    @pytest.fixture
    def cube(self) -> Iterator[VirtualBoard]:
        theirs = json.dumps({"lcd": {"dir": 1, "rst": 37}, "board_info": {"KEY": 10}})
        hardware = Hardware.of(boards.find("maix_cube"))
        with VirtualBoard(model=kmodels.kmodel(), files={"config.json": theirs}, board=hardware) as started:
            yield started

    def test_maixpys_config_is_merged_and_given_back(self, cube: VirtualBoard, kmodel: Path, install: Install) -> None:
        before = files_of(cube)["config.json"]
        install(1)
        report = deploy_onto(cube, kmodel, "maix_cube")
        assert "config.json there is not ours: kept as config_before_posenet.json" in report.notes
        values = json.loads(files_of(cube)["config.json"])
        assert values == {
            "lcd": {"rst": 37, **boards.find("maix_cube").maixpy_config["lcd"]},
            "board_info": {"KEY": 10},
        }
        assert deploy_onto(cube, kmodel, "maix_cube").nothing_to_do
        deploy.remove(DeployOptions(cube.port), silent, lambda done, total: None)
        assert files_of(cube)["config.json"] == before


def test_a_dry_run_tells_and_changes_nothing(board: VirtualBoard, kmodel: Path, install: Install) -> None:
    install(1)
    before = files_of(board)
    result = command("--port", board.port, "--board", "maix_bit", "--model", kmodel, "--dry-run")
    assert result.exit_code == 0, result
    assert "would write pose_app.py\n" in result.stdout
    assert "estimated" in result.stdout
    assert files_of(board) == before
    board.wait_for("mine")


def test_the_command_speaks_of_what_it_did(board: VirtualBoard, kmodel: Path, install: Install) -> None:
    install(1)
    arguments = ("--port", board.port, "--board", "maix_bit", "--model", kmodel)
    result = command(*arguments)
    assert result.exit_code == 0, result
    assert "8 files written, 0 removed" in result.stdout
    assert "program 0.1.0 on MaixPy" in result.stdout
    assert "kept as main_before_posenet.py" in " ".join(result.stderr.split())
    assert "nothing to do" in command(*arguments).stdout
    removed = command("--port", board.port, "--remove")
    assert "files removed" in removed.stdout
    assert "main.py is again what it was before" in " ".join(removed.stderr.split())
    assert "nothing to do" in command("--port", board.port, "--remove").stdout


def _report_an_error(text: str) -> None:
    """The tiny program says in place of HELLO what is wrong, as the real one does."""
    line = sentences.made("ERROR", 23, 1, text).decode().strip()
    (payload.FIRMWARE / "pose_app.py").write_text(f"def run(n):\n    print('{line}')\n    while True:\n        pass\n")


@pytest.mark.parametrize(("flashed", "words"), [(None, "no kmodel is"), (kmodels.kmodel(1), "something else")])
def test_a_kmodel_that_is_not_in_flash_is_told_and_what_the_program_says_to_that(
    flashed: bytes | None, words: str, kmodel: Path, install: Install
) -> None:
    install(1)
    _report_an_error("no kmodel here")
    with VirtualBoard(model=flashed) as board:
        report = deploy_onto(board, kmodel)
        assert report.warnings[0].startswith(words)
        assert "run `flash` with small.kmodel" in report.warnings[0]
        assert report.warnings[1].startswith("the program reports: no kmodel here (run `make flash`")


@pytest.mark.soak
@pytest.mark.parametrize(("flashed", "words"), [(None, "no kmodel"), (kmodels.kmodel(1), "is not the one")])
def test_the_real_program_without_its_kmodel(flashed: bytes | None, words: str, kmodel: Path) -> None:
    with VirtualBoard(model=flashed) as board:
        report = deploy_onto(board, kmodel)
        assert words in report.started.trouble.text
        assert len(report.warnings) == 2


def test_a_kmodel_in_a_file_is_found(kmodel: Path, install: Install) -> None:
    install(1)
    with VirtualBoard(files={"posenet.kmodel": kmodels.kmodel()}) as board:
        report = deploy_onto(board, kmodel)
        assert report.warnings == []
        assert "small.kmodel is /flash/posenet.kmodel, not in flash" in report.notes


def test_with_a_card_in_the_slot_a_warning_says_whose_main_py_starts(
    kmodel: Path, install: Install, tmp_path: Path
) -> None:
    install(1)
    (tmp_path / "main.py").write_text("print('from the card')\n")
    with VirtualBoard(model=kmodels.kmodel(), sd=tmp_path) as board:
        board.wait_for("from the card")
        report = deploy_onto(board, kmodel)
        assert "an SD card is in the slot" in report.warnings[0]
        assert "at MicroPython's prompt, its program does not run; its main.py does not start it" in report.warnings[1]
        assert (board.flash_folder / "pose_app.py").exists()
        assert (tmp_path / "main.py").read_text() == "print('from the card')\n"


def test_a_full_flash_is_seen_before_anything_is_written(kmodel: Path, install: Install) -> None:
    install(1)
    filler = bytes(3 * 2**20 - 12 * 4096)
    with VirtualBoard(model=kmodels.kmodel(), files={"main.py": "", "films.bin": filler}) as board:
        with pytest.raises(BoardError, match=r"films\.bin \(3024 KiB\)") as caught:
            deploy_onto(board, kmodel)
        assert "KiB free" in str(caught.value)
        assert set(files_of(board)) == {"main.py", "films.bin"}


def test_a_flash_that_fills_up_while_it_is_written_leaves_the_old_program(
    kmodel: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(1)
    monkeypatch.setattr(FlashFolder, "check_room", lambda *_: None)
    with VirtualBoard(files={"main.py": "print('old')\n", "films.bin": bytes(3 * 2**20 - 3 * 4096)}) as board:
        with pytest.raises(BoardError, match="is full or damaged") as caught:
            deploy_onto(board, kmodel)
        assert "\n" not in str(caught.value)
        board.reset()
        board.wait_for("old")
        (board.flash_folder / "films.bin").unlink()
        monkeypatch.undo()


def test_a_program_that_ends_is_an_error_with_its_last_line(
    board: VirtualBoard, kmodel: Path, install: Install
) -> None:
    install(1)
    (payload.FIRMWARE / "pose_part.py").write_text("VERSION = 5\n")
    with pytest.raises(BoardError, match=r"ValueError: main\.py is 1, pose_app is 1, pose_part is 5"):
        deploy_onto(board, kmodel)


def test_a_program_that_says_nothing_is_not_waited_for_for_ever(
    board: VirtualBoard, kmodel: Path, install: Install
) -> None:
    install(1)
    (payload.FIRMWARE / "pose_app.py").write_text("def run(n):\n    print('mute')\n    while True:\n        pass\n")
    with pytest.raises(HostToolError, match=r"did not report within 2 s: MaixPy has started.* the last line is 'mute'"):
        deploy_onto(board, kmodel, seconds=2)


def test_another_micropython_is_refused(kmodel: Path) -> None:
    other = "import sys\nclass Other:\n    def __getattr__(self, name): return 'rp2' if name == 'platform' else None\n"
    with VirtualBoard(files={"main.py": "", "boot.py": other + "sys.modules['sys'] = Other()\n"}) as rp2:
        rp2.wait_for(">>> ")
        with pytest.raises(BoardError, match="no MaixPy v1 and no CanMV") as caught:
            deploy_onto(rp2, kmodel)
        assert "rp2" in str(caught.value)


def test_a_maixpy_that_lacks_something_is_refused(kmodel: Path) -> None:
    source = "import KPU\ndel KPU.get_output\n"
    with VirtualBoard(files={"main.py": source}) as board:
        board.wait_for(">>> ")
        with pytest.raises(BoardError, match=r"v0\.6\.3.* lacks get_output.* flash a newer MaixPy"):
            deploy_onto(board, kmodel)


def _without_card(folder: Path) -> None:
    (folder / "small.kmodel.json").unlink()


def _another_model(folder: Path) -> None:
    (folder / "small.kmodel").write_bytes(kmodels.kmodel(1))


def _version_5(folder: Path) -> None:
    path, data = folder / "small.kmodel", struct.pack("<2I", 0x4B4D444C, 5)
    path.write_bytes(data)
    values = json.loads(card.path_beside(path).read_text())
    card.path_beside(path).write_text(json.dumps({**values, "kmodel": card.kmodel_entry(path.name, data)}))


@pytest.mark.parametrize(
    ("change", "options", "expected"),
    [
        (None, {"--board": None}, "name your board with --board: m5stickv, maix_amigo_ips"),
        (None, {"--board": "maix_moon"}, "there is no board 'maix_moon'; known are"),
        (None, {"--model": "none.kmodel"}, "no such kmodel; make one with `make kmodel`"),
        (None, {"--model": None}, "no kmodel here; make one with `make kmodel`"),
        (None, {"--port": "/dev/ttyNONE9"}, "there is no such port"),
        (None, {"--sd": "/nowhere/card"}, "no such folder; name the one under which the SD card is mounted"),
        (_without_card, {}, "no model card"),
        (_another_model, {}, "keep the two together"),
        (_version_5, {}, "is a kmodel V5; the program runs V3"),
    ],
)
def test_wrong_use_is_one_clear_line(
    change: Callable[[Path], None] | None, options: dict, expected: str, kmodel: Path, tmp_path: Path
) -> None:
    for file in (kmodel, card.path_beside(kmodel)):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    if change:
        change(tmp_path)
    given = {"--board": "maix_bit", "--model": tmp_path / kmodel.name, "--port": "/dev/ttyNONE9", **options}
    arguments = [part for name, value in given.items() if value is not None for part in (name, value)]
    assert expected in one_error_line(command(*arguments))


def test_the_program_of_the_tests_is_one_that_deploy_knows(install: Install) -> None:
    install(2)
    assert set(payload.program()) == set(tiny.program(2))
