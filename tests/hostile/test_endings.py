"""How commands end whose messages quote what means harm, or whose output nobody takes."""

from __future__ import annotations

import pytest
import rich_click as click

from host_tools import cli
from host_tools.errors import HostToolError
from tests import command_line
from tests.host_tools import fake_board
from tests.hostile import limited


def ended(error: Exception) -> command_line.Ended:
    def fail() -> None:
        raise error

    group = type(cli.main)("hostile", commands={"fail": click.Command("fail", callback=fail)})
    return command_line.invoke(group, ["fail"])


@pytest.mark.parametrize(
    "error",
    [HostToolError(f"{fake_board.ESCAPES}\ud800"), OSError(5, "Input/output error", f"x{fake_board.ESCAPES}")],
    ids=["ours", "the system's"],
)
def test_a_message_that_quotes_what_means_harm_is_printable(error: Exception) -> None:
    found = ended(error)
    assert found.exit_code == limited.REFUSED
    assert found.stderr.startswith("error: ")
    assert not limited.unprintable(found.stderr.encode())


def test_a_message_has_an_end() -> None:
    assert len(ended(HostToolError("x" * 1_000_000)).stderr) < 6000
