"""Real mpremote against the virtual board: what makers use to put files on a board."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jumping import VirtualBoard
from tests.patience import HANG_SECONDS

TICKING = "import utime\nn = 0\nwhile True:\n    n += 1\n    print('tick', n)\n    utime.sleep_ms(100)\n"


@pytest.fixture(scope="module")
def board() -> Iterator[VirtualBoard]:
    """A board whose program runs on and on."""
    with VirtualBoard(files={"main.py": TICKING}) as started:
        started.wait_for("tick 2")
        yield started


def mpremote(board: VirtualBoard, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mpremote", "connect", board.port, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=HANG_SECONDS)


def done(board: VirtualBoard, *arguments: str) -> str:
    """What mpremote prints of a command that goes well."""
    ended = mpremote(board, *arguments)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def test_it_lists_files(board: VirtualBoard) -> None:
    assert done(board, "fs", "ls", ":/flash").split("\n") == ["ls :/flash", f"{len(TICKING):12} main.py", ""]


def test_it_copies_files_both_ways(board: VirtualBoard, tmp_path: Path) -> None:
    data = bytes(range(256)) * 20 + b"\x04\x03\x01"
    (tmp_path / "there.bin").write_bytes(data)
    done(board, "fs", "cp", "-f", str(tmp_path / "there.bin"), ":/flash/copy.bin")
    assert (board.flash_folder / "copy.bin").read_bytes() == data
    done(board, "fs", "cp", ":/flash/copy.bin", str(tmp_path / "back.bin"))
    assert (tmp_path / "back.bin").read_bytes() == data
    done(board, "fs", "rm", ":/flash/copy.bin")
    assert not (board.flash_folder / "copy.bin").exists()


def test_it_runs_programs(board: VirtualBoard, tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text("import os\nprint('hello from', os.uname().sysname)\n")
    assert done(board, "run", str(tmp_path / "hello.py")) == "hello from MaixPy\n"
    assert done(board, "eval", "6 * 7") == "42\n"


def test_it_shows_tracebacks(board: VirtualBoard) -> None:
    ended = mpremote(board, "exec", "1/0")
    assert ended.returncode == 1
    assert ended.stdout + ended.stderr == (
        'Traceback (most recent call last):\n  File "<stdin>", line 1, in <module>\nZeroDivisionError: divide by zero\n'
    )


def test_it_cannot_do_what_maixpy_cannot(board: VirtualBoard) -> None:
    for command, error in (
        (("fs", "mkdir", ":/flash/x"), "NotImplementedError: SPIFFS not support"),
        (("df",), "no module named 'vfs'"),
        (("fs", "rm", ":/flash/none"), "No such file or directory"),
    ):
        ended = mpremote(board, *command)
        assert ended.returncode == 1
        assert error in ended.stdout + ended.stderr


def test_it_resets_the_chip_after_a_chain_of_commands(board: VirtualBoard, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("A = 1\n")
    file = str(tmp_path / "a.py")
    seen = board.output().count("kpu:freq")
    done(board, "fs", "cp", "-f", file, ":/flash/a.py", "+", "fs", "cp", "-f", file, ":/flash/b.py", "+", "reset")
    board.wait_for("tick 2")
    assert board.output().count("kpu:freq") == seen + 1
    assert (board.flash_folder / "b.py").read_text() == "A = 1\n"


def test_a_soft_reset_leaves_main_py_alone(board: VirtualBoard) -> None:
    done(board, "soft-reset")
    ticks = board.output().count("tick")
    assert done(board, "resume", "exec", "print('quiet')") == "quiet\n"
    assert board.output().count("tick") == ticks
