"""What a board must answer to the test card: checksums of the heads and the decoded poses."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping

from conversion import network, test_card
from conversion.decoding import board_decoder
from conversion.kpu.posenet import Simulation


def test_vector(simulation: Simulation, card: Mapping) -> dict:
    """Run the test card: CRC-32 and SHA-256 over the heads' bytes in their order, and the poses as a board sends them.

    `card` needs the entries that the decoder reads (input, heads, sigmoid). The poses are those of the decoder's
    defaults with the board's vote, which stands beside them: without this entry a test vector has none.
    """
    vote = board_decoder.ON_BOARD["vote"]
    heads = simulation.heads(test_card.draw(simulation.width, simulation.height))
    raw = b"".join(heads[name].tobytes() for name in network.HEAD_NAMES)
    return {
        "heads_crc32": zlib.crc32(raw),
        "heads_sha256": hashlib.sha256(raw).hexdigest(),
        "vote": vote,
        "poses": [pose.wire for pose in board_decoder.decode(heads, card, vote=vote)],
    }
