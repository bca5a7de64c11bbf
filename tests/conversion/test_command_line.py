"""How a command ends that is stopped: by 130, whatever goes wrong while its things are put away."""

from __future__ import annotations

import os
import signal
import time

import click
import pytest

from conversion import command_line


class OwnError(Exception):
    """What a user can mend."""


class Group(command_line.Commands):
    """A group of a test."""

    errors = (OwnError,)
    failed_checks = (OwnError,)

    def extra_of(self, command: str | None) -> str:
        return "host"


def ended(take: object) -> int:
    with pytest.raises(SystemExit) as end:
        Group("test").ended(take)
    return end.value.code


@pytest.fixture(autouse=True)
def own_signals() -> object:
    kept = {number: signal.getsignal(number) for number in command_line.SIGNALS}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def interrupt(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)
    time.sleep(30)


@pytest.mark.parametrize("number", command_line.SIGNALS)
def test_a_signal_is_130(number: int) -> None:
    assert ended(lambda: interrupt(number)) == 130


def test_what_fails_while_it_is_put_away_is_not_why_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    def take() -> None:
        try:
            interrupt()
        finally:
            raise OwnError("the port is gone")

    assert ended(take) == 130
    assert capsys.readouterr().err == "stopped\n"


def test_a_check_that_fails_by_itself_is_1() -> None:
    def take() -> None:
        raise OwnError("differs")

    assert ended(take) == 1


def test_a_second_signal_does_not_stop_what_puts_things_away() -> None:
    done: list[int] = []

    def take() -> None:
        try:
            interrupt()
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            done.append(1)

    assert ended(take) == 130
    assert done


def test_ctrl_c_at_a_question_is_130() -> None:
    def take() -> None:
        raise click.Abort

    assert ended(take) == 130


def test_what_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert signal.SIGHUP not in command_line.heeded()
