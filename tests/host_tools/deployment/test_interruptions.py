"""A cable that is pulled, or power that goes, at any moment: the board starts the old program or the new one."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conversion.progress import silent
from host_tools.deployment import changes, deploy, on_board
from host_tools.deployment.changes import FINISH, LIST, NEW
from host_tools.deployment.deploy import DeployOptions
from host_tools.errors import HostToolError
from host_tools.payload import MAIN, WRITTEN_BY_PROGRAM
from host_tools.prompt import repl
from tests.host_tools.deployment import tiny
from tests.host_tools.deployment.conftest import Install
from tests.host_tools.virtual_board import kmodels
from tests.jumping import VirtualBoard
from tests.patience import until
from tests.samples import sample

Files = dict[str, bytes]
OWN_MAIN = b"print('program 0 runs')\n"


def files_of(board: VirtualBoard) -> Files:
    """What lies in /flash, but for what the program counts its starts in."""
    there = (path for path in board.flash_folder.iterdir() if path.name not in WRITTEN_BY_PROGRAM)
    return {path.name: path.read_bytes() for path in there}


def board_with(files: Files) -> VirtualBoard:
    return VirtualBoard(model=kmodels.kmodel(), files=files)


def deploy_onto(board: VirtualBoard, kmodel: Path) -> deploy.Report:
    return deploy.run(DeployOptions(board.port, "maix_bit", kmodel), silent, lambda done, total: None)


@dataclass
class Cable:
    """Counts what is asked of the prompt, and pulls the plug at one of these steps, or within it."""

    board: VirtualBoard
    pull_at: Callable[[int, str], bool]
    steps: list[str] = field(default_factory=list)
    left: Files | None = None

    def step(self, what: str) -> None:
        self.steps.append(what)
        if self.left is None and self.pull_at(len(self.steps), what):
            self.left = files_of(self.board)
            self.board.close()


@pytest.fixture
def attach(monkeypatch: pytest.MonkeyPatch) -> Callable[[VirtualBoard, Callable[[int, str], bool]], Cable]:
    """Puts a cable between the prompts that are opened from now on and a board."""
    execute, put, restart = repl.Prompt.execute, repl.Prompt.put, repl.Prompt.restart

    def attached(board: VirtualBoard, pull_at: Callable[[int, str], bool]) -> Cable:
        cable = Cable(board, pull_at)

        def step_execute(prompt: repl.Prompt, source: str, **more: object) -> str:
            cable.step(source.splitlines()[0][:60])
            return execute(prompt, source, **more)

        def step_put(prompt: repl.Prompt, path: str, data: bytes, progress: Callable | None = None) -> None:
            cable.step(f"put {path}")
            put(prompt, path, data, lambda size: cable.step(f"within {path}") or (progress and progress(size)))

        def step_restart(prompt: repl.Prompt) -> None:
            cable.step("restart")
            restart(prompt)

        monkeypatch.setattr(repl.Prompt, "execute", step_execute)
        monkeypatch.setattr(repl.Prompt, "put", step_put)
        monkeypatch.setattr(repl.Prompt, "restart", step_restart)
        return cable

    return attached


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory, kmodel: Path) -> tuple[Files, Files]:
    """The files of a board with version 1, and after its update to version 2."""
    folder, made = tmp_path_factory.mktemp("versions"), [{}]
    with pytest.MonkeyPatch.context() as patch:
        for version in (1, 2):
            (folder / str(version)).mkdir()
            for name, text in tiny.program(version).items():
                (folder / str(version) / name).write_text(text)
            patch.setattr("host_tools.payload.FIRMWARE", folder / str(version))
            made.append(_deployed(made[-1], kmodel))
    return made[1], made[2]


@pytest.fixture
def version_1(versions: tuple[Files, Files]) -> Files:
    """The files of a board with version 1."""
    return versions[0]


@pytest.fixture
def committed(versions: tuple[Files, Files]) -> Files:
    """A board at the moment at which finish.py becomes main.py: all old files, all new ones beside them."""
    old, new = versions
    # Until the old files are removed the list still names them.
    new = {**new, LIST: json.dumps({**json.loads(new[LIST]), "former": ["pose_old.py"]}).encode()}
    differing = {name + NEW: data for name, data in new.items() if old.get(name) != data}
    return {**old, **differing, MAIN: on_board.source("finish").encode()}


def _deployed(files: Files, kmodel: Path) -> Files:
    with board_with(files) as board:
        deploy_onto(board, kmodel)
        return files_of(board)


def _check_what_is_left(left: Files, kmodel: Path, may_run: str) -> None:
    """It starts one of these programs; the next deploy makes it version 2; nothing of the first one is left over."""
    with board_with(left) as board:
        assert board.wait_for(re.compile(r"program (\d) runs"))[1] in may_run
        report = deploy_onto(board, kmodel)
        assert report.started.hello.firmware == "0.2.0"
        after = files_of(board)
    assert not [name for name in after if name.endswith(NEW)]
    assert after["pose_part.py"] == b"VERSION = 2\n"
    assert "pose_old.py" not in after


# Some moments; the soak test takes every one.
STEPS = {
    "a file is half there": "within /flash/pose_app.py.new",
    "all is checked": "finish(",
    "exchanged, old files not yet removed": "remove(['pose_old.py'])",
    "the list is not yet final": f"put /flash/{LIST}",
}


@pytest.mark.parametrize("moment", sample(STEPS, 0, 2))
def test_an_update_that_is_cut_off_leaves_a_board_that_starts(
    moment: str, install: Install, kmodel: Path, version_1: Files, attach: Callable
) -> None:
    install(2)
    with board_with(version_1) as board:
        board.wait_for("program 1 runs")
        # The list is also put first among the new files; what is meant is the second time.
        wanted, times = STEPS[moment], 2 if "final" in moment else 1
        seen: list[str] = []

        def pull_at(number: int, what: str) -> bool:
            seen.append(what)
            return sum(wanted in each for each in seen) == times

        cable = attach(board, pull_at)
        with pytest.raises(HostToolError) as caught:
            deploy_onto(board, kmodel)
        assert cable.left is not None, cable.steps
        assert "\n" not in str(caught.value)
        assert board.port in str(caught.value)
    before = list(STEPS).index(moment) < list(STEPS).index("exchanged, old files not yet removed")
    _check_what_is_left(cable.left, kmodel, "1" if before else "2")


@pytest.mark.soak
def test_an_update_that_is_cut_off_at_any_step(
    install: Install, kmodel: Path, version_1: Files, attach: Callable
) -> None:
    install(2)
    number, done = 0, False
    while not done:
        number += 1
        with board_with(version_1) as board:
            cable = attach(board, lambda at, what, number=number: at == number)
            with contextlib.suppress(HostToolError):
                deploy_onto(board, kmodel)
                done = cable.left is None
        if not done:
            attach(board, lambda at, what: False)
            _check_what_is_left(cable.left, kmodel, "12")
    assert number > 20


@pytest.mark.parametrize(
    "moment",
    sample(["finish(", "copy('main.py', 'main_before", "put /flash/pose_part.py.new"], 0),
)
def test_a_first_deploy_that_is_cut_off_loses_nobodys_main_py(
    moment: str, install: Install, kmodel: Path, attach: Callable
) -> None:
    before = {MAIN: OWN_MAIN, "notes.txt": b"x"}
    install(2)
    with board_with(before) as board:
        cable = attach(board, lambda number, what: moment in what)
        with pytest.raises(HostToolError):
            deploy_onto(board, kmodel)
    assert cable.left[MAIN] == OWN_MAIN
    _check_what_is_left(cable.left, kmodel, "0")
    with board_with(_deployed(cable.left, kmodel)) as board:
        deploy.remove(DeployOptions(board.port), silent, lambda done, total: None)
        assert files_of(board) == before


def _exchange(files: Files, count: int, within: bool) -> Files:
    """The files after so many exchanges, or within the next one, where a rename removes the old file first."""
    names = [name for name in sorted(files) if name.endswith(NEW)]
    names.sort(key=lambda name: (name == MAIN + NEW, name == LIST + NEW))
    left = dict(files)
    for name in names[:count]:
        left[name.removesuffix(NEW)] = left.pop(name)
    if within:
        left.pop(names[count].removesuffix(NEW), None)
    return left


@pytest.mark.parametrize(("count", "within"), [(0, False), (0, True), (2, True), (3, True), (4, False)])
def test_power_that_goes_between_two_renames_is_made_good_at_the_next_start(
    count: int, within: bool, committed: Files
) -> None:
    left = _exchange(committed, count, within)
    assert (MAIN + NEW in left) == (count < 5)
    with board_with(left) as board:
        board.wait_for("program 2 runs")
        assert not [name for name in files_of(board) if name.endswith(NEW)]
        # The chip was reset once by finish.py; there is no loop of resets.
        assert board.output().count("kpu:freq") == 2


def test_the_same_while_deploy_is_asked_before_the_board_could_finish(
    committed: Files, install: Install, kmodel: Path
) -> None:
    install(2)
    with board_with(_exchange(committed, 2, False)) as board:
        board.wait_for("init end")
        board.send(b"\x03")
        board.wait_for(">>> ")
        told: list[str] = []
        report = deploy.run(DeployOptions(board.port, "maix_bit", kmodel), told.append, lambda done, total: None)
        assert any("broken off" in message for message in told)
        assert report.started.hello.firmware == "0.2.0"
        assert files_of(board)["pose_part.py"] == b"VERSION = 2\n"


@pytest.mark.parametrize("last", [False, True])
def test_while_main_py_itself_is_exchanged_maixpys_demo_starts_and_the_next_deploy_mends_that(
    last: bool, committed: Files, install: Install, kmodel: Path
) -> None:
    """The one gap, if a rename on SPIFFS removes the old file before it renames the new one."""
    install(2)
    if last:
        left = _exchange(committed, 4, within=False)
        del left[MAIN]
        assert MAIN + NEW in left
    else:
        left = {**committed, FINISH: committed[MAIN]}
        del left[MAIN]
    with board_with(left) as board:
        board.wait_for(">>> ")
        assert deploy_onto(board, kmodel).started.hello.firmware == "0.2.0"
        after = files_of(board)
    assert not [name for name in after if name.endswith(NEW)]
    assert "pose_old.py" not in after


def test_without_the_new_main_py_finish_says_so_and_does_not_reset_for_ever(
    committed: Files, install: Install, kmodel: Path
) -> None:
    install(2)
    left = {name: data for name, data in committed.items() if name != MAIN + NEW}
    with board_with(left) as board:
        board.wait_for("run `deploy` again")
        board.wait_for(">>> ")
        assert deploy_onto(board, kmodel).started.hello.firmware == "0.2.0"


def test_a_file_that_arrives_damaged_is_sent_again(
    install: Install, kmodel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(2)
    put, damaged = repl.Prompt.put, []

    def once(prompt: repl.Prompt, path: str, data: bytes, progress: object = None) -> None:
        bad = path.endswith("pose_part.py.new") and not damaged
        damaged.extend([path] * bad)
        put(prompt, path, data.replace(b"2", b"3") if bad else data, progress)

    monkeypatch.setattr(repl.Prompt, "put", once)
    with board_with({}) as board:
        told: list[str] = []
        deploy.run(DeployOptions(board.port, "maix_bit", kmodel), told.append, lambda done, total: None)
        assert "pose_part.py.new arrived damaged: once more" in told
        assert files_of(board)["pose_part.py"] == b"VERSION = 2\n"


def test_a_file_that_always_arrives_damaged_exchanges_nothing(
    install: Install, kmodel: Path, version_1: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(2)
    put = repl.Prompt.put

    def always(prompt: repl.Prompt, path: str, data: bytes, progress: object = None) -> None:
        put(prompt, path, data[:-1] if "pose_part" in path else data, progress)

    monkeypatch.setattr(repl.Prompt, "put", always)
    with board_with(version_1) as board:
        with pytest.raises(HostToolError, match="nothing was exchanged"):
            deploy_onto(board, kmodel)
        board.reset()
        board.wait_for("program 1 runs")


def test_ctrl_c_on_the_command_ends_it_with_one_word_and_the_board_starts(kmodel: Path) -> None:
    with board_with({MAIN: OWN_MAIN}) as board:
        arguments = ("--port", board.port, "--board", "maix_bit", "--model", str(kmodel))
        command = [sys.executable, "-m", "host_tools", "deploy", *arguments]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            said = ""
            while "writing" not in said:
                said += process.stderr.readline()
            until(lambda: "pose_app.py" + NEW in files_of(board))
            process.send_signal(signal.SIGINT)
            with board.clock.host_waits():
                said += process.stderr.read()
        assert process.returncode == 130
        assert "old files or the new ones" in " ".join(said.split())
        assert "Traceback" not in said
        assert files_of(board)[MAIN] == OWN_MAIN
        assert "pose_app.py" + NEW in files_of(board)
        board.reset()
        board.wait_for("program 0 runs")


def test_the_list_is_a_name_that_finish_knows() -> None:
    source = on_board.source("finish")
    assert source.encode().startswith(b"# posenet-maix: finishes a deploy")
    for value in (changes.LIST, changes.NEW, MAIN):
        assert f'"{value}"' in source
