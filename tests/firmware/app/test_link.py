"""The line as it comes: in pieces of any size, with noise between, too long, too much."""

from __future__ import annotations

import importlib

from hypothesis import given
from hypothesis import strategies as st

from tests.firmware.app import sentences
from tests.firmware.app.board import Board

BOARD = Board()
with BOARD.modules():
    LINK = importlib.import_module("pose_link").Link

NOISE = st.one_of(
    st.binary(max_size=60).map(lambda data: data.replace(b"\n", b"").replace(b"$", b"") + b"\n"),
    st.integers(1025, 3000).map(lambda size: b"x" * size + b"\n"),
)
SENTENCES = st.integers(0, 65535).map(lambda number: sentences.made(f"PING,{number}"))


class Uart:
    """Hands out prepared pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    def any(self) -> int:
        return len(self.pieces[0]) if self.pieces else 0

    def read(self, count: int) -> bytes | None:
        return self.pieces.pop(0) if self.pieces else None


@given(st.lists(st.one_of(SENTENCES, NOISE), max_size=12), st.lists(st.integers(1, 700), min_size=1, max_size=20))
def test_every_sentence_is_found_however_it_is_cut(parts: list[bytes], cuts: list[int]) -> None:
    data = b"".join(parts)
    pieces, at, number = [], 0, 0
    while at < len(data):
        size = cuts[number % len(cuts)]
        pieces.append(data[at : at + size])
        at, number = at + size, number + 1
    link = LINK(Uart(pieces))
    found = []
    while fields := link.receive():
        found.append(sentences.made(b",".join(fields).decode()))
    sent = [part for part in parts if part.startswith(b"$")]
    assert found == sent
    assert link.received == len(sent)
    assert link.damaged == sum(len(part) > 1025 for part in parts)


def test_half_a_sentence_waits_for_the_rest() -> None:
    line = sentences.made("PING,12")
    uart = Uart([line[:5]])
    link = LINK(uart)
    assert link.receive() is None
    uart.pieces = [line[5:]]
    assert link.receive() == [b"PING", b"12"]


def test_a_read_that_gives_nothing_is_survived() -> None:
    uart = Uart([sentences.made("PING,1")])
    uart.read = lambda count: None
    assert LINK(uart).receive() is None
