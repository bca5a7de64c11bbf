"""A raised speed: kept up, given up, followed down; and a board that does not listen while it tests itself."""

import threading
import time
from collections.abc import Callable

import pytest

from host_tools import time_limits
from host_tools.serial_link import link as link_module
from host_tools.serial_link import sentences
from host_tools.serial_link.events import SelfTest
from host_tools.serial_link.refusal import Refused
from host_tools.serial_link.sentences import Sentence
from host_tools.serial_link.speed import RATES, raise_speed
from host_tools.time_limits import Tries
from tests.host_tools.peer import collected, linked, polite, reply, silent
from tests.patience import HANG_SECONDS, exactly


def test_a_raised_speed_is_kept_up_and_lowered_at_the_end() -> None:
    with linked() as (peer, link):
        assert link.raise_baud(460800) is True
        assert link.baud == 460800
        begin = len(peer.heard)
        collected(link, lambda events: len(peer.heard) - begin >= 2)
        assert {each.kind for each in peer.heard[begin:]} == {"PING"}
    assert (peer.heard[-1].kind, peer.heard[-1].fields[1]) == ("BAUD", "115200")


def test_a_host_at_the_usual_speed_says_that_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board sends fewer frames to a line from which nothing comes."""
    monkeypatch.setattr(link_module, "LISTENING_SECONDS", 0.2)
    with linked() as (peer, link):
        link.greet()
        begin = len(peer.heard)
        collected(link, lambda events: len(peer.heard) - begin >= 2)
        assert {each.kind for each in peer.heard[begin:]} == {"PING"}


def test_a_rate_is_proved_before_the_board_gives_it_up() -> None:
    """It falls back after 3 s without a sentence; so every failed rate costs about as long, and no more."""
    proof = time_limits.SPEED_ANSWER.seconds * time_limits.SPEED_ANSWER.usual + link_module.CHANGE_SECONDS
    proof += time_limits.SPEED_PING.seconds * time_limits.SPEED_PING.usual
    assert proof < 3.0
    waited = time_limits.USUAL_SPEED_PING.seconds * time_limits.USUAL_SPEED_PING.usual
    assert waited > 3.0


def test_nothing_is_said_to_what_has_not_shown_itself_as_a_board(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "LISTENING_SECONDS", 0.0)
    with linked() as (peer, link):
        for _ in range(3):
            peer.send(b"some other program\r\n")
            link.poll(0.05)
        assert peer.heard == []


def test_a_raised_speed_that_carries_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The board answers the change, then nothing until it has fallen back."""
    monkeypatch.setattr(time_limits, "SPEED_PING", Tries(0.3, 1))
    asked: list[str] = []

    def answer(sentence: Sentence) -> bytes:
        asked.append(sentence.kind)
        return b"" if 0 < asked.count("PING") <= time_limits.SPEED_PING.times else polite(sentence)

    with linked(answer) as (_, link):
        assert link.raise_baud(460800) is False
        assert link.baud == 115200
        assert link.ask("PING") == 1


def test_a_board_that_falls_back_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limits, "RAISED_SILENCE", exactly(1.5))
    with linked() as (peer, link):
        assert link.raise_baud(460800)
        peer.answer = silent
        collected(link, lambda events: link.baud == 115200)
        assert link.statistics.fallbacks == 1
        assert peer.heard[-1].kind in ("PING", "HELLO")
        peer.answer = polite
        assert link.ask("PING") == 1


def test_a_question_that_a_raised_speed_swallows_is_asked_at_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The board has fallen back before its silence was long enough to be noticed."""
    monkeypatch.setattr(time_limits, "USUAL_SPEED_PING", Tries(0.2, 5))
    few = Tries(0.02, 1)
    with linked() as (peer, link):
        assert link.raise_baud(460800)
        begin = len(peer.heard)
        peer.answer = lambda sentence: polite(sentence) if len(peer.heard) - begin > few.times + 1 else b""
        assert link.ask("PAUSE", tries=few) == 1
        assert link.baud == 115200
        assert link.statistics.fallbacks == 1
        assert link.failed_rates == {460800}


def test_a_raised_speed_that_answers_late_is_kept() -> None:
    with linked() as (peer, link):
        assert link.raise_baud(460800)
        begin = len(peer.heard)
        peer.answer = lambda sentence: polite(sentence) if len(peer.heard) - begin > 1 else b""
        assert link.ask("PAUSE", tries=Tries(0.1, 4)) == 1
        assert link.baud == 460800


def test_a_rate_that_the_board_refuses_changes_nothing() -> None:
    with linked(lambda sentence: reply(sentence, 2, 0, "rate must be from 9600 to 4000000")) as (_, link):
        with pytest.raises(Refused, match="rate must be"):
            link.raise_baud(1200)
        assert link.baud == 115200


def deaf_at(*rates: int) -> Callable[[Sentence], bytes]:
    """A board on a line that carries nothing at these rates: it hears no ping until it has fallen back."""
    unheard = 0

    def answer(sentence: Sentence) -> bytes:
        nonlocal unheard
        if sentence.kind == "BAUD" and int(sentence.fields[1]) in rates:
            unheard = time_limits.SPEED_PING.times
        elif sentence.kind == "PING" and unheard:
            unheard -= 1
            return b""
        return polite(sentence)

    return answer


def test_a_host_raises_the_speed_by_itself_to_what_the_line_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limits, "SPEED_PING", Tries(0.3, 1))
    with linked(deaf_at(1_500_000)) as (peer, link):
        assert raise_speed(link) == [1_500_000]
        assert link.baud == 921_600
        begin = len(peer.heard)
        # What failed once is not tried again.
        assert raise_speed(link) == []
        assert [each.fields[1] for each in peer.heard[begin:] if each.kind == "BAUD"] == ["921600"]


def test_a_line_that_carries_nothing_faster_stays_and_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limits, "SPEED_PING", Tries(0.3, 1))
    with linked(deaf_at(*RATES)) as (peer, link):
        assert raise_speed(link) == [*RATES]
        assert link.baud == 115_200
        begin = len(peer.heard)
        assert raise_speed(link) == []
        assert len(peer.heard) == begin
        assert link.ask("PING") == 1


def test_the_first_rate_that_works_is_taken() -> None:
    with linked() as (peer, link):
        assert raise_speed(link) == []
        assert link.baud == RATES[0]
        assert [each.kind for each in peer.heard] == ["BAUD", "PING"]


def test_nothing_is_sent_right_after_the_answer() -> None:
    """The board still listens at the old rate for 18 ms then."""
    moments: dict[str, float] = {}

    def answer(sentence: Sentence) -> bytes:
        moments.setdefault(sentence.kind, time.monotonic())
        return polite(sentence)

    with linked(answer) as (_, link):
        raise_speed(link)
    assert moments["PING"] - moments["BAUD"] >= 0.025


def test_a_raised_speed_that_is_lost_is_not_raised_to_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limits, "RAISED_SILENCE", exactly(1.5))
    with linked() as (peer, link):
        raise_speed(link)
        peer.answer = silent
        collected(link, lambda events: link.baud == 115200)
        peer.answer = polite
        assert raise_speed(link) == []
        assert link.baud == RATES[1]


def test_while_a_board_tests_itself_its_silence_is_no_loss() -> None:
    """It draws for seconds, then says the result, then answers what was asked meanwhile."""
    asked: list[Sentence] = []

    def answer(sentence: Sentence) -> bytes:
        asked.append(sentence)
        return reply(sentence, value=3) if sentence.kind == "SELFTEST" else b""

    def finish() -> None:
        peer.send(sentences.made("SELFTEST", 3, 0, 1, 1, 2, 2, "passed"))
        time.sleep(0.3)
        peer.send(reply(asked[-1], value=8))

    with linked(answer) as (peer, link):
        assert link.ask("SELFTEST", 0) == 3
        timer = threading.Timer(1, finish)
        timer.start()
        assert link.ask("PING", tries=Tries(0.1, 1)) == 8
        timer.join()
        assert link.wait_for(SelfTest, HANG_SECONDS).result == 0
