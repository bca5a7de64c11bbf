"""Pixels in chunks: encoding, order, what is sent again, what is given up; against the firmware's own Upload."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion.test_card import draw, planes_of
from host_tools import time_limits
from host_tools.errors import LinkError
from host_tools.serial_link import ErrorCode
from host_tools.serial_link.events import Reply
from host_tools.serial_link.refusal import Refused
from host_tools.time_limits import Tries
from host_tools.verification import upload

CHUNK = 720


class FakeBoard:
    """Answers PIXELS and CHUNK as the firmware does; `meddle` may refuse, or change an answer, before."""

    def __init__(self, meddle: Callable[[str, tuple, int], int | None] = lambda kind, fields, asked: None) -> None:
        self.asked: list[tuple] = []
        self.data = bytearray()
        self.crc32 = None
        self._meddle = meddle

    def ask(self, kind: str, *fields: int | str | None, tries: Tries = time_limits.ANSWER) -> int:
        self.asked.append((kind, *fields))
        answer = self._meddle(kind, fields, len(self.asked))
        if answer is not None:
            return answer
        if kind == "PIXELS":
            width, height, self.crc32 = fields
            self.size = 2 * width * height
            self.data.clear()
            return -(-self.size // CHUNK)
        number, field = fields
        assert number * CHUNK == len(self.data)
        self.data += base64.b64decode(field, validate=True)
        return number + 1


def refusal(code: int) -> Refused:
    return Refused("port", "CHUNK", Reply(1, code, 0, "because"))


def words(height: int = 12, width: int = 70) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 1 << 16, (height, width)).astype(np.uint16)


def ignored(done: int, total: int) -> None:
    """Progress does not matter here."""


def test_pixels_have_the_byte_with_red_first() -> None:
    board = FakeBoard()
    picture = np.zeros((1, 4, 3), np.uint8)
    picture[0, 1] = 255, 0, 0
    picture[0, 2] = 0, 255, 0
    picture[0, 3] = 0, 0, 255
    upload.send(board, upload.to_words(picture), CHUNK, ignored)
    assert bytes(board.data) == bytes.fromhex("0000 f800 07e0 001f")


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=50))
def test_colours_are_the_nearest_that_rgb565_can_say(colours: list[tuple[int, int, int]]) -> None:
    picture = np.array([colours], np.uint8)
    planes = planes_of(upload.to_words(picture)).astype(int)
    for plane, most in enumerate((31, 63, 31)):
        levels = (np.arange(most + 1) * 255 + most // 2) // most
        nearest = np.abs(levels[:, None] - picture[0, :, plane].astype(int)).min(0)
        assert np.array_equal(np.abs(planes[plane, 0] - picture[0, :, plane]), nearest)


def test_the_test_card_survives_the_way_through_rgb565() -> None:
    card = draw(96, 80)
    assert np.array_equal(planes_of(upload.to_words(card.transpose(1, 2, 0))), card)


@given(st.integers(1, 40), st.integers(1, 80))
def test_all_bytes_arrive_in_order_with_their_checksum(height: int, width: int) -> None:
    board = FakeBoard()
    seen: list[tuple[int, int]] = []
    picture = words(height, width)
    sent = upload.send(board, picture, CHUNK, lambda done, total: seen.append((done, total)))
    data = picture.astype(">u2").tobytes()
    assert bytes(board.data) == data
    assert board.crc32 == zlib.crc32(data)
    assert (sent.bytes, sent.chunks, sent.starts) == (len(data), -(-len(data) // CHUNK), 1)
    assert seen[-1] == (len(data), len(data))
    assert seen == sorted(seen)


def test_chunks_fit_into_a_sentence() -> None:
    from host_tools.serial_link import sentences

    board = FakeBoard()
    upload.send(board, words(), CHUNK, ignored)
    for kind, *fields in board.asked:
        assert len(sentences.made(kind, 65535, *fields)) <= sentences.MAX_SENTENCE


@pytest.mark.parametrize("code", [ErrorCode.BAD_FIELD, ErrorCode.BAD_CHUNK])
def test_an_upload_that_the_board_has_lost_begins_again(code: int) -> None:
    def meddle(kind: str, fields: tuple, asked: int) -> None:
        # A chunk that is refused for its fields is sent twice before.
        if asked in ((3,) if code == ErrorCode.BAD_CHUNK else (3, 4)):
            raise refusal(code)

    board = FakeBoard(meddle)
    assert upload.send(board, words(), CHUNK, ignored).starts == 2
    assert bytes(board.data) == words().astype(">u2").tobytes()


def test_a_chunk_whose_damage_the_checksum_missed_is_sent_again() -> None:
    def meddle(kind: str, fields: tuple, asked: int) -> None:
        if asked == 3:
            raise refusal(ErrorCode.BAD_FIELD)

    board = FakeBoard(meddle)
    assert upload.send(board, words(), CHUNK, ignored).starts == 1
    assert bytes(board.data) == words().astype(">u2").tobytes()
    assert board.asked[2] == board.asked[3]


def test_it_gives_up_after_a_few_starts() -> None:
    def meddle(kind: str, fields: tuple, asked: int) -> None:
        if kind == "CHUNK":
            raise refusal(ErrorCode.BAD_CHUNK)

    board = FakeBoard(meddle)
    with pytest.raises(Refused, match="because"):
        upload.send(board, words(), CHUNK, ignored)
    assert [kind for kind, *_ in board.asked].count("PIXELS") == 3


def test_what_cannot_be_is_not_tried_again() -> None:
    def meddle(kind: str, fields: tuple, asked: int) -> None:
        raise refusal(6)

    board = FakeBoard(meddle)
    with pytest.raises(Refused):
        upload.send(board, words(), CHUNK, ignored)
    assert len(board.asked) == 1


@pytest.mark.parametrize("wanted", [-1, 0, 1, 4, 10**9])
def test_a_board_that_wants_impossible_chunks_is_given_up(wanted: int) -> None:
    board = FakeBoard(lambda kind, fields, asked: wanted if asked == 3 else None)
    with pytest.raises(LinkError, match=rf"wants {wanted}; .*deploy"):
        upload.send(board, words(), CHUNK, ignored)


def test_a_board_that_counts_chunks_otherwise_is_given_up() -> None:
    board = FakeBoard(lambda kind, fields, asked: 9)
    with pytest.raises(LinkError, match="the board wants 9 chunks for 1680 bytes in pieces of 720"):
        upload.send(board, words(), CHUNK, ignored)


def test_a_board_that_has_later_chunks_already_gets_what_it_wants() -> None:
    """As after an answer that was lost: the board counts on, the host follows."""
    data = words().astype(">u2").tobytes()
    board = FakeBoard(lambda kind, fields, asked: 3 if asked == 3 else None)
    upload.send(board, words(), CHUNK, ignored)
    assert [fields[0] for kind, *fields in board.asked if kind == "CHUNK"] == [0, 1]
    assert bytes(board.data) == data[:CHUNK]
