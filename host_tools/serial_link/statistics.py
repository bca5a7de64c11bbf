"""What a link has carried and lost, in numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Statistics:
    """Counts since the link was made.

    bytes: received. sentences: whole and valid. frames: whole, given out.
    damaged: lines that were a sentence once: their checksum is wrong, they lost their end to the next one, or their
    beginning. absurd: valid sentences whose fields cannot be. torn: frames of which some poses did not arrive.
    missed: numbers between frames that were given out: torn or damaged on the way, or never sent for want of room.
    restarts: of the board's program. reconnects: of the port. blocks, blocks_lost: of data (heads, previews).
    resent: requests for lost chunks. fallbacks: from a raised speed to the usual one.
    throttled: events that came in a storm of their kind and were not passed on.
    """

    bytes: int = 0
    sentences: int = 0
    frames: int = 0
    damaged: int = 0
    absurd: int = 0
    torn: int = 0
    missed: int = 0
    restarts: int = 0
    reconnects: int = 0
    blocks: int = 0
    blocks_lost: int = 0
    resent: int = 0
    fallbacks: int = 0
    throttled: int = 0
