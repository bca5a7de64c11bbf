"""What a line's bytes become, and what is counted: frames that were left out, echoes, restarts, storms."""

from __future__ import annotations

import pytest

from host_tools.serial_link import sentences
from host_tools.serial_link.decoder import Decoder
from host_tools.serial_link.events import BlockLost, Print, Restarted, Stats, Trouble
from host_tools.serial_link.limits import Throttle
from host_tools.serial_link.sentences import Frame, Reader
from tests.host_tools.peer import hello


def frame(number: int, people: int = 0) -> bytes:
    return sentences.made("FRAME", number, 1000, 0, people, 1, 2, 3, 4, 5)


def trouble(code: int = 41) -> bytes:
    return sentences.made("ERROR", code, 1, "something")


def test_numbers_that_were_left_out_are_missed() -> None:
    decoder = Decoder()
    for number, missed in ((5, 0), (6, 0), (8, 1), (12, 4), (12, 4), (13, 4)):
        decoder.feed(frame(number), 0)
        assert decoder.statistics.missed == missed, number
    assert decoder.statistics.frames == decoder.statistics.sentences == 6
    assert decoder.statistics.bytes == 2 * len(frame(5)) + len(frame(8)) + 3 * len(frame(12))


def test_numbers_that_do_not_go_on_make_it_unsure_until_a_greeting() -> None:
    for again in (7, 6):
        decoder = Decoder()
        decoder.feed(frame(6) + frame(7), 0)
        assert not decoder.unsure
        decoder.feed(frame(again), 0)
        assert decoder.unsure
        decoder.feed(frame(8), 0)
        assert decoder.unsure
        decoder.feed(hello(), 0)
        assert not decoder.unsure


def test_after_a_restart_numbers_begin_anew() -> None:
    decoder = Decoder()
    assert [type(event).__name__ for event in decoder.feed(hello(1) + frame(90), 0)] == ["Hello", "Frame"]
    assert [type(event).__name__ for event in decoder.feed(hello(1), 0)] == ["Hello"]
    assert decoder.statistics.restarts == 0
    decoder.feed(frame(91, people=1), 0)
    events = decoder.feed(hello(2) + frame(1), 0)
    assert [type(event).__name__ for event in events] == ["Restarted", "Hello", "Frame"]
    assert events[0] == Restarted(decoder.hello)
    counted = decoder.statistics
    assert (counted.restarts, counted.missed, counted.torn, decoder.unsure) == (1, 0, 1, False)


def test_what_the_host_said_itself_is_an_echo() -> None:
    decoder = Decoder()
    (decoder.own,) = Reader().feed(trouble())
    assert decoder.feed(trouble(), 0) == []
    assert decoder.feed(trouble(42), 0) == [Trouble(42, 1, "something")]
    assert (decoder.echoes, decoder.statistics.sentences) == (1, 2)


def test_what_the_prompt_says_to_a_sentence_of_the_host_is_no_error_of_the_board() -> None:
    decoder = Decoder()
    asked = sentences.made("HELLO", 7)
    decoder.own = sentences.read(asked.rstrip())
    answer = b'Traceback (most recent call last):\r\n  File "<stdin>", line 1\r\nSyntaxError: invalid syntax\r\n'
    own = b">>> " + asked + answer
    theirs = b'Traceback (most recent call last):\r\n  File "main.py", line 1\r\nOSError: 5\r\n'
    assert decoder.feed(own, 0) == []
    for told in (answer, theirs):
        said = [event.text for event in decoder.feed(told, 0)]
        assert said == told.decode().splitlines()


def test_prints_keep_their_place_between_sentences() -> None:
    decoder = Decoder()
    events = decoder.feed(b"one\r\n" + frame(1) + b"two\r\n" + trouble() + b"three\r\n", 0)
    assert [event.text if isinstance(event, Print) else type(event) for event in events] == (
        ["one", Frame, "two", Trouble, "three"]
    )


def test_what_was_half_there_is_lost_with_the_port() -> None:
    decoder = Decoder()
    decoder.feed(frame(1, people=1) + sentences.made("BULK", 1, "HEADS", 500, 384, 5, 1) + trouble()[:-4], 0)
    assert decoder.interrupted() == [BlockLost("HEADS", 1, "2 of 2 chunks are missing: the port was lost")]
    assert decoder.feed(trouble()[-4:] + trouble(), 0) == [Trouble(41, 1, "something")]
    assert (decoder.statistics.torn, decoder.statistics.damaged) == (1, 0)


def test_what_the_change_of_speed_cuts_in_two_is_no_damage() -> None:
    decoder = Decoder()
    assert decoder.feed(trouble()[:-4], 0) == []
    decoder.cut()
    assert decoder.feed(trouble()[4:] + trouble(), 0) == [Trouble(41, 1, "something")]
    assert decoder.statistics.damaged == 0


def test_damaged_cut_and_absurd_sentences_are_counted_apart() -> None:
    decoder = Decoder()
    decoder.feed(trouble().replace(b"some", b"Some"), 0)
    assert decoder.statistics.damaged == 1
    decoder.feed(b"$ERROR,41" + trouble(), 0)
    assert decoder.statistics.damaged == 2
    decoder.feed(frame(-1), 0)
    assert decoder.statistics.absurd == 1
    decoder.feed(sentences.made("ERROR", 0, 1, ""), 0)
    assert (decoder.statistics.damaged, decoder.statistics.absurd) == (2, 2)


def test_a_pose_behind_a_lost_one_is_no_absurd_one() -> None:
    pose = [sentences.made("POSE", 1, index, 100, *range(51)) for index in range(3)]
    decoder = Decoder()
    decoder.feed(frame(1, people=3) + pose[0] + pose[2], 0)
    assert (decoder.statistics.torn, decoder.statistics.absurd) == (1, 0)


@pytest.mark.parametrize(
    ("size", "chunk_bytes", "taken"),
    [(1, 384, True), (1 << 18, 384, True), ((1 << 18) + 1, 384, False), (500, 64, True), (500, 63, False)],
)
def test_what_a_board_may_announce(size: int, chunk_bytes: int, taken: bool) -> None:
    """A quarter of a megabyte, four times the heads of the largest model, and not in crumbs."""
    decoder = Decoder()
    decoder.feed(sentences.made("BULK", 1, "HEADS", size, chunk_bytes, 5, 1), 0)
    assert decoder.statistics.absurd == (not taken)
    assert len(decoder.interrupted()) == taken


def test_a_storm_of_errors_is_held_back_and_stats_are_not() -> None:
    """Twenty at once, then five a second."""
    decoder = Decoder()
    assert len(decoder.feed(trouble() * 25, 0)) == 20
    assert decoder.statistics.throttled == 5
    assert len(decoder.feed(trouble() * 25, 1)) == 5
    counts = sentences.made("STATS", *[0] * 12, 115200)
    assert [type(event) for event in decoder.feed(counts * 25, 0)] == [Stats] * 25


def test_a_throttle_lets_a_burst_through_and_then_so_many_a_second() -> None:
    throttle = Throttle(burst=3, per_second=2)
    assert [throttle.lets_through(int, 10.0) for _ in range(4)] == [True, True, True, False]
    assert throttle.lets_through(str, 10.0)
    assert not throttle.lets_through(int, 10.25)
    assert throttle.lets_through(int, 10.5)
    assert not throttle.lets_through(int, 10.75)
    assert [throttle.lets_through(int, 100.0) for _ in range(4)] == [True, True, True, False]
    assert throttle.held_back == 4
