"""Boards that mean harm, before every host tool: it ends when told to, and says nothing harmful."""

from __future__ import annotations

import contextlib
import itertools
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tools import time_limits
from host_tools.errors import LinkError
from host_tools.serial_link import Link, sentences
from tests.host_tools import fake_board, peer
from tests.host_tools.fake_board import ATTACKS, FakeBoard
from tests.host_tools.monitor import running
from tests.hostile import limited, sound
from tests.samples import sample

# Two seconds are promised; a busy machine needs more to let the process go.
END_SECONDS = 60.0
LISTEN_SECONDS, LISTEN_LONG_SECONDS = 0.5, 1.5
OWNED = (b"\x1b]0;owned", b"\x1b[2J", b"\x1b]8;", b"\x9b5A", "\u202e".encode())
MONITOR = ("monitor",)
TOOLS = {
    "monitor": MONITOR,
    "monitor --json": (*MONITOR, "--json"),
    "monitor --web": (*MONITOR, "--web", "0"),
    "verify": ("verify",),
    "deploy": ("deploy", "--board", "maix_bit"),
    "flash": ("flash", "--board", "maix_bit"),
}
WITH_MODEL = ("verify", "deploy", "flash")
# What a run of all tests tries; a soak tries every pair.
SAMPLE = (
    ("monitor", "escape sequences", signal.SIGINT),
    ("monitor --json", "blocks that never end", signal.SIGTERM),
    ("verify", "a storm of greetings", signal.SIGINT),
    ("deploy", "answers of a board's helpers", signal.SIGTERM),
    ("flash", "a line without end", signal.SIGINT),
)


@contextlib.contextmanager
def started(tool: str, board: FakeBoard, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "host_tools", *TOOLS[tool], "--port", board.port]
    if tool in WITH_MODEL:
        command += ["--model", str(sound.kmodel_in(folder))]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=limited.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=limited.limit,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[bytes], board: FakeBoard, how: signal.Signals, seconds: float) -> limited.Ended:
    """Let it listen for so long, tell it to end, and wait."""
    while not board.heard_something.wait(0.1):
        assert process.poll() is None, process.communicate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.send_signal(how)
    stdout, stderr = process.communicate(timeout=END_SECONDS)
    return limited.Ended(process.returncode, stdout, stderr)


def attacked(tool: str, attack: str, how: signal.Signals, folder: Path, seconds: float) -> None:
    with FakeBoard(ATTACKS[attack]()) as board, started(tool, board, folder) as process:
        done = ended(process, board, how, seconds)
    limited.assert_harmless(done)
    assert done.code in (0, 2, 130, 128 + how), done
    for line in done.stdout.splitlines() if tool == "monitor --json" else ():
        json.loads(line)


@pytest.mark.parametrize(("tool", "attack", "how"), SAMPLE)
def test_a_tool_ends_when_told_to(tool: str, attack: str, how: signal.Signals, tmp_path: Path) -> None:
    attacked(tool, attack, how, tmp_path, LISTEN_SECONDS)


@pytest.mark.soak
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_ends_when_told_to(tool: str, attack: str, how: signal.Signals, tmp_path: Path) -> None:
    attacked(tool, attack, how, tmp_path, LISTEN_LONG_SECONDS)


def terminal_shows(attack: str) -> running.Running:
    """What a monitor in a terminal of its own has shown of an attack, and how it left the terminal."""
    with FakeBoard(ATTACKS[attack]()) as board, running.in_terminal("--port", board.port) as monitor:
        monitor.until("error 23|replaced|frames/s")
        assert monitor.end(signal.SIGINT) == 0
        return monitor


def test_surrogates_do_not_end_the_monitor_with_a_hidden_cursor() -> None:
    assert b"\x1b[?25h" in terminal_shows("surrogates").raw[-500:]


def test_nothing_of_a_board_moves_the_cursor(tmp_path: Path) -> None:
    shown = terminal_shows("escape sequences")
    for sequence in OWNED:
        assert sequence not in shown.raw
    assert "owned" in shown.text
    assert shown.raw.rstrip().endswith(b"\x1b[?25h") or b"\x1b[?25h" in shown.raw[-500:]


# Those that let wait take twelve seconds.
@pytest.mark.parametrize("answer", sample([fake_board.refusing, fake_board.of_another_id, peer.silent], 0))
def test_what_a_board_answers_is_one_line(answer: peer.Answer, tmp_path: Path) -> None:
    with FakeBoard(iter(()), answer) as board, started("verify", board, tmp_path) as process:
        stdout, stderr = process.communicate(timeout=limited.WALL_SECONDS)
    limited.assert_refused(limited.Ended(process.returncode, stdout, stderr))


def test_results_of_self_tests_that_nobody_asked_for_keep_no_question_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, they made every wait longer, for ever."""
    monkeypatch.setenv(time_limits.PATIENCE, "1")
    results = fake_board.endless(sentences.made("SELFTEST", 1, 1, 0, 0, 0, 0, fake_board.quoted("-")))
    said = itertools.chain([fake_board.greeting()], results)
    with FakeBoard(said, peer.silent) as board, Link(board.port) as link:
        link.greet()
        with pytest.raises(LinkError, match="no answer to PING"):
            link.ask("PING", tries=time_limits.Tries(0.2, 2))


@pytest.mark.soak
@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("tool", WITH_MODEL)
def test_every_tool_gives_up_by_itself(tool: str, attack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one second, but in bounded time, with one line."""
    # As long as for a user: what matters here is that it ends.
    monkeypatch.setenv(time_limits.PATIENCE, "1")
    with FakeBoard(ATTACKS[attack](), peer.silent) as board, started(tool, board, tmp_path) as process:
        stdout, stderr = process.communicate(timeout=2 * limited.WALL_SECONDS)
    done = limited.Ended(process.returncode, stdout, stderr)
    assert done.code == limited.REFUSED, done
    limited.assert_harmless(done)
