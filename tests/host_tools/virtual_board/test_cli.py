"""`python -m host_tools board`: starts, says where, stays on, and goes without a trace."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from PIL import Image

from host_tools import cli
from tests.command_line import invoke
from tests.host_tools.virtual_board import kmodels
from tests.patience import HANG_SECONDS, until


@pytest.fixture
def kmodel(tmp_path: Path) -> Path:
    path = tmp_path / "small.kmodel"
    path.write_bytes(kmodels.kmodel())
    (tmp_path / "small.kmodel.json").write_text(json.dumps(kmodels.model_card()))
    return path


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "host_tools", "board", *map(str, arguments)]


@pytest.fixture
def running(kmodel: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (320, 240), "teal").save(photo)
    arguments = ("--model", kmodel, "--camera", photo, "--link", tmp_path / "port", "--lcd", tmp_path / "lcd.png")
    with subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as host:
        yield host
        host.kill()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_the_firmware_until_it_is_told_to_end(
    running: subprocess.Popen[str], tmp_path: Path, ending: signal.Signals
) -> None:
    link, lcd = tmp_path / "port", tmp_path / "lcd.png"
    match = re.fullmatch(rf"{link} -> (/dev/pts/\d+)\n", running.stdout.readline())
    with serial.Serial(str(link), 115200, timeout=1) as client:
        heard = bytearray()
        until(lambda: heard.extend(client.read(4096)) or (b"$FRAME," in heard and lcd.exists()))
    assert b"$FRAME," in heard
    with Image.open(lcd) as picture:
        assert picture.size == (320, 240)
    assert os.readlink(link) == match[1]
    children = [
        child for path in Path(f"/proc/{running.pid}/task").glob("*/children") for child in path.read_text().split()
    ]
    assert len(children) == 1
    running.send_signal(ending)
    assert running.wait(HANG_SECONDS) == 0
    assert not link.is_symlink()
    assert not Path("/proc", children[0]).exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--board", "maix_none"), "there is no board 'maix_none'; known are: "),
        (("--model", "none.kmodel"), "none.kmodel: no such kmodel; make one with `make kmodel`"),
        (("--fault", "flood=1"), "fault flood=1: no such fault; there are drop, "),
        (("--camera", "none.png"), "none.png: no such photo or folder"),
        (("--camera", "film.mp4"), "film.mp4: videos are not read"),
        (("--sd", "none"), "none: no such folder to be the SD card"),
        ((), "build: no kmodel here; make one with `make kmodel`, or name one with --model"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_code_2(
    kmodel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    model = () if not arguments or arguments[0] == "--model" else ("--model", str(kmodel))
    ended = invoke(cli.main, ["board", *model, *arguments])
    assert ended.exit_code == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith(f"error: {said}")
    assert ended.stderr.count("\n") == 1


def test_it_needs_neither_tensorflow_nor_nncase_nor_scikit_image() -> None:
    blocked = ("tensorflow", "nncase", "keras", "skimage")
    code = f"import sys; sys.modules.update(dict.fromkeys({blocked!r}))\n"
    code += "from host_tools.virtual_board import session\nfrom host_tools.errors import BoardError\n"
    code += "try: session._scene(None)\nexcept BoardError as error: print(error)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=HANG_SECONDS)
    assert ended.stdout == "the sample photo comes with scikit-image, which is not here; name a photo with --camera\n"
