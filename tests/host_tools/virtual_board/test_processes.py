"""Nothing is left behind: no process, no port, no file, however a board ends."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from host_tools.errors import BoardError
from host_tools.virtual_board import Faults, process
from tests.host_tools.virtual_board.shell import processes
from tests.jumping import VirtualBoard
from tests.patience import HANG_SECONDS, until

SPINNING = "print('spinning')\nwhile True: pass\n"


def gone(folder: Path) -> bool:
    """Whether the processes of a board end."""
    until(lambda: not processes(folder))
    return True


def test_closing_takes_everything_along() -> None:
    threads = threading.active_count()
    files = len(os.listdir("/proc/self/fd"))
    with VirtualBoard(files={"main.py": SPINNING}) as board:
        board.wait_for("spinning")
        assert len(processes(board.folder)) == 1
        folder = board.folder
    assert not processes(folder)
    assert not folder.exists()
    assert threading.active_count() == threads
    # Its terminal, too, whose number is another one's at once.
    assert len(os.listdir("/proc/self/fd")) == files
    board.close()


def test_a_board_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    threads = threading.active_count()
    files = len(os.listdir("/proc/self/fd"))
    for wrong in ({"model": tmp_path / "none.kmodel"}, {"files": [tmp_path / "none.py"]}, {"link": tmp_path}):
        with pytest.raises(BoardError):
            VirtualBoard(**wrong)
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == files


def test_every_reset_ends_the_process_before() -> None:
    with VirtualBoard(files={"main.py": SPINNING}, faults=Faults()) as board:
        for _ in range(3):
            board.wait_for("spinning")
            assert len(processes(board.folder)) == 1
            board.reset()


def test_killed_the_host_takes_micropython_along(tmp_path: Path) -> None:
    script = f"""
        from host_tools.virtual_board import VirtualBoard
        board = VirtualBoard(files={{"main.py": {SPINNING!r}}})
        board.wait_for("spinning")
        print(board.folder, flush=True)
        input()
    """
    host = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    with host:
        folder = Path(host.stdout.readline().strip())
        assert len(processes(folder)) == 1
        host.send_signal(signal.SIGKILL)
    assert gone(folder)


def test_a_micropython_that_dies_is_said_and_the_button_helps() -> None:
    told = []
    # The host waits all the while: what the board still says when it is killed must have its time on the line.
    with VirtualBoard(files={"main.py": SPINNING}, tell=told.append) as board, board.clock.host_waits():
        board.wait_for("spinning")
        os.kill(processes(board.folder)[0], signal.SIGKILL)
        assert gone(board.folder)
        until(lambda: told)
        assert told[0].startswith("MicroPython ended with exit code -9")
        board.reset()
        board.wait_for("spinning")


def test_without_micropython_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BoardError, match=r"the virtual board's MicroPython is not installed: .* extra `board`"):
        VirtualBoard()


def test_elsewhere_than_on_linux_it_says_so() -> None:
    code = "import sys\nfrom host_tools import cli\nsys.platform = 'win32'\ncli.main(['board'])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=HANG_SECONDS)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "error: the virtual board needs Linux, this is win32\n"
