"""Puts blocks of data together from their chunks, and says which chunks to ask for again."""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass, field

from host_tools import time_limits
from host_tools.serial_link.events import Announcement, Block, BlockLost, Chunk
from host_tools.serial_link.statistics import Statistics

# Of a frame: its heads; with zoom or smoothing, the state before it and the heads of each run. Only these can be asked
# for again.
HEADS = "HEADS"
RUNS = "RUNS"
# Two chunks that are here already cost less than another request.
_NEAR = 3


@dataclass(frozen=True)
class MissingChunks:
    """Chunks to ask for: a RESEND's fields after the id."""

    bulk: int
    first: int
    count: int


@dataclass
class _Incoming:
    """The block that is coming in: its chunks so far, the last chunk that the board will send unasked, moments."""

    announced: Announcement
    last: int
    since: float
    heard: float
    pieces: dict[int, bytes] = field(default_factory=dict)
    vain: int = 0
    wrong: int = 0
    # All chunks before this one are here.
    _lowest: int = 0

    @property
    def chunks(self) -> int:
        return -(-self.announced.size // self.announced.chunk_bytes)

    def first_gap(self) -> tuple[int, int]:
        """The first and last chunk to ask for next; at least one must be missing."""
        while self._lowest in self.pieces:
            self._lowest += 1
        last = number = self._lowest
        while number - last <= _NEAR and number < self.chunks:
            last = last if number in self.pieces else number
            number += 1
        return self._lowest, last

    def begin_again(self) -> None:
        """Forget all chunks."""
        self.pieces.clear()
        self._lowest = 0

    def expected(self, number: int) -> int:
        """Bytes of a chunk."""
        return min(self.announced.chunk_bytes, self.announced.size - number * self.announced.chunk_bytes)


class Blocks:
    """One block at a time, as the board sends them. `now` is any clock in seconds."""

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics
        self._block: _Incoming | None = None
        # The block that chunks may still come of, though nothing is wanted of it any more.
        self._over: int | None = None
        self._due = False

    def announce(self, announced: Announcement, now: float) -> list[Block | BlockLost]:
        """A new block begins; one that is not whole ends by that."""
        if self._block and self._block.announced == announced:
            return []
        lost = self.forget("the board began another block")
        last = -(-announced.size // announced.chunk_bytes) - 1
        self._block = _Incoming(announced, last, now, now)
        self._due = False
        return lost

    def add(self, chunk: Chunk, now: float) -> list[Block | BlockLost]:
        """The block that a chunk completes. ValueError for a chunk that cannot be of its block."""
        if self._block is None or chunk.bulk != self._block.announced.bulk:
            return self._stray(chunk)
        block = self._block
        data = _decoded(chunk, block)
        block.heard = now
        if chunk.number not in block.pieces:
            block.pieces[chunk.number] = data
            block.vain = 0
        if len(block.pieces) == block.chunks:
            return self._completed(block)
        if chunk.number >= block.last:
            return self._want_more()
        return []

    def due(self, now: float) -> tuple[list[BlockLost], MissingChunks | None]:
        """What is to be done by now: blocks to give up, chunks to ask for."""
        block = self._block
        if block is None:
            return [], None
        if now - block.since > time_limits.BLOCK.seconds:
            return self.forget(f"not whole after {time_limits.BLOCK.seconds:.0f} s"), None
        if now - block.heard > time_limits.BLOCK_STALL.seconds:
            lost = self._want_more()
            if lost:
                return lost, None
        return [], self._request(now) if self._due else None

    def forget(self, reason: str) -> list[BlockLost]:
        """Give up the block that is coming in, if any."""
        block, self._block = self._block, None
        self._due = False
        if block is None:
            return []
        self._over = block.announced.bulk
        self._statistics.blocks_lost += 1
        missing = block.chunks - len(block.pieces)
        return [
            BlockLost(
                block.announced.kind,
                block.announced.frame,
                f"{missing} of {block.chunks} chunks are missing: {reason}",
            )
        ]

    def restart(self) -> list[BlockLost]:
        """The board has started again and numbers its blocks anew."""
        lost = self.forget("the board has started again")
        self._over = None
        return lost

    def _stray(self, chunk: Chunk) -> list[BlockLost]:
        """A chunk of a block that is over, or whose announcement was lost."""
        lost = [] if self._block is None else self.forget("the board began another block")
        if chunk.bulk == self._over and not lost:
            return []
        self._over = chunk.bulk
        self._statistics.blocks_lost += 1
        return [*lost, BlockLost("", None, "its announcement was lost")]

    def _completed(self, block: _Incoming) -> list[Block | BlockLost]:
        data = b"".join(block.pieces[number] for number in range(block.chunks))
        announced = block.announced
        if zlib.crc32(data) != announced.crc32:
            # Some chunk is wrong although its line's checksum is right: all of them again, once.
            block.wrong += 1
            block.begin_again()
            return self._want_more() if block.wrong == 1 else self.forget("its CRC-32 is wrong, twice")
        self._block, self._over, self._due = None, announced.bulk, False
        self._statistics.blocks += 1
        return [Block(announced.kind, data, announced.frame)]

    def _want_more(self) -> list[BlockLost]:
        """Ask for what is missing, if that can be."""
        if self._block.announced.kind not in (HEADS, RUNS):
            return self.forget("lost on the line; a preview is not sent again")
        if self._block.vain >= time_limits.BLOCK_STALL.times:
            return self.forget(f"{self._block.vain} requests for them brought none")
        self._due = True
        return []

    def _request(self, now: float) -> MissingChunks:
        block = self._block
        first, last = block.first_gap()
        block.last, block.heard = last, now
        block.vain += 1
        self._due = False
        self._statistics.resent += 1
        return MissingChunks(block.announced.bulk, first, last - first + 1)


def _decoded(chunk: Chunk, block: _Incoming) -> bytes:
    if chunk.number >= block.chunks:
        raise ValueError(f"chunk {chunk.number} of {block.chunks}")
    try:
        data = base64.b64decode(chunk.base64, validate=True)
    except binascii.Error as error:
        raise ValueError(f"chunk {chunk.number} is no base64") from error
    if len(data) != block.expected(chunk.number):
        raise ValueError(f"chunk {chunk.number} has {len(data)} bytes instead of {block.expected(chunk.number)}")
    return data
