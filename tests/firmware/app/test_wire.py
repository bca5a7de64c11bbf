"""Sentences: made and read by the firmware, checked by a parser that knows nothing of it but the table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import pose_wire
from tests.firmware.app import sentences

BODIES = st.from_regex(r"\A[A-Z]{1,12}(,[ -#%-)+-~]{0,40}){0,6}\Z")


def line(body: bytes) -> bytes:
    writer = pose_wire.Writer(pose_wire.MAX_SENTENCE)
    writer.sentence(body)
    return bytes(writer.view[: writer.size])


def test_the_crc_is_ccitt_false() -> None:
    assert pose_wire.crc16(b"123456789") == 0x29B1
    assert pose_wire.crc16(b"") == 0xFFFF


@given(BODIES)
def test_what_is_written_is_what_the_table_says(body: str) -> None:
    written = line(body.encode())
    assert written == f"${body}*{sentences.crc(body)}\r\n".encode()
    assert pose_wire.parse(written) == body.encode().split(b",")


@given(BODIES, st.integers(0, 400), st.integers(1, 255))
def test_a_changed_byte_never_gives_another_sentence(body: str, at: int, change: int) -> None:
    written = bytearray(sentences.made(body))
    at %= len(written) - 2
    written[at] ^= change
    parsed = pose_wire.parse(bytes(written))
    assert not parsed, (body, bytes(written))


@given(st.binary(max_size=1100))
def test_any_bytes_are_survived(data: bytes) -> None:
    assert not pose_wire.parse(data) or data.count(b"$")


@pytest.mark.parametrize(
    ("data", "result"),
    [
        (b"", None),
        (b"hello world", None),
        (b"it costs $5*3", None),
        (b"$", None),
        (b"$ping,1*0000", None),
        (b"$PING,1", ()),
        (b"$PING,1*12345", ()),
        (b"$*FFFF", None),
        (b"$A" + b"B" * 1024 + b"*0000", ()),
    ],
)
def test_lines_that_are_none_and_broken_ones(data: bytes, result: object) -> None:
    assert pose_wire.parse(data) == result


def test_chunks_are_the_longest_that_base64_fills() -> None:
    """Three bytes are four characters, so none is padded; the host's just fits, with the longest fields."""
    assert pose_wire.BOARD_CHUNK % 3 == pose_wire.HOST_CHUNK % 3 == 0
    for size, fits in ((pose_wire.HOST_CHUNK, True), (pose_wire.HOST_CHUNK + 30, False)):
        body = f"CHUNK,65535,4294967295,{'A' * (size // 3 * 4)}"
        assert (len(sentences.made(body)) <= pose_wire.MAX_SENTENCE) == fits


def test_noise_before_a_sentence_does_not_matter() -> None:
    assert pose_wire.parse(b"\xff\x00garbage$ $BAD*1234" + sentences.made("PING,1")) == [b"PING", b"1"]


def test_small_letters_in_the_crc_are_refused() -> None:
    written = b"$PING,1*%04X" % pose_wire.crc16(b"PING,1")
    assert pose_wire.parse(written) == [b"PING", b"1"]
    lower = written[:-4] + written[-4:].lower()
    assert lower != written
    assert pose_wire.parse(lower) == ()


def test_what_a_text_must_not_hold_is_escaped_and_nothing_else() -> None:
    """The signs of sentences, the sign of the escape itself, and all that is not printable ASCII."""
    assert pose_wire.escaped("a%41,$*\n\x7f~ é") == b"a%2541%2C%24%2A%0A%7F~ %C3%A9"
    harmless = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in "$*,%")
    assert pose_wire.escaped(harmless) == harmless.encode()


@given(st.text(max_size=300))
def test_texts_come_through(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    writer = pose_wire.Writer(pose_wire.MAX_SENTENCE)
    writer.text(b"REPLY,1,2,3", text)
    found = sentences.sentence(bytes(writer.view[: writer.size]))
    assert found.fields[:3] == (1, 2, 3)
    assert text.startswith(found.fields[3])
    assert len(found.fields[3]) == len(text) or found.size > 1024 - 12


def test_the_longest_sentence_has_1024_bytes() -> None:
    """With `$`, checksum and the line's end, both when it is written and when it is read."""
    writer = pose_wire.Writer(2048)
    writer.text(b"ERROR,50,1", "x" * 2000)
    assert writer.size == 1024
    assert pose_wire.parse(bytes(writer.view[:1024]))[:3] == [b"ERROR", b"50", b"1"]
    body = "ERROR,50,1," + "x" * (1025 - len("$ERROR,50,1,*CRC0\r\n"))
    assert len(sentences.made(body)) == 1025
    assert pose_wire.parse(sentences.made(body)) == pose_wire.DAMAGED


def test_a_text_that_is_too_long_is_cut() -> None:
    writer = pose_wire.Writer(pose_wire.MAX_SENTENCE)
    writer.text(b"ERROR,50,1", "ä%" * 1000)
    found = sentences.sentence(bytes(writer.view[: writer.size]))
    assert 1000 < found.size <= 1024
    assert found.fields[2].startswith("ä%ä%")


@pytest.mark.parametrize(
    ("field", "value"),
    [(b"0", 0), (b"-12", -12), (b"000123", 123), (b"4294967295", 2**32 - 1)]
    + [(field, None) for field in (b"", b"-", b"+1", b" 1", b"1 ", b"1_0", b"0x10", b"1.0", b"1" * 19, b"\xb9")],
)
def test_integers(field: bytes, value: int | None) -> None:
    assert pose_wire.integer(field) == value
