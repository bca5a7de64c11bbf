"""A host that asks: sentences at set times, and the board's replies by request."""

from __future__ import annotations

from tests.firmware.app import sentences
from tests.firmware.app.board import Board


def replies(found: list[sentences.Sentence]) -> dict[int, tuple]:
    """Of each request: (status, value, text) of its last reply."""
    return {fields[0]: fields[1:] for fields in sentences.of(found, "REPLY")}


def asked(*bodies: str, board: Board | None = None, end_ms: int = 4000) -> tuple[list[sentences.Sentence], Board]:
    """A run in which the host sends these sentences, one every 300 ms from the first second on."""
    board = board or Board()
    for number, body in enumerate(bodies):
        board.tell(1000 + 300 * number, body)
    return board.run(end_ms), board
