"""Workers: where they run, how they end with the one who started them, and what is said of their end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conversion import processes
from tests.conversion import orphan

# The system ends a process within milliseconds; a worker that lives on would wait for ten minutes.
END_SECONDS = 60.0


def is_there(pid: int) -> bool:
    """Whether a process runs; one that is over and that nobody has asked for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("kind", ["python", "native", "spawned"])
def test_a_worker_ends_with_its_parent_even_if_that_is_killed(kind: str) -> None:
    command = [sys.executable, "-m", orphan.MODULE, "starts", kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=processes.ROOT) as parent:
        worker = int(parent.stdout.readline())
        try:
            assert is_there(worker)
            parent.kill()
            parent.wait()
            deadline = time.monotonic() + END_SECONDS
            while is_there(worker) and time.monotonic() < deadline:
                time.sleep(0.01)
            assert not is_there(worker)
        finally:
            if is_there(worker):
                os.kill(worker, signal.SIGKILL)


def test_a_worker_is_over_when_its_block_is_left() -> None:
    with processes.running(orphan.MODULE, "native") as worker:
        assert int(worker.stdout.readline()) == worker.pid
    assert processes.signal_of(worker.returncode) == "SIGKILL"
    assert worker.stdout.closed
    assert worker.stdin.closed


def test_a_worker_has_the_project_on_its_path_wherever_it_runs(tmp_path: Path) -> None:
    folder = {"folder": tmp_path, "variables": {"POSENET_TEST": "1"}}
    with processes.running("tests.conversion.orphan_report", **folder) as worker:
        where, variable = worker.stdout.read().decode().splitlines()
    assert (where, variable) == (str(tmp_path), "1")


@pytest.mark.parametrize(
    ("messages", "said"),
    [("", "no message"), ("\n  \n", "no message"), ("one\ntwo \n\n", "two"), ("a\x1b[31mred\x07", "a[31mred")],
)
def test_the_last_words_are_one_printable_line(messages: str, said: str) -> None:
    assert processes.last_words(messages) == said


def test_an_exit_code_names_its_signal() -> None:
    assert processes.signal_of(-signal.SIGSEGV) == "SIGSEGV"
    assert processes.signal_of(0) is None
    assert processes.signal_of(3) is None
