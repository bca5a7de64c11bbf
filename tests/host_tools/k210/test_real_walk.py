"""The maker's way on the vendor's own firmware: flash, deploy, monitor, web, verify, remove, with the very commands.

`make soak` walks it from a blank chip, on every image, and on one from a board with an older program. Of all this
`make test` has the parts that need no line in real time (test_real_deploying.py, test_real_frames.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from conversion import firmware_image
from host_tools import boards, cli
from host_tools.k210 import Machine
from host_tools.serial_link import link_note
from host_tools.virtual_board import Hardware
from host_tools.virtual_board.emulation import EmulationOptions
from tests.command_line import Ended, invoke
from tests.host_tools import test_walk
from tests.host_tools.k210 import states
from tests.host_tools.k210.images import IMAGES, image
from tests.host_tools.k210.on_line import HostsPace, OnLine
from tests.host_tools.monitor import running
from tests.host_tools.monitor.web import clients
from tests.host_tools.verification import small
from tests.jumping import VirtualBoard

FRAMES = 3
OLD_FILES = {"pose_note.py": b"# of an earlier version\n", "pose_wire.py": b"# of an earlier version\n"}


@pytest.fixture
def kmodel(tmp_path: Path) -> Path:
    return states.kmodel_files(tmp_path)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    small.scene().save(path)
    return path


def done(board: OnLine, command: str, *arguments: object) -> Ended:
    """A command that must succeed."""
    with the_time_it_takes(board.pace, command):
        ended = invoke(cli.main, [command, "--port", board.port, *arguments])
    assert ended.exit_code == 0, ended
    return ended


def the_time_it_takes(pace: HostsPace, command: str) -> AbstractContextManager[None]:
    """Only verify talks to a program that takes a silent host for gone; the others also just listen."""
    return nullcontext() if command == "verify" else pace.host_waits()


def the_page_shows(process: running.subprocess.Popen[str]) -> None:
    """The page is there, and tells of frames to whoever is connected as it is."""
    line = next(line for line in process.stderr if "the page is at" in line)
    served = SimpleNamespace(address=re.search(r"http://\S+", line)[0])
    status, _, text = clients.get(served, "/")
    assert (status, "<title>" in text) == (200, True)

    async def conversation(client: clients.Client) -> None:
        frame = await client.next("frame")
        assert frame["poses"]

    clients.talk(served, conversation)


def machine_with_an_older_program(name: str) -> Machine:
    machine = states.deployed(name, OLD_FILES)
    machine.power_on()
    return machine


@pytest.mark.soak
def test_deploy_monitor_web_verify_and_remove_on_a_real_image(kmodel: Path, photo: Path) -> None:
    with OnLine(machine_with_an_older_program("minimum")) as board:
        deployed = done(board, "deploy", "--board", states.BOARD, "--model", kmodel)
        assert "MaixPy v0.6.2-84" in deployed.stdout + deployed.stderr
        assert "1 file written" in deployed.stdout, deployed

        lines = done(board, "monitor", "--json", "--frames", FRAMES).stdout.splitlines()
        assert {json.loads(line)["board"] for line in lines} == {states.BOARD}
        assert len(lines) == FRAMES
        with board.pace.host_waits(), running.started("--port", board.port, "--web", 0) as process:
            the_page_shows(process)

        assert "VERIFIED" in done(board, "verify", "--model", kmodel, "--frames", FRAMES).stdout
        assert "VERIFIED" in done(board, "verify", "--model", kmodel, "--image", photo).stdout

        assert "removed" in done(board, "deploy", "--board", states.BOARD, "--remove").stdout


class RealWalk(test_walk.QuickWalk):
    """A blank board that runs whatever is flashed onto it."""

    # Three seconds of processor for one of the board's, where MaixPy waits under FreeRTOS.
    hang_seconds = states.REAL_SECONDS

    def __init__(self, folder: Path, kmodel: Path, photo: Path, firmware: bytes) -> None:
        self._firmware = firmware
        super().__init__(folder, kmodel, photo)
        self.firmware.write_bytes(firmware)

    def _switch_on(self) -> None:
        hardware = Hardware.of(boards.find(states.BOARD))
        self._board = VirtualBoard(
            flash=b"", board=hardware, camera=self.photo, link=self.port, emulate=EmulationOptions()
        )
        link_note.write(self.port, link_note.LinkNote(states.BOARD, "the vendor's firmware"))

    def type(self, command: str, *arguments: object, patience: int | None = None) -> tuple[int, str, str]:
        """The same, with the time that it takes: verify alone talks to a program that takes a silent host for gone."""
        waits = patience or command != "verify"
        with self._board.clock.host_waits() if waits else nullcontext():
            return test_walk.Walk.type(self, command, *arguments, patience=patience)


@pytest.fixture(params=IMAGES)
def real_walk(request: pytest.FixtureRequest, tmp_path: Path, kmodel: Path, photo: Path) -> Iterator[RealWalk]:
    yield from test_walk.walk(RealWalk(tmp_path, kmodel, photo, image(request.param)))


@pytest.mark.soak
def test_from_a_blank_chip_to_a_verified_program_and_off_again(real_walk: RealWalk) -> None:
    assert not firmware_image.recognise(real_walk.firmware.read_bytes()).test_image
    frames = test_walk.go(real_walk)
    assert all(frame["poses"] for frame in frames)
    real_walk.done("deploy", "--board", states.BOARD, "--remove")
    code, _, error = real_walk.type("monitor", "--json", "--frames", 1, "--seconds", 10, patience=1)
    assert code == 2
    assert "deploy" in error
