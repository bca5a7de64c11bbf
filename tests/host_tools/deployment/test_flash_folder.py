"""Carrying changes out on a board: what is told meanwhile, and how files are compared."""

from __future__ import annotations

from pathlib import Path

from conversion.progress import silent
from host_tools import boards, payload
from host_tools.deployment import deploy
from host_tools.deployment.deploy import DeployOptions
from host_tools.deployment.flash_folder import FlashFolder
from host_tools.prompt.repl import Prompt
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


def test_a_sound_sha256_of_the_chip_is_used(kmodel: Path, install: Install) -> None:
    """CRC-32 takes its place where it is wrong alone: files that differ may have the same."""
    install(1)
    with VirtualBoard(model=kmodels.kmodel(), files={"main.py": ""}) as board:
        deploy.run(DeployOptions(board.port, "maix_bit", kmodel), silent, lambda *_: None)
        with Prompt(board.port) as prompt:
            found = FlashFolder(prompt, silent).found(payload.of(boards.find("maix_bit"), kmodel))
    assert len(found.digests) > 1
    assert all(value.startswith("sha256:") for value in found.digests.values())
