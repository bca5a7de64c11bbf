"""`deploy` over a line that damages bytes, and what a deploy that ends early leaves running on the board."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools import time_limits
from host_tools.deployment import deploy
from host_tools.deployment.deploy import DeployOptions
from host_tools.errors import HostToolError
from host_tools.prompt.repl import Prompt
from host_tools.virtual_board.faults import Faults
from tests.host_tools.deployment import tiny
from tests.host_tools.deployment.conftest import Install
from tests.host_tools.virtual_board import kmodels
from tests.jumping import VirtualBoard

OWN_MAIN = "import utime\nprint('own program runs')\nwhile True:\n    utime.sleep_ms(100)\n"


def deploy_onto(board: VirtualBoard, kmodel: Path, said: list[str]) -> deploy.Report:
    return deploy.run(DeployOptions(board.port, "maix_bit", kmodel), said.append, lambda done, total: None)


def running_own(**more: object) -> VirtualBoard:
    board = VirtualBoard(model=kmodels.kmodel(), files={"main.py": OWN_MAIN}, **more)
    board.wait_for("own program runs")
    return board


@pytest.mark.parametrize("seed", range(3))
def test_a_line_that_damages_bytes_carries_a_whole_program(seed: int, kmodel: Path, install: Install) -> None:
    install(1)
    said: list[str] = []
    # So much that some exchanges of so small a program are hit.
    with running_own(faults=Faults(corrupt=1 / 3000, seed=seed)) as board:
        report = deploy_onto(board, kmodel, said)
        there = {path.name: path.read_bytes() for path in board.flash_folder.iterdir()}
    assert {name: there[name].decode() for name in tiny.program(1)} == tiny.program(1)
    assert there["main_before_posenet.py"].decode() == OWN_MAIN
    assert "pose_config.json" in report.written
    assert any("the line damages bytes" in line for line in said)
    assert not any("no MaixPy" in line for line in said)


def test_a_line_on_which_nothing_arrives_whole_is_named_and_the_program_starts_again(
    kmodel: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(1)
    # As long as for a user: every one of its limits runs out.
    monkeypatch.setenv(time_limits.PATIENCE, "1")
    # The prompt answers in single keys; no command arrives whole.
    with running_own(faults=Faults(corrupt=1 / 120, seed=1)) as board:
        with pytest.raises(HostToolError, match=r"the line damages bytes|no prompt") as caught:
            deploy_onto(board, kmodel, [])
        assert "MaixPy v1 and no CanMV" not in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("raised", [HostToolError("full"), KeyboardInterrupt()])
def test_whatever_ends_it_early_the_boards_program_starts_again(
    raised: BaseException, kmodel: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(1)

    def end(*_: object) -> None:
        raise raised

    monkeypatch.setattr(deploy, "_tell_model", end)
    with running_own() as board:
        with pytest.raises(type(raised)):
            deploy_onto(board, kmodel, [])
        board.wait_for("own program runs")


def test_a_prompt_that_was_used_to_its_end_is_left_as_it_is() -> None:
    with running_own() as board:
        with Prompt(board.port) as prompt:
            prompt.execute("print(1)", seconds=60)
        board.send(b"print(6 * 7)\r")
        board.wait_for("42\r\n>>> ")
        assert board.output().count("own program runs") == 1
