"""The link and the firmware's own program on the virtual board: the whole conversation, and every state to be met."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tools import time_limits
from host_tools.serial_link import link as link_module
from host_tools.serial_link.events import (
    Block,
    BlockLost,
    Digest,
    Found,
    Hello,
    Lost,
    Restarted,
    SelfTest,
    Settings,
    Stats,
    Trouble,
)
from host_tools.serial_link.link import Link
from host_tools.serial_link.refusal import Refused
from host_tools.serial_link.remedies import remedy
from host_tools.serial_link.sentences import Frame
from host_tools.virtual_board import Faults
from tests.firmware.app.virtual import FIRMWARE, Program
from tests.host_tools.peer import collected
from tests.jumping import VirtualBoard
from tests.patience import HANG_SECONDS, exactly, said

SIZE = (96, 64)
HEADS_BYTES = 115 * 6 * 4


@pytest.fixture(scope="module")
def board() -> Iterator[Program]:
    with Program(size=SIZE) as program:
        program.next("FRAME")
        yield program


@pytest.fixture
def link(board: Program) -> Iterator[Link]:
    with Link(board.port) as link:
        yield link


def test_greeting(link: Link, board: Program) -> None:
    hello = link.greet()
    assert (hello.protocol, hello.board, hello.width, hello.height) == (1, "maix_bit", *SIZE)
    assert hello.kmodel_bytes == len(board.model.data)
    assert hello.kmodel_sha256 == board.model.device_card["kmodel"]["sha256"]


def test_frames_come_whole(link: Link) -> None:
    frames = collected(link, lambda events: sum(isinstance(event, Frame) for event in events) >= 5)
    numbers = [frame.number for frame in frames if isinstance(frame, Frame)]
    assert numbers == sorted(set(numbers))
    # Only the line in whose middle we began to listen may be damaged.
    assert link.statistics.damaged <= 1
    assert link.statistics.absurd == 0


def test_pause_and_resume(link: Link) -> None:
    link.ask("PAUSE")
    link.poll(0)
    assert not [event for event in link.poll(1) if isinstance(event, Frame)]
    link.ask("STATS")
    assert link.wait_for(Stats, HANG_SECONDS).state == 2
    link.ask("RESUME")
    link.wait_for(Frame, HANG_SECONDS)


def test_settings_are_said_after_a_change(link: Link) -> None:
    link.ask("POSES", None, 20000, None, None)
    assert link.wait_for(Settings, HANG_SECONDS).root_score == 20000
    link.ask("POSES", None, 16384, None, None)
    with pytest.raises(Refused, match=r"mode is 7.*make deploy"):
        link.ask("MODE", 7)


def test_heads_with_their_checksums(link: Link) -> None:
    link.ask("PAUSE")
    number = link.ask("HEADS")
    block, digest = link.wait_for(Block, HANG_SECONDS), link.wait_for(Digest, HANG_SECONDS)
    assert (block.kind, block.frame, len(block.data)) == ("HEADS", number, HEADS_BYTES)
    assert (digest.frame, digest.heads) == (number, zlib.crc32(block.data))
    assert digest.by_head["heatmap"] == zlib.crc32(block.data[: 17 * 24])
    link.ask("RESUME")


def test_the_selftest_comes_after_its_reply(link: Link) -> None:
    number = link.ask("SELFTEST", 0)
    assert link.ask("PING") > 0
    result = link.wait_for(SelfTest, HANG_SECONDS)
    assert (result.frame, result.result, result.expected_crc32) == (number, 0, result.found_crc32)


def test_a_raised_speed_is_kept_alive_and_lowered_at_the_end(board: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "PING_SECONDS", 0.1)
    with Link(board.port) as link:
        assert link.raise_baud(460800)
        begin, damaged = board.clock.now(), link.statistics.damaged
        # Longer than the three seconds after which it would fall back.
        while board.clock.now() - begin < 4_000_000:
            link.poll(0.1)
        assert link.baud == 460800
        assert link.ask("PING") > 0
        assert link.statistics.damaged == damaged
    with Link(board.port) as link:
        assert link.greet().baud == 115200


def test_after_a_reset_at_a_raised_speed_both_meet_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with Program(size=SIZE) as board, Link(board.port) as link:
        board.next("FRAME")
        monkeypatch.setattr(time_limits, "RAISED_SILENCE", exactly(3.5))
        first = link.greet().boot
        assert link.raise_baud(1500000)
        board.reset()
        restarted = link.wait_for(Restarted, HANG_SECONDS)
        assert restarted.hello.boot != first
        assert (link.baud, link.statistics.fallbacks, link.statistics.restarts) == (115200, 1, 1)
        link.wait_for(Frame, HANG_SECONDS)


def test_a_line_that_damages_bytes_still_gives_whole_heads_and_right_frames() -> None:
    """Chunks are lost by the dozen here: one byte in 2000 is damaged, both ways."""
    with Program(size=SIZE, faults=Faults(corrupt=0.0005, seed=3)) as board, Link(board.port) as link:
        link.greet()
        link.ask("PAUSE")
        for _ in range(4):
            link.ask("HEADS")
            # Its announcement may be lost as well: then the link says so, in place of the block.
            event = link.wait_for((Block, BlockLost), HANG_SECONDS)
            if isinstance(event, Block):
                assert len(event.data) == HEADS_BYTES
        statistics = link.statistics
        assert statistics.blocks >= 2
        assert statistics.resent > 0
        assert statistics.damaged > 0


def test_a_board_without_model_says_so() -> None:
    with VirtualBoard(files=FIRMWARE.glob("*.py")) as board, board.clock.host_waits(), Link(board.port) as link:
        hello = link.greet()
        assert (hello.width, hello.kmodel_bytes, hello.kmodel_sha256) == (0, 0, None)
        trouble = link.wait_for(Trouble, HANG_SECONDS)
        assert (trouble.code, remedy(trouble.code)) == (21, "run `make deploy` for this board")
        with pytest.raises(Refused, match="6: not without kmodel"):
            link.ask("HEADS")


def test_a_board_at_the_prompt_is_named() -> None:
    with VirtualBoard(files={"main.py": "1/0\n"}) as board, Link(board.port) as link:
        board.wait_for(">>> ")
        said("at MicroPython's prompt, its program does not run", link.greet)
        # In the raw REPL it is silent, and hears no sentence.
        board.send(b"\x01")
        board.wait_for("CTRL-B to exit")
        said("in the raw REPL", link.greet)
    with VirtualBoard(files={"main.py": "pass\n"}) as board:
        board.wait_for(">>> ")
        board.send(b"\x01")
        board.wait_for("CTRL-B to exit")
        with Link(board.port) as link:
            said("at MicroPython's prompt", link.greet, 2.5)


def test_a_wrong_speed_is_named(board: Program) -> None:
    with Link(board.port, baud=9600) as link:
        said("no text at 9600 baud, so the board speaks at another rate", link.greet)


def test_switched_off_and_on_again(tmp_path: Path) -> None:
    """A patient link waits at the board's name, and finds another life of the board behind it."""
    name = tmp_path / "board"
    with Program(size=SIZE, link=name) as board, Link(str(name), patient=True) as link:
        first = link.greet().boot
        counted = {path.name: path.read_bytes() for path in (board.folder / "flash").glob("pose_boot_*.txt")}
        board.close()
        collected(link, lambda events: any(isinstance(event, Lost) for event in events))
        with Program(size=SIZE, link=name, files=counted):
            events = collected(link, lambda events: any(isinstance(event, Hello) for event in events))
    assert any(isinstance(event, Found) for event in events)
    (restarted,) = (event for event in events if isinstance(event, Restarted))
    assert restarted.hello.boot != first
