"""Blocks of data: the firmware's own sender at one end, ours at the other, a line that loses chunks between them."""

from __future__ import annotations

import base64
import importlib
import types
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools import time_limits
from host_tools.serial_link import sentences
from host_tools.serial_link.blocks import Blocks, MissingChunks
from host_tools.serial_link.decoder import Decoder
from host_tools.serial_link.events import Announcement, Block, BlockLost, Chunk
from host_tools.serial_link.statistics import Statistics
from tests.firmware.app.board import Board
from tests.host_tools.peer import hello, linked, reply
from tests.patience import HANG_SECONDS

DATA = bytes(range(256)) * 5


class _Line:
    """The firmware's link: keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def credit(self) -> int:
        return 1 << 20

    def send(self, writer: object) -> None:
        self.sent.append(bytes(writer.view[: writer.size]))


@pytest.fixture(scope="module")
def bulk() -> types.ModuleType:
    """`firmware/pose_bulk.py`; hypothesis looks into all modules, so the stand-ins that it needs must not stay."""
    with Board().modules():
        return importlib.import_module("pose_bulk")


def transferred(bulk: types.ModuleType, data: bytes, lost: Iterator[bool]) -> tuple[list, Statistics]:
    """What comes of a HEADS block when these of the board's sentences are lost, in the order of sending."""
    line, decoder, now = _Line(), Decoder(), 0.0
    outgoing = bulk.Outgoing(line)
    outgoing.start(b"HEADS", data, 9)
    for _ in range(200):
        outgoing.push(1 << 20)
        arrived = b"".join(each for each in line.sent if not next(lost, False))
        line.sent.clear()
        events = decoder.feed(arrived, now)
        given_up, request = decoder.due(now + time_limits.BLOCK_STALL.seconds + 0.1)
        now += time_limits.BLOCK_STALL.seconds + 0.1
        if events + given_up:
            return events + given_up, decoder.statistics
        if request:
            assert request.count == outgoing.resend(request.bulk, request.first, request.count)
    raise AssertionError("neither whole nor given up")


@given(st.integers(1, 4000), st.lists(st.booleans(), max_size=40))
def test_lost_chunks_are_asked_for_until_the_block_is_whole(
    bulk: types.ModuleType, size: int, losses: list[bool]
) -> None:
    data = (DATA * 4)[:size]
    # Without its announcement nothing of a block can be used.
    (event,), statistics = transferred(bulk, data, iter([False, *losses]))
    if sum(losses) < time_limits.BLOCK_STALL.times:
        assert event == Block("HEADS", data, 9)
    if isinstance(event, Block):
        assert (event.data, statistics.blocks, statistics.blocks_lost) == (data, 1, 0)
    else:
        assert f"{time_limits.BLOCK_STALL.times} requests for them brought none" in event.reason
        assert (statistics.blocks, statistics.blocks_lost) == (0, 1)


def test_a_line_that_loses_everything_is_given_up(bulk: types.ModuleType) -> None:
    (event,), statistics = transferred(bulk, DATA, iter([False] + [True] * 1000))
    times = time_limits.BLOCK_STALL.times
    assert event == BlockLost("HEADS", 9, f"4 of 4 chunks are missing: {times} requests for them brought none")
    assert statistics.resent == times


def pieces(data: bytes, bulk: int, size: int = 384) -> list[Chunk]:
    """The chunks of a block."""
    return [
        Chunk(bulk, number, base64.b64encode(data[at : at + size]).decode())
        for number, at in enumerate(range(0, len(data), size))
    ]


def announcement(bulk: int, kind: str = "HEADS", data: bytes = DATA) -> Announcement:
    return Announcement(bulk, kind, len(data), 384, zlib.crc32(data), 9)


@pytest.mark.parametrize(
    ("lost", "first", "count"),
    [({1}, 1, 1), ({1, 2}, 1, 2), ({1, 5}, 1, 1), ({1, 4}, 1, 4), ({1, 4, 7}, 1, 7), ({0, 8}, 0, 1), ({6, 8}, 6, 3)],
)
def test_lost_chunks_that_are_near_are_asked_for_at_once(lost: set[int], first: int, count: int) -> None:
    """Up to two chunks between them that are here: three would cost more than another request."""
    data = DATA + DATA + DATA[:700]
    taken = Blocks(Statistics())
    taken.announce(announcement(1, data=data), 0)
    chunks = pieces(data, 1)
    assert len(chunks) == 9
    for chunk in chunks:
        if chunk.number not in lost:
            taken.add(chunk, 0)
    stall = time_limits.BLOCK_STALL.seconds
    assert taken.due(stall if 8 in lost else 0)[1] == (None if 8 in lost else MissingChunks(1, first, count))
    if 8 in lost:
        assert taken.due(stall + 0.1)[1] == MissingChunks(1, first, count)


def test_a_preview_with_a_lost_chunk_is_given_up_at_its_end() -> None:
    taken = Blocks(Statistics())
    taken.announce(announcement(1, "JPEG"), 0)
    found = [event for chunk in pieces(DATA, 1) if chunk.number != 1 for event in taken.add(chunk, 0)]
    assert found == [BlockLost("JPEG", 9, "1 of 4 chunks are missing: lost on the line; a preview is not sent again")]
    assert taken.due(100) == ([], None)


def test_another_block_ends_the_one_before() -> None:
    taken = Blocks(Statistics())
    taken.announce(announcement(1), 0)
    (lost,) = taken.announce(announcement(2, "JPEG"), 0)
    assert (lost.kind, lost.reason) == ("HEADS", "4 of 4 chunks are missing: the board began another block")
    assert [event for chunk in pieces(DATA, 2) for event in taken.add(chunk, 0)] == [Block("JPEG", DATA, 9)]


def test_chunks_without_their_announcement_are_one_lost_block() -> None:
    taken = Blocks(Statistics())
    taken.announce(announcement(1), 0)
    found = [event for chunk in pieces(DATA, 2) for event in taken.add(chunk, 0)]
    assert [(event.kind, event.frame) for event in found] == [("HEADS", 9), ("", None)]


def test_late_chunks_of_a_whole_block_are_passed_over() -> None:
    statistics = Statistics()
    taken = Blocks(statistics)
    taken.announce(announcement(1), 0)
    for chunk in pieces(DATA, 1):
        taken.add(chunk, 0)
    assert [event for chunk in pieces(DATA, 1) for event in taken.add(chunk, 0)] == []
    assert (statistics.blocks, statistics.blocks_lost) == (1, 0)


def test_a_wrong_checksum_is_asked_for_once_more() -> None:
    """A chunk that is wrong although its own sentence is right: one line in 65536 that is hit twice."""
    wrong = DATA[:-1] + b"?"
    taken = Blocks(Statistics())
    taken.announce(announcement(1), 0)
    assert [event for chunk in pieces(wrong, 1) for event in taken.add(chunk, 0)] == []
    _, request = taken.due(0)
    assert (request.first, request.count) == (0, 4)
    found = [event for chunk in pieces(wrong, 1) for event in taken.add(chunk, 1)]
    assert [event.reason for event in found] == ["4 of 4 chunks are missing: its CRC-32 is wrong, twice"]


@pytest.mark.parametrize(
    "chunk", [Chunk(1, 4, "AAAA"), Chunk(1, 0, "AAAA"), Chunk(1, 0, "!" * 512), Chunk(1, 0, "A" * 511)]
)
def test_chunks_that_cannot_be_are_absurd(chunk: Chunk) -> None:
    taken = Blocks(Statistics())
    taken.announce(announcement(1), 0)
    with pytest.raises(ValueError, match="chunk"):
        taken.add(chunk, 0)
    decoder = Decoder()
    decoder.feed(sentences.made("BULK", 1, "HEADS", len(DATA), 384, 5, 9), 0)
    decoder.feed(sentences.made("CHUNK", 1, chunk.number, chunk.base64), 0)
    assert decoder.statistics.absurd == 1


def test_a_block_that_takes_for_ever_is_given_up() -> None:
    taken = Blocks(Statistics())
    taken.announce(announcement(1), 0)
    (lost,), request = taken.due(time_limits.BLOCK.seconds + 1)
    reason = f"4 of 4 chunks are missing: not whole after {time_limits.BLOCK.seconds:.0f} s"
    assert (lost.reason, request) == (reason, None)


def test_a_link_asks_for_lost_chunks_by_itself() -> None:
    chunks = [sentences.made("CHUNK", 7, each.number, each.base64) for each in pieces(DATA, 7)]

    def answer(sentence: sentences.Sentence) -> bytes:
        _, _, first, count = map(int, sentence.fields)
        return reply(sentence, value=count) + b"".join(chunks[first : first + count])

    with linked(answer) as (peer, link):
        announced = sentences.made("BULK", 7, "HEADS", len(DATA), 384, zlib.crc32(DATA), 12)
        peer.send(announced + chunks[0] + chunks[1][:-9] + b"?" + chunks[1][-8:] + chunks[2] + chunks[3])
        assert link.wait_for(Block, HANG_SECONDS) == Block("HEADS", DATA, 12)
        assert [each.kind for each in peer.heard] == ["RESEND"]
        assert peer.heard[0].fields[1:] == ("7", "1", "1")
        assert (link.statistics.blocks, link.statistics.resent, link.statistics.damaged) == (1, 1, 1)


def test_a_link_gives_a_block_up_that_the_board_has_no_more() -> None:
    with linked(lambda sentence: reply(sentence, 4, 0, "block 7 has no chunk 1 any more")) as (peer, link):
        peer.send(sentences.made("BULK", 7, "HEADS", len(DATA), 384, zlib.crc32(DATA), 12))
        peer.send(b"".join(sentences.made("CHUNK", 7, each.number, each.base64) for each in pieces(DATA, 7)[1:]))
        assert link.wait_for(BlockLost, HANG_SECONDS).reason.endswith("the board says: block 7 has no chunk 1 any more")


def test_a_restart_numbers_blocks_anew() -> None:
    decoder = Decoder()
    whole = sentences.made("BULK", 1, "HEADS", len(DATA), 384, zlib.crc32(DATA), 9)
    whole += b"".join(sentences.made("CHUNK", 1, each.number, each.base64) for each in pieces(DATA, 1))
    for boot in (1, 2):
        assert Block("HEADS", DATA, 9) in decoder.feed(hello(boot=boot) + whole, 0)
    assert decoder.statistics.blocks == 2
