"""Conversations over a real pseudo-terminal: questions, answers, events, the raised speed; what goes wrong, named."""

from __future__ import annotations

import threading
import time

import pytest

from host_tools.errors import LinkError
from host_tools.serial_link import sentences
from host_tools.serial_link.events import Hello, Print, Restarted, Settings, Stats, Trouble
from host_tools.serial_link.link import Link
from host_tools.serial_link.refusal import Refused
from host_tools.serial_link.sentences import Frame, Sentence
from host_tools.time_limits import Tries
from tests.host_tools.peer import Peer, collected, hello, linked, reply
from tests.patience import HANG_SECONDS

SETTINGS = sentences.made("SETTINGS", 0, 5, 16384, 20, 0, 0, 0, 0, 50)
EMPTY_FRAME = sentences.made("FRAME", 4, 1000, 0, 0, 1, 2, 3, 4, 5)


def test_greeting_and_asking() -> None:
    with linked() as (peer, link):
        assert link.greet().board == "maix_bit"
        assert link.hello == link.greet()
        assert link.ask("POSES", 3, None, 20, None) == 1
    assert peer.heard[-1].kind == "POSES"
    assert peer.heard[-1].fields[1:] == ("3", "", "20", "")
    ids = [int(each.fields[0]) for each in peer.heard]
    assert len(set(ids)) == len(ids)
    assert all(1 <= each <= 65535 for each in ids)


def test_only_a_self_test_makes_a_board_deaf_for_a_while() -> None:
    """Whoever asks something else is not made to wait for the end of what has not begun."""
    with linked() as (_, link):
        link.ask("POSES", 3, None, None, None)
        assert link._busy_until == 0.0
        link.ask("SELFTEST", 0)
        assert link._busy_until > time.monotonic()


def test_a_question_is_repeated_with_its_id_until_answered() -> None:
    def slow(sentence: Sentence) -> bytes:
        return reply(sentence, value=9) if len(peer.heard) >= 3 else b""

    with Peer() as peer, Link(peer.port) as link:
        peer.answer = slow
        assert link.ask("PING", tries=Tries(0.1, 100)) == 9
    assert len(peer.heard) >= 3
    assert len(set(peer.heard)) == 1


def test_answers_to_other_questions_are_passed_over() -> None:
    def confused(sentence: Sentence) -> bytes:
        other = int(sentence.fields[0]) % 65535 + 1
        return sentences.made("REPLY", other, 0, 5, "") + reply(sentence, value=6)

    with linked(confused) as (_, link):
        assert link.ask("PING") == 6


def test_a_refusal_has_code_text_and_remedy() -> None:
    with linked(lambda sentence: reply(sentence, 6, 0, "no model")) as (peer, link):
        with pytest.raises(Refused) as caught:
            link.ask("HEADS")
        assert (caught.value.code, caught.value.text) == (6, "no model")
        assert str(caught.value).startswith(f"{peer.port}: the board refused HEADS (6: no model); ")


def test_events_before_an_answer_are_for_the_next_poll_in_their_order() -> None:
    def talkative(sentence: Sentence) -> bytes:
        return EMPTY_FRAME + SETTINGS + b"hello\r\n" + reply(sentence) + sentences.made("ERROR", 31, 2, "late")

    with linked(talkative) as (_, link):
        link.ask("MODE", 0)
        events = collected(link, lambda events: len(events) >= 4)
    assert [type(event) for event in events] == [Frame, Settings, Print, Trouble]
    assert events[3] == Trouble(31, 2, "late")


def test_waiting_for_an_event_leaves_the_others() -> None:
    with linked(lambda sentence: EMPTY_FRAME + SETTINGS + b"after\r\n" + reply(sentence)) as (_, link):
        link.ask("SETTINGS")
        assert link.wait_for(Settings, HANG_SECONDS).max_poses == 5
        assert [type(event) for event in link.poll(HANG_SECONDS)] == [Frame, Print]
        begin = time.monotonic()
        with pytest.raises(LinkError, match=r"no Stats or Hello within 0\.3 s"):
            link.wait_for((Stats, Hello), 0.3)
        assert time.monotonic() - begin >= 0.3


def test_poll_returns_when_something_comes_and_at_its_time() -> None:
    with linked() as (peer, link):
        begin = time.monotonic()
        assert link.poll(0.3) == []
        assert time.monotonic() - begin > 0.25
        assert link.poll(0) == []
        timer = threading.Timer(0.2, peer.send, [SETTINGS])
        timer.start()
        begin = time.monotonic()
        assert len(link.poll(HANG_SECONDS)) == 1
        assert time.monotonic() - begin < HANG_SECONDS
        timer.join()


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("ping", ()), ("PING", ("$",)), ("PING", ("*",)), ("PING", ("\r\n",)), ("PING", ("é",)), ("A", ("A" * 1100,))],
)
def test_what_is_no_sentence_is_not_sent(kind: str, fields: tuple) -> None:
    with linked() as (peer, link), pytest.raises(ValueError, match="cannot be a sentence"):
        link.ask(kind, *fields)
    assert peer.heard == []


def test_a_restart_is_told_before_its_hello() -> None:
    with linked() as (peer, link):
        link.greet()
        peer.send(sentences.made("BULK", 1, "HEADS", 800, 384, 1, 9) + hello(boot=78))
        events = collected(link, lambda events: any(isinstance(event, Hello) for event in events))
    assert [type(event).__name__ for event in events] == ["BlockLost", "Restarted", "Hello"]
    assert events[1] == Restarted(events[2])
    assert link.statistics.restarts == 1


def test_frame_numbers_that_begin_anew_make_it_ask_who_is_there() -> None:
    with linked() as (peer, link):
        link.greet()
        peer.answer = lambda sentence: hello(boot=90) + reply(sentence)
        peer.send(EMPTY_FRAME + sentences.made("FRAME", 1, 5, 0, 0, 1, 2, 3, 4, 5))
        events = collected(link, lambda events: any(isinstance(event, Restarted) for event in events))
        assert link.statistics.missed == 0
    assert events[-1].boot == 90
