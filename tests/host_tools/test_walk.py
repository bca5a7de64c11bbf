"""From a blank board to verified poses, with what a maker types: flash, deploy, monitor, verify, remove."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from PIL import Image

from conversion import firmware_image, photos
from host_tools import boards, time_limits
from host_tools.serial_link import link_note
from host_tools.virtual_board import Hardware
from tests.host_tools.verification import small
from tests.jumping import VirtualBoard
from tests.pages import samples
from tests.patience import HANG_SECONDS

# What stands for a MaixPy: the virtual board brings its own, but boots only where one was written.
FIRMWARE = firmware_image.make_test_image(bytes(150_000))
FRAMES = 3


class Walk:
    """A folder with what a maker has, and a blank board on the desk."""

    # A command that takes longer has stopped.
    hang_seconds = HANG_SECONDS

    def __init__(self, folder: Path, kmodel: Path, photo: Path) -> None:
        self.folder, self.kmodel, self.photo = folder, kmodel, photo
        self.port = folder / "board"
        self.firmware = folder / "maixpy_minimum.bin"
        self.firmware.write_bytes(FIRMWARE)
        self.said: list[str] = []
        self._switch_on()

    def _switch_on(self) -> None:
        self._board = self._start("board", "--blank", "--link", self.port, "--camera", self.photo)
        assert str(self.port) in self._board.stdout.readline()

    def _start(self, *arguments: object) -> subprocess.Popen:
        command = [sys.executable, "-m", "host_tools", *map(str, arguments)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def type(self, command: str, *arguments: object, patience: int | None = None) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of a command on the board's port; `said` keeps all lines.

        `patience`, the factor on time limits, is for a command one of whose limits must run out.
        """
        port = () if command == "release" else ("--port", self.port)
        with pytest.MonkeyPatch.context() as patch:
            if patience is not None:
                patch.setenv(time_limits.PATIENCE, str(patience))
            process = self._start(command, *port, *arguments)
        stdout, stderr = process.communicate(timeout=self.hang_seconds)
        self.said += (stdout + stderr).splitlines()
        return process.returncode, stdout, stderr

    def done(self, command: str, *arguments: object) -> str:
        """The same for a command that must succeed: what it printed as its result."""
        code, stdout, stderr = self.type(command, *arguments)
        assert code == 0, stdout + stderr
        assert "Traceback" not in stderr
        return stdout

    def replayed(self, record: Path) -> str:
        """What the monitor prints of a recording."""
        process = self._start("monitor", "--replay", record, "--speed", 0, "--json")
        stdout, stderr = process.communicate(timeout=self.hang_seconds)
        assert process.returncode == 0, stderr
        return stdout

    def close(self) -> None:
        """Switch the board off."""
        self._board.terminate()
        _, talk = self._board.communicate(timeout=self.hang_seconds)
        assert self._board.returncode == 0, talk
        assert not self.port.exists()


class QuickWalk(Walk):
    """The same with a board in this process, whose time jumps."""

    def _switch_on(self) -> None:
        hardware = Hardware.of(boards.find("maix_bit"))
        self._board = VirtualBoard(flash=b"", board=hardware, camera=self.photo, link=self.port)
        link_note.write(self.port, link_note.LinkNote("maix_bit", "a stand-in"))

    def type(self, command: str, *arguments: object, patience: int | None = None) -> tuple[int, str, str]:
        """The same; the monitor only listens."""
        with self._board.clock.host_waits() if command == "monitor" else nullcontext():
            return super().type(command, *arguments, patience=patience)

    def close(self) -> None:
        """Switch the board off."""
        self._board.close()
        assert not self.port.exists()


def walk(a_walk: Walk) -> Iterator[Walk]:
    try:
        yield a_walk
    finally:
        a_walk.close()


@pytest.fixture
def small_walk(tmp_path: Path) -> Iterator[Walk]:
    """With a network of few channels, which computes frames in milliseconds."""
    photo = tmp_path / "photo.png"
    small.scene().save(photo)
    yield from walk(QuickWalk(tmp_path, small.write(tmp_path / "small.kmodel"), photo))


@pytest.fixture
def real_walk(tmp_path: Path, tfjs_graph_dir: Path) -> Iterator[Walk]:
    """With PoseNet for whole camera frames, made as by default, and a person before the camera."""
    photo = tmp_path / "photo.png"
    photos.bundled(photos.SAMPLE).save(photo)
    command = ["kmodel", "--weights", str(tfjs_graph_dir), "--output", str(tmp_path / "build")]
    subprocess.run([sys.executable, "-m", "conversion", *command], check=True, timeout=1200)
    yield from walk(Walk(tmp_path, next((tmp_path / "build").glob("*.kmodel")), photo))


def go(a_walk: Walk) -> list[dict]:
    """All of it; the frames that the monitor saw."""
    a_walk.done("flash", "--board", "maix_bit", "--model", a_walk.kmodel, "--dry-run")
    flashed = a_walk.done("flash", "--board", "maix_bit", "--model", a_walk.kmodel, "--firmware", a_walk.firmware)
    assert flashed.count("written, read back, equal") == 2

    # MaixPy runs, but nothing of ours: each tool says what is missing.
    code, _, error = a_walk.type("verify", "--model", a_walk.kmodel, patience=1)
    assert code == 2, error
    assert "deploy" in error

    deployed = a_walk.done("deploy", "--board", "maix_bit", "--model", a_walk.kmodel)
    assert "files written" in deployed
    assert "nothing to do" in a_walk.done("deploy", "--board", "maix_bit", "--model", a_walk.kmodel)

    record, picture = a_walk.folder / "record.jsonl", a_walk.folder / "poses.png"
    lines = a_walk.done("monitor", "--json", "--frames", FRAMES, "--record", record, "--snapshot", picture)
    frames = [json.loads(line) for line in lines.splitlines()]
    assert [len(frames), {frame["board"] for frame in frames}] == [FRAMES, {"maix_bit"}]
    assert a_walk.replayed(record) == lines
    assert Image.open(picture).format == "PNG"

    assert "VERIFIED" in a_walk.done("verify", "--model", a_walk.kmodel, "--frames", FRAMES)
    assert "VERIFIED" in a_walk.done("verify", "--model", a_walk.kmodel, "--image", a_walk.photo)
    a_walk.done("release", "--board", "maix_cube", "--model", a_walk.kmodel, "--output", a_walk.folder / "dist")
    return frames


def not_said(a_walk: Walk, exact: bool) -> dict[str, list[str]]:
    """What the pages show of all this, and the walk has not seen, by page."""
    missing: dict[str, list[str]] = {}
    # The small network's picture is another one than the LCD's.
    said = a_walk.said if exact else [re.sub(", \\d+ of it for the picture.*", "", line) for line in a_walk.said]
    for sample in samples.walked():
        missing.setdefault(sample.place, []).extend(samples.different(sample, said, a_walk.port, exact))
    return {place: lines for place, lines in missing.items() if lines}


def test_from_a_blank_board_to_verified_poses(small_walk: Walk) -> None:
    go(small_walk)
    assert not_said(small_walk, exact=False) == {}

    small_walk.done("deploy", "--board", "maix_bit", "--remove")
    code, _, error = small_walk.type("monitor", "--json", "--frames", 1, "--seconds", 10, patience=1)
    assert code == 2
    assert "deploy" in error


@pytest.mark.soak
def test_the_same_with_the_real_network(real_walk: Walk) -> None:
    began = time.monotonic()

    frames = go(real_walk)

    assert all(frame["poses"] for frame in frames)
    assert not_said(real_walk, exact=True) == {}
    print(f"{time.monotonic() - began:.0f} s")
