"""How commands end whose messages quote what means harm, or whose output nobody takes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from host_tools import cli
from host_tools.errors import HostToolError
from tests import command_line
from tests.host_tools import fake_board
from tests.hostile import limited


def ended(take: Callable[[], object]) -> command_line.Ended:
    return command_line.ended(lambda: cli.main.ended(take))


def failed(error: Exception) -> command_line.Ended:
    def fail() -> None:
        raise error

    return ended(fail)


@pytest.mark.parametrize(
    "error",
    [HostToolError(f"{fake_board.ESCAPES}\ud800"), OSError(5, "Input/output error", f"x{fake_board.ESCAPES}")],
    ids=["ours", "the system's"],
)
def test_a_message_that_quotes_what_means_harm_is_printable(error: Exception) -> None:
    found = failed(error)
    assert found.exit_code == limited.REFUSED
    assert found.stderr.startswith("error: ")
    assert not limited.unprintable(found.stderr.encode())


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_what_is_told_to_end_has_the_exit_code_of_that(how: signal.Signals, code: int) -> None:
    found = ended(lambda: os.kill(os.getpid(), how))
    assert (found.exit_code, found.stderr) == (code, "stopped\n")


def test_a_message_has_an_end() -> None:
    assert len(failed(HostToolError("x" * 1_000_000)).stderr) < 6000
