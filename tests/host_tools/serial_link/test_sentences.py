"""Reading the board's line: valid sentences only, whole frames only, whatever else is on it."""

import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.serial_link import sentences
from host_tools.serial_link.sentences import Frames, Reader, Sentence

POSE_TAIL = [100, *range(51)]


def line(kind: str, *fields: object) -> bytes:
    body = ",".join([kind, *map(str, fields)]).encode()
    return b"$%s*%04X\r\n" % (body, binascii.crc_hqx(body, 0xFFFF))


def frame_lines(number: int, people: int) -> list[bytes]:
    poses = [line("POSE", number, index, *POSE_TAIL) for index in range(people)]
    return [line("FRAME", number, 1000, 0, people, 1, 2, 3, 4, 5), *poses]


def frames_in(data: bytes) -> tuple[list[int], Reader, Frames]:
    reader, frames = Reader(), Frames()
    found = [frame.number for sentence in reader.feed(data) if (frame := frames.add(sentence))]
    return found, reader, frames


def test_the_check_value_of_the_crc() -> None:
    """CRC-16/CCITT-FALSE of "123456789", from the catalogue of CRCs, with a type in front it would not be this one."""
    assert binascii.crc_hqx(b"123456789", 0xFFFF) == 0x29B1


def test_a_sentence_has_at_most_1024_bytes() -> None:
    """With `$`, checksum and the line's end, both when it is made and when it is read."""
    text = "x" * (1024 - len("$TEXT,*CRC0\r\n"))
    longest = sentences.made("TEXT", text)
    assert len(longest) == 1024
    assert list(Reader().feed(longest)) == [Sentence("TEXT", (text,))]
    with pytest.raises(ValueError, match="TEXT with 1 fields, 1023 bytes, cannot be a sentence"):
        sentences.made("TEXT", text + "x")
    reader = Reader()
    assert list(reader.feed(line("TEXT", text + "x"))) == []
    assert reader.damaged == 1


def test_a_frame_is_given_out_when_its_last_pose_is_there() -> None:
    reader, frames = Reader(), Frames()
    first, second, third = frame_lines(7, 2)
    assert [frames.add(sentence) for sentence in reader.feed(first + second)] == [None, None]
    (frame,) = (frames.add(sentence) for sentence in reader.feed(third))
    assert (frame.number, frame.t_ms, len(frame.poses)) == (7, 1000, 2)
    assert frame.stages_us == {"capture": 1, "kpu": 2, "decode": 3, "draw": 4, "send": 5}
    assert frame.poses[0].keypoints[:2] == ((0, 1, 2), (3, 4, 5))
    assert frame.to_dict("bit")["poses"][1] == {
        "score": 100,
        "keypoints": [[n, n + 1, n + 2] for n in range(0, 51, 3)],
    }


def test_a_frame_without_people_is_whole_at_once() -> None:
    assert frames_in(b"".join(frame_lines(1, 0)))[0] == [1]


def test_a_torn_frame_is_not_given_out_and_counted() -> None:
    one, two = frame_lines(1, 2), frame_lines(2, 1)
    found, _, frames = frames_in(b"".join(one[:2] + two))
    assert (found, frames.torn) == ([2], 1)


def test_poses_of_another_frame_or_out_of_order_tear_it() -> None:
    one, two = frame_lines(1, 2), frame_lines(2, 2)
    for mixed in ([one[0], two[1], one[2]], [one[0], one[2], one[1]]):
        found, _, frames = frames_in(b"".join(mixed))
        assert found == []
        assert frames.absurd >= 1


def test_absurd_fields_with_a_right_checksum_are_counted() -> None:
    for fields in (
        (1, 1000, 0, 99, 1, 2, 3, 4, 5),
        (-1, 1000, 0, 0, 1, 2, 3, 4, 5),
        (1, 1000),
        ("+1", 1000, 0, 0, 1, 2, 3, 4, 5),
        ("1_0", 1000, 0, 0, 1, 2, 3, 4, 5),
        ("", "", "", "", "", "", "", "", ""),
    ):
        found, _, frames = frames_in(line("FRAME", *fields))
        assert (found, frames.absurd) == ([], 1), fields
    for tail in ([256, *range(51)], [100, 40000, *range(50)], [100, 0, 0, -1, *range(48)]):
        data = line("FRAME", 1, 1, 0, 1, 1, 2, 3, 4, 5) + line("POSE", 1, 0, *tail)
        found, _, frames = frames_in(data)
        assert (found, frames.absurd) == ([], 1), tail


def test_prints_and_tracebacks_are_kept_as_text() -> None:
    data = b"hello\r\nTraceback (most recent call last):\r\n" + b"".join(frame_lines(1, 0)) + b"MemoryError: \xff\r\n"
    found, reader, _ = frames_in(data)
    assert found == [1]
    assert reader.text == ["hello", "Traceback (most recent call last):", "MemoryError: \ufffd"]
    assert reader.damaged == 0


def test_a_sentence_behind_half_of_another_is_read() -> None:
    found, reader, _ = frames_in(b"$FRAME,1,10" + frame_lines(2, 0)[0])
    assert (found, reader.damaged) == ([2], 0)


def test_a_line_without_end_does_not_grow_for_ever() -> None:
    reader = Reader()
    for _ in range(1000):
        assert not list(reader.feed(b"x" * 1000))
    assert len(reader._rest) <= 2 * sentences.MAX_SENTENCE


@given(st.data())
def test_one_changed_byte_is_never_accepted_as_another_frame(data: st.DataObject) -> None:
    whole = b"".join(frame_lines(5, 1))
    position = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[position] = data.draw(st.integers(0, 255).filter(lambda value: value != whole[position]))
    expected = list(Reader().feed(whole))
    assert all(sentence in expected for sentence in Reader().feed(bytes(changed)))


@given(st.lists(st.binary(max_size=80)), st.integers(1, 17))
def test_however_the_bytes_come_the_sentences_are_the_same(noise: list[bytes], step: int) -> None:
    lines = frame_lines(3, 2)
    data = b"".join(part for pair in zip(noise, lines * 40, strict=False) for part in pair)
    at_once = list(Reader().feed(data))
    reader = Reader()
    in_pieces = [sentence for at in range(0, len(data), step) for sentence in reader.feed(data[at : at + step])]
    assert in_pieces == at_once


@given(st.binary(max_size=200))
def test_any_bytes_can_be_read(data: bytes) -> None:
    sentence = sentences.read(data)
    assert sentence is None or isinstance(sentence, Sentence)


@given(st.lists(st.tuples(st.integers(0, 163_839), st.integers(0, 122_879), st.integers(128, 1920)), max_size=4))
def test_a_frame_with_zoom_tells_its_windows(windows: list[tuple[int, int, int]]) -> None:
    more = [41_200, *(number for window in windows for number in window)] if windows else []
    frames = Frames()
    (sentence,) = Reader().feed(line("FRAME", 7, 1000, 0, 0, 1, 2, 3, 4, 5, *more))
    frame = frames.add(sentence)
    assert frame.windows == tuple(windows)
    assert frame.windows_us == (41_200 if windows else 0)
    assert ("windows" in frame.to_dict("a")) == bool(windows)


def test_fields_behind_the_windows_are_a_newer_programs() -> None:
    frames = Frames()
    (sentence,) = Reader().feed(line("FRAME", 7, 1000, 0, 0, 1, 2, 3, 4, 5, 9, *range(12), 1, 2))
    frame = frames.add(sentence)
    assert frame.windows == ((0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11))
