"""Time limits: all in one file, each in use, all with one factor; and none that a dead board keeps from running out."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from conversion import card
from host_tools import time_limits
from host_tools.cli import main
from host_tools.errors import HostToolError, LinkError
from host_tools.serial_link.events import Stats
from host_tools.serial_link.link import Link
from host_tools.time_limits import Limit, Tries
from tests.host_tools.peer import Peer, silent
from tests.host_tools.virtual_board import kmodels

ALL = {name: value for name, value in vars(time_limits).items() if isinstance(value, Limit | Tries)}
# With it the longest limit of what is done here takes some seconds.
IMPATIENT = "0.05"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(time_limits.PATIENCE, IMPATIENT)


@pytest.mark.parametrize("name", ALL)
def test_each_limit_is_finite_and_somebodys(root: Path, name: str) -> None:
    value = ALL[name]
    assert 0 < (value.usual if isinstance(value, Limit) else value.seconds * value.usual) < math.inf
    used = [path for path in (root / "host_tools").rglob("*.py") if f"time_limits.{name}" in path.read_text()]
    assert used


@given(st.floats(0.001, 1000), st.floats(0.01, 100))
def test_the_factor_is_on_all(usual: float, factor: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(time_limits.PATIENCE, str(factor))
        assert Limit(usual).seconds == pytest.approx(usual * factor)
        assert Limit(usual).unless(7.0) == 7.0
        assert Limit(usual).unless(None) == Limit(usual).seconds
        assert Tries(1.0, 4).times == max(1, round(4 * factor))
        patch.delenv(time_limits.PATIENCE)
        assert Limit(usual).seconds == usual


@pytest.mark.parametrize("text", ["soon", "0", "-1", "inf", "nan", "1,5"])
def test_what_is_no_factor_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(time_limits.PATIENCE, text)
    with pytest.raises(HostToolError, match=rf"{time_limits.PATIENCE}={text}: must be a number above 0"):
        time_limits.patience()


@pytest.fixture(params=["silent", "deaf"])
def dead(request: pytest.FixtureRequest) -> Iterator[str]:
    """The port of a board that says nothing: one that reads what it is sent, and one that does not even do that."""
    if request.param == "silent":
        with Peer(silent) as peer:
            yield peer.port
        return
    master, slave = os.openpty()
    try:
        yield os.ttyname(slave)
    finally:
        os.close(slave)
        os.close(master)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "small.kmodel"
    path.write_bytes(kmodels.kmodel())
    card.path_beside(path).write_bytes(card.to_json(kmodels.model_card()))
    return path


TOOLS: dict[str, Callable[[str, Path], tuple]] = {
    "flash": lambda port, model: ("flash", "--port", port, "--board", "maix_bit", "--model", model),
    "deploy": lambda port, model: ("deploy", "--port", port, "--board", "maix_bit", "--model", model),
    "monitor": lambda port, model: ("monitor", "--port", port, "--frames", 1),
    "monitor at a raised speed": lambda port, model: ("monitor", "--port", port, "--frames", 1, "--baud", 460800),
    "verify": lambda port, model: ("verify", "--port", port, "--model", model),
}


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.usefixtures("impatient")
def test_each_tool_ends_against_a_dead_board(tool: str, dead: str, model: Path) -> None:
    done = CliRunner().invoke(main, [str(argument) for argument in TOOLS[tool](dead, model)])
    assert done.exit_code == 2, done.output
    (error,) = [line for line in done.output.splitlines() if "error: " in line]
    assert error


@pytest.mark.usefixtures("impatient")
def test_a_link_ends_against_a_dead_board(dead: str) -> None:
    with Link(dead) as link:
        for wait in (
            link.greet,
            lambda: link.ask("PING"),
            lambda: link.raise_baud(460800),
            lambda: link.wait_for(Stats, 0.1),
        ):
            with pytest.raises(LinkError, match=dead):
                wait()
        assert link.poll(0.1) == []
