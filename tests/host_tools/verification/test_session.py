"""Runs whose sentences get lost, a board that reports errors or starts again: against a scripted link."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from conversion import network
from host_tools import time_limits
from host_tools.errors import BoardError, LinkError, VerificationError
from host_tools.serial_link.events import (
    Block,
    BlockLost,
    Digest,
    Event,
    Hello,
    Print,
    Restarted,
    SelfTest,
    Settings,
    Stats,
    Trouble,
)
from host_tools.serial_link.sentences import Frame
from host_tools.serial_link.statistics import Statistics
from host_tools.verification import session as sessions
from host_tools.verification.model import Model, checksums, joined
from host_tools.verification.session import Session
from tests.patience import exactly

HELLO = Hello(1, "0.1.0", 7, "MaixPy", "v0.6.3", "maix_bit", 0, 96, 80, 320, 240, 1, "0" * 64, 720, 115200)
SETTINGS = Settings(0, 5, 16384, 20, 0, 0, 10000, 0, 50, 20, 8)
SELF_TEST = SelfTest(1, 0, 1, 1, 5, 5, "PASS")


class ScriptedLink:
    """Gives the events of one script after each request; each run gets the next frame number."""

    port = "the port"
    hello = HELLO

    def __init__(self, *scripts: list[Event]) -> None:
        self.statistics = Statistics()
        self.asked: list[tuple] = []
        self.polled: list[float] = []
        self._scripts = list(scripts)
        self._events: list[Event] = []
        self._frame = 0

    def ask(self, kind: str, *fields: int, **limits: float) -> int:
        self.asked.append((kind, *fields))
        if kind == "SETTINGS":
            return 0
        self._frame += 1
        self._events = self._scripts.pop(0) if self._scripts else []
        return self._frame

    def wait_for(self, kind: type, seconds: float) -> Event:
        return SETTINGS

    def poll(self, seconds: float) -> list[Event]:
        self.polled.append(seconds)
        events, self._events = self._events, []
        return events


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limits, "RUN_SILENCE", exactly(0.2))
    monkeypatch.setattr(time_limits, "DRAWING", exactly(30.0))


def frame(number: int) -> Frame:
    return Frame(number, 0, 2, {}, ())


def digest(number: int) -> Digest:
    return Digest(number, 1, dict.fromkeys(network.HEAD_NAMES, 2))


def stats(frames: int) -> Stats:
    return Stats(0, 2, frames, *[0] * 10)


def trouble(code: int) -> Trouble:
    return Trouble(code, 1, "something")


def session(model: Model, *scripts: list[Event]) -> Session:
    return Session(ScriptedLink(*scripts), model, HELLO)


def test_a_whole_run(model: Model) -> None:
    run = session(model, [Print("x"), frame(9), frame(1), digest(9), trouble(41), digest(1)]).run("RUN", 0, heads=False)
    assert (run.frame, run.crc32, run.heads) == (1, 1, None)


@pytest.mark.parametrize(
    "events", [[], [frame(1)], [digest(1)], [frame(2), digest(2)], [stats(1)], [BlockLost("HEADS", 1, "x")]]
)
def test_a_run_that_is_not_whole_is_asked_for_again(model: Model, events: list[Event]) -> None:
    asked = session(model, events, [frame(2), digest(2)])
    assert asked.run("RUN", 0, heads=False).frame == 2
    assert asked.link.asked[1:] == [("RUN", 0), ("RUN", 0)]


def test_a_self_test_whose_end_is_lost_is_over_when_the_board_counts_its_frame(model: Model) -> None:
    asked = session(model, [frame(1), digest(1), stats(0), stats(1)], [frame(2), digest(2), SelfTest(2, *[0] * 5, "")])
    assert asked.run("SELFTEST", 0, heads=False).self_test.frame == 2


def test_a_self_test_without_its_checksums_is_asked_for_again(model: Model) -> None:
    asked = session(model, [frame(1), SELF_TEST], [frame(2), digest(2), SelfTest(2, *[0] * 5, "")])
    assert asked.run("SELFTEST", 0, heads=False).frame == 2


def test_heads_are_those_of_the_frame(model: Model) -> None:
    heads = model.simulation.heads(np.zeros((3, *reversed(model.size)), np.uint8))
    asked = session(model, [frame(1), digest(1), stats(1), Block("JPEG", b"x", 3), Block("HEADS", joined(heads), 1)])
    run = asked.run("HEADS", heads=True)
    assert checksums(run.heads) == checksums(heads)


def test_heads_of_another_size_are_another_models(model: Model) -> None:
    asked = session(model, [frame(1), digest(1), Block("HEADS", b"x" * 99, 1)])
    with pytest.raises(VerificationError, match=r"the board's heads have 99 bytes.*run `deploy`"):
        asked.run("HEADS", heads=True)


def test_it_gives_up_after_some_runs(model: Model) -> None:
    asked = session(model)
    asked.link.statistics.damaged = 12
    with pytest.raises(LinkError, match=r"the port: of 10 runs none has arrived whole \(12 damaged lines so far\)"):
        asked.run("RUN", 0, heads=False)


def test_an_error_of_the_board_ends_it_at_once(model: Model) -> None:
    with pytest.raises(BoardError, match="the board reports error 33: something; run `make flash`"):
        session(model, [frame(1), trouble(33)]).run("RUN", 0, heads=False)


def test_a_restart_ends_it_at_once(model: Model) -> None:
    with pytest.raises(LinkError, match="the board has restarted during the verification"):
        session(model, [Restarted(HELLO)]).run("RUN", 0, heads=False)


def test_another_boot_number_is_a_restart(model: Model) -> None:
    asked = session(model)
    asked.check_boot()
    asked.link.hello = SimpleNamespace(boot=8)
    with pytest.raises(LinkError, match="restarted"):
        asked.check_boot()


def test_what_came_before_a_question_is_dropped_without_waiting(model: Model) -> None:
    asked = session(model)
    assert asked.link.asked == [("SETTINGS",)]
    assert asked.link.polled == [0]


class StartingLink:
    """A board that takes no frames until it has been greeted so often; `asked` are the sentences that it got."""

    port = "the port"

    def __init__(self, model: Model, state: int, greetings: int) -> None:
        self.statistics = Statistics()
        self.asked: list[str] = []
        self._state, self._left = state, greetings
        sha256, size = model.sha256, len(model.data)
        self._ready = replace(HELLO, kmodel_sha256=sha256, kmodel_bytes=size)

    @property
    def hello(self) -> Hello:
        """Of a program without a kmodel as long as it starts."""
        return self._ready if self._left <= 0 else replace(self._ready, kmodel_bytes=0, source=-1)

    def greet(self) -> Hello:
        return self.hello

    def ask(self, kind: str, *fields: int, **limits: object) -> int:
        self.asked.append(kind)
        self._left -= kind == "HELLO"
        return 0

    def wait_for(self, kind: type, seconds: float) -> Event:
        return SETTINGS if kind is Settings else replace(stats(0), state=self._state)

    def poll(self, seconds: float) -> list[Event]:
        return [self.hello] if self.asked[-1:] == ["HELLO"] else []


STARTING, RUNNING, PAUSED, WAITING = 0, 1, 2, 3


@pytest.mark.parametrize(
    ("state", "greetings", "asked", "told"),
    [
        (RUNNING, 0, ["STATS", "PAUSE", "SETTINGS", "RESUME"], []),
        (PAUSED, 0, ["STATS", "PAUSE", "SETTINGS"], []),
        (STARTING, 2, ["STATS", "HELLO", "HELLO", "STATS", "PAUSE", "SETTINGS", "RESUME"], ["the board is starting"]),
        (WAITING, 1, ["STATS", "RESUME", "HELLO", "STATS", "PAUSE", "SETTINGS", "RESUME"], []),
    ],
)
def test_a_board_is_waited_for_paused_and_left_as_it_was(
    model: Model, monkeypatch: pytest.MonkeyPatch, state: int, greetings: int, asked: list[str], told: list[str]
) -> None:
    """A board that waits after an error is told to try again; one that was paused stays so."""
    monkeypatch.setattr(sessions, "_ASK_AGAIN_SECONDS", 0.01)
    link, said = StartingLink(model, state, greetings), []
    with sessions.opened(link, model, said.append) as opened:
        assert opened.hello.kmodel_sha256 == model.sha256
    assert link.asked == asked
    assert said == told


@pytest.mark.parametrize("change", [{"kmodel_sha256": "1" * 64}, {"kmodel_sha256": None}, {"kmodel_bytes": 9}])
def test_a_board_with_another_kmodel_goes_on(model: Model, change: dict) -> None:
    link = StartingLink(model, RUNNING, 0)
    link._ready = replace(link._ready, **change)
    with pytest.raises(BoardError, match="the board runs a kmodel of 96x80"), sessions.opened(link, model, print):
        raise AssertionError("this board does not run the model")
    assert link.asked == ["STATS", "PAUSE", "RESUME"]
