"""The prompt: programs that stop late or never, boards that say nothing or nonsense, scripts, files, cables."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tools.errors import LinkError
from host_tools.prompt import repl
from host_tools.prompt.repl import Prompt, RaisedError
from host_tools.serial_link import ports
from host_tools.virtual_board.clock import JumpingClock
from tests.host_tools.peer import Peer
from tests.host_tools.virtual_board.shell import processes
from tests.jumping import VirtualBoard
from tests.patience import HANG_SECONDS, said, until

TICKING = "import utime\nn = 0\nwhile True:\n    n += 1\n    print('tick', n)\n    utime.sleep_ms(50)\n"
STUBBORN = """import utime
print("begins")
begin = utime.ticks_ms()
while utime.ticks_diff(utime.ticks_ms(), begin) < 1200:
    try:
        utime.sleep_ms(50)
    except KeyboardInterrupt:
        print("no")
while True:
    utime.sleep_ms(50)
"""
DEAF = "import micropython, utime\nmicropython.kbd_intr(-1)\nprint('deaf')\nwhile True:\n    utime.sleep_ms(20)\n"


def workers(port: str) -> list[int]:
    """The processes that hold a port for a prompt."""
    return [number for number in processes(Path("host_tools.prompt.worker")) if port in _command(number).split("\0")]


def _command(number: int) -> str:
    try:
        return Path(f"/proc/{number}/cmdline").read_text()
    except OSError:
        return ""


def one_line(error: Exception) -> str:
    text = str(error)
    assert "\n" not in text
    assert "Traceback" not in text
    return text


@pytest.fixture(scope="module")
def ticking() -> Iterator[VirtualBoard]:
    with VirtualBoard(files={"main.py": TICKING}) as board:
        board.wait_for("tick 2")
        yield board


@pytest.fixture
def running(ticking: VirtualBoard) -> VirtualBoard:
    """A board whose program runs."""
    ticking.reset()
    ticking.wait_for("tick 2")
    return ticking


def test_a_running_program_is_stopped_and_the_prompt_is_a_friendly_one(running: VirtualBoard) -> None:
    repl.stop_program(running.port)
    # Not the prompt that Ctrl-C gives first, after which the raw one comes.
    running.wait_for(re.compile(r"CTRL-B to exit.*>>> ", re.DOTALL))
    running.send(b"print(6 * 7)\r")
    running.wait_for("42\r\n>>> ")
    assert not workers(running.port)


def test_a_script_prints_lines_as_they_come(running: VirtualBoard) -> None:
    source = "import os, utime\nprint('first')\nwhile 'go' not in os.listdir(): utime.sleep_ms(50)\n"
    lines: list[str] = []

    def let_go(line: str) -> None:
        lines.append(line)
        (running.flash_folder / "go").touch()

    with running.clock.host_waits():
        printed = repl.execute(running.port, source + "print('second ü', end='')", seconds=HANG_SECONDS, line=let_go)
    assert printed == "first\nsecond ü"
    assert lines == ["first"]


def test_a_script_that_is_longer_than_the_boards_receive_ring_arrives(running: VirtualBoard) -> None:
    lines = "".join(f"print({number}, 'ü')\n" for number in range(900))
    with running.clock.host_waits():
        printed = repl.execute(running.port, lines, seconds=HANG_SECONDS)
    assert printed == "".join(f"{number} ü\n" for number in range(900))
    assert running.dropped == 0


def test_what_a_script_raises_is_one_line(running: VirtualBoard) -> None:
    with pytest.raises(RaisedError) as caught:
        repl.execute(running.port, "import os\nprint('so far')\nos.remove('/flash/none')", seconds=HANG_SECONDS)
    assert caught.value.raised == "OSError: [Errno 2] ENOENT"
    assert running.port in one_line(caught.value)


def test_a_script_that_takes_too_long_is_given_up_and_the_board_can_be_used_again(running: VirtualBoard) -> None:
    with pytest.raises(LinkError, match="no answer within 1 s") as caught:
        repl.execute(running.port, "while True: pass", seconds=1)
    one_line(caught.value)
    assert not workers(running.port)
    assert repl.execute(running.port, "print('there')", seconds=HANG_SECONDS) == "there\n"


def test_files_arrive_byte_for_byte(running: VirtualBoard) -> None:
    data = bytes(range(256)) * 9 + b"\x04\x03\x01'\"\\\r\n"
    pieces: list[int] = []
    with Prompt(running.port) as prompt:
        prompt.put("/flash/there.bin", data, pieces.append)
        prompt.put("/flash/empty.bin", b"")
    assert (running.flash_folder / "there.bin").read_bytes() == data
    assert (running.flash_folder / "empty.bin").read_bytes() == b""
    assert sum(pieces) == len(data)
    assert len(pieces) > 2
    assert running.dropped == 0


def test_a_restart_is_a_real_reset_and_what_comes_is_heard_from_its_start(running: VirtualBoard) -> None:
    with Prompt(running.port) as prompt:
        assert len(workers(running.port)) == 1
        prompt.restart()
        heard = b""
        with running.clock.host_waits():
            while b"tick 3" not in heard:
                came = prompt.read(HANG_SECONDS)
                assert came, heard
                heard += came
    assert heard.index(b"kpu:freq") < heard.index(b"tick 1\r\n") < heard.index(b"tick 3")


@pytest.mark.parametrize("typed", [b"\x01", b"\x01half = ", b"\x05some = ", b"def f():\r", b"x = '''\r"])
def test_whatever_state_the_repl_was_left_in(running: VirtualBoard, typed: bytes) -> None:
    repl.stop_program(running.port)
    running.send(typed)
    assert repl.execute(running.port, "print('fine')", seconds=HANG_SECONDS) == "fine\n"


def test_a_program_that_ignores_ctrl_c_for_a_while_is_stopped() -> None:
    with VirtualBoard(files={"main.py": STUBBORN}) as board:
        board.wait_for("begins")
        # Into its sleep.
        board.pass_time(0.02)
        repl.stop_program(board.port)
        assert "no\r\n" in board.output()


def test_a_program_that_never_listens_is_stopped_by_the_reset_key() -> None:
    # So little time passes from one Ctrl-C of the host to the next that one comes while the board starts.
    with VirtualBoard(files={"main.py": DEAF}, clock=JumpingClock(silence_us=50_000)) as board:
        board.wait_for("deaf")
        asked: list[str] = []

        def press(message: str) -> None:
            if "RESET" in message:
                asked.append(message)
                board.reset()

        with Prompt(board.port, press, stop_seconds=20) as prompt:
            assert prompt.execute("print('reached')", seconds=HANG_SECONDS) == "reached\n"
        assert len(asked) == 1
        assert "RESET" in asked[0]


def test_a_program_that_never_listens_is_an_error_with_both_remedies() -> None:
    with VirtualBoard(files={"main.py": DEAF}) as board:
        board.wait_for("deaf")
        error = said("reset key", lambda seconds: Prompt(board.port, stop_seconds=seconds))
        assert "make erase BOARD=NAME" in error
        assert not workers(board.port)


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (b"", r"nothing comes from it.*try another port.*make erase BOARD=NAME"),
        (bytes(range(128, 256)), "no text at 115200 baud, so the board speaks at another rate"),
        (b"core dump: misaligned load\r\nCause 0x4, EPC 0x80000000\r\n", r"crashed \(misaligned load\)"),
        (b"hello from another program\r\n", r"it says 'hello from another program'\): its program ignores Ctrl-C"),
    ],
)
def test_what_answers_instead_of_a_prompt_is_named(says: bytes, expected: str) -> None:
    with Peer(raw=lambda data: says) as peer:
        assert peer.port in said(expected, lambda seconds: Prompt(peer.port, stop_seconds=seconds))


def test_an_adapter_without_a_board_is_named() -> None:
    with Peer(raw=lambda data: data) as peer:
        said("whatever is sent comes straight back", lambda seconds: Prompt(peer.port, stop_seconds=seconds))


def test_a_port_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="no such port") as caught:
        repl.stop_program(str(tmp_path / "ttyUSB9"))
    one_line(caught.value)


def test_a_port_that_another_program_holds_is_named(running: VirtualBoard) -> None:
    with ports.open_port(running.port), pytest.raises(LinkError, match="in use by") as caught:
        repl.stop_program(running.port)
    one_line(caught.value)


def test_a_cable_that_is_pulled_is_an_error_at_once() -> None:
    with VirtualBoard(files={"main.py": "pass\n"}) as board:
        with Prompt(board.port) as prompt:
            board.close()
            with pytest.raises(LinkError, match="lost the board") as caught:
                prompt.execute("print(1)", seconds=HANG_SECONDS)
        one_line(caught.value)
        assert not workers(board.port)


def test_through_a_link_the_port_works_as_well(tmp_path: Path) -> None:
    link = tmp_path / "board"
    with VirtualBoard(files={"main.py": TICKING}, link=link) as board:
        board.wait_for("tick 2")
        assert repl.execute(str(link), "print('linked')", seconds=HANG_SECONDS) == "linked\n"


def test_the_process_ends_with_the_one_who_started_it(running: VirtualBoard) -> None:
    source = "import sys, time\nfrom host_tools.prompt.repl import Prompt\n"
    source += "kept = Prompt(sys.argv[1])\nprint('open', flush=True)\n"
    command = [sys.executable, "-c", source + "kept.execute('while True: pass', seconds=300)\n", running.port]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout.readline() == "open\n"
        assert workers(running.port)
        owner.kill()
    until(lambda: not workers(running.port))
