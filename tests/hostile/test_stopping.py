"""Ctrl-C and SIGTERM end every command, whatever it does then, and before it has begun."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conversion import cli as conversion_cli
from host_tools import cli as host_cli
from tests.hostile import limited, sound
from tests.hostile.test_boards import END_SECONDS

STALLING = Path(__file__).with_name("stalling")
MODEL = ("--model", sound.KMODEL)
# Each command, and the file that it stands still at.
COMMANDS: dict[tuple[str, str], tuple[tuple[str, ...], str]] = {
    ("conversion", "kmodel"): (("--weights", "given"), "given"),
    ("conversion", "simulate"): ((sound.KMODEL, "given"), "given"),
    ("conversion", "evaluate"): (("float", "--coco", "given", "--images", "."), "given"),
    ("conversion", "inspect"): (("given",), "given"),
    ("host_tools", "board"): (MODEL, sound.KMODEL),
    ("host_tools", "demo"): (MODEL, sound.KMODEL),
    ("host_tools", "deploy"): (("--board", "maix_bit", "--sd", ".", *MODEL), sound.KMODEL),
    ("host_tools", "flash"): (("--board", "maix_bit", "--package", "given"), "given"),
    ("host_tools", "fps"): (("--firmware", "given", *MODEL), "given"),
    ("host_tools", "kfpkg"): (("--board", "maix_bit", *MODEL), sound.KMODEL),
    ("host_tools", "monitor"): (("--replay", "given"), "given"),
    ("host_tools", "release"): (("--board", "maix_bit", *MODEL), sound.KMODEL),
    ("host_tools", "verify"): (("--port", "given", *MODEL), sound.KMODEL),
    ("host_tools", "profile"): (("--port", "given", *MODEL), sound.KMODEL),
    ("host_tools", "boards"): ((), "maix_bit.toml"),
    ("host_tools", "erase"): (("--board", "maix_bit", "--port", "given"), "maix_bit.toml"),
}
# These read no file: ports are listed by the system, and a port that is waited for is test_boards.py's.
WITHOUT_FILES = {("host_tools", "ports"), ("host_tools", "config"), ("host_tools", "doctor")}
# What a run of all tests tries; a soak tries every command in every way.
SAMPLE = (
    (("conversion", "inspect"), "native", signal.SIGTERM),
    (("host_tools", "kfpkg"), "python", signal.SIGINT),
)


def test_every_command_is_here() -> None:
    groups = {"conversion": conversion_cli.main, "host_tools": host_cli.main}
    assert {(group, name) for group, commands in groups.items() for name in commands.commands} == {
        *COMMANDS,
        *WITHOUT_FILES,
    }


@contextlib.contextmanager
def started(command: tuple[str, str], way: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    options, place = COMMANDS[command]
    sound.kmodel_in(folder)
    (folder / "given").write_bytes(b"x")
    environment = limited.environment()
    environment["PYTHONPATH"] = os.pathsep.join((str(STALLING), environment["PYTHONPATH"]))
    environment |= {"STALL_AT": place, "STALL_IN": way}
    process = subprocess.Popen(
        [sys.executable, "-m", *command, *options], cwd=folder, env=environment, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def stopped(command: tuple[str, str], way: str, how: signal.Signals, folder: Path) -> None:
    with started(command, way, folder) as process:
        before, said = files_in(folder), b""
        while b"stalled" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        process.send_signal(how)
        _, rest = process.communicate(timeout=END_SECONDS)
    assert process.returncode in (limited.STOPPED, 128 + how, -signal.SIGINT), said + rest
    assert b"Traceback" not in said + rest
    # What that leaves behind may be said with it.
    assert process.returncode == -signal.SIGINT or re.search(rb"stopped(: [^\n]+)?\n\Z", rest), rest
    assert files_in(folder) == before


@pytest.mark.parametrize(("command", "way", "how"), SAMPLE)
def test_a_command_ends_when_told_to(command: tuple[str, str], way: str, how: signal.Signals, tmp_path: Path) -> None:
    stopped(command, way, how, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("way", ["python", "native"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_ends_when_told_to(
    command: tuple[str, str], way: str, how: signal.Signals, tmp_path: Path
) -> None:
    stopped(command, way, how, tmp_path)


@pytest.mark.parametrize("group", ["conversion", "host_tools"])
def test_ctrl_c_before_a_command_has_begun_shows_no_traceback(group: str, tmp_path: Path) -> None:
    """The first package that takes long to import is pressed upon."""
    (tmp_path / "rich_click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    environment = {**limited.environment(), "PYTHONPATH": os.pathsep.join((str(tmp_path), str(limited.ROOT)))}
    command = [sys.executable, "-m", group, "--help"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=limited.WALL_SECONDS)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")
