"""Carrying changes out on a board: what is told meanwhile."""

from __future__ import annotations

from pathlib import Path

from conversion.progress import silent
from host_tools.deployment import deploy
from host_tools.deployment.deploy import DeployOptions
from tests.host_tools.deployment.conftest import Install
from tests.host_tools.virtual_board import kmodels
from tests.jumping import VirtualBoard


def test_progress_counts_the_bytes_that_are_sent(kmodel: Path, install: Install) -> None:
    install(1)
    seen: list[tuple[int, int]] = []
    with VirtualBoard(model=kmodels.kmodel(), files={"main.py": ""}) as board:
        deploy.run(DeployOptions(board.port, "maix_bit", kmodel), silent, lambda *done: seen.append(done))
    total = seen[0][1]
    assert seen[0] == (0, total)
    assert seen[-1] == (total, total)
    assert seen == sorted(seen)
