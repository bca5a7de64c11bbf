"""What the tests of `deploy` share: a small kmodel on disk, and a program of a few lines in place of the firmware."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from conversion import card
from host_tools import payload
from tests.host_tools.deployment import tiny
from tests.host_tools.virtual_board import kmodels

Install = Callable[[int], None]


@pytest.fixture(scope="session")
def kmodel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kmodel of 96x80 with its model card beside it."""
    path = tmp_path_factory.mktemp("model") / "small.kmodel"
    path.write_bytes(kmodels.kmodel())
    path.with_name(path.name + ".json").write_bytes(card.to_json(kmodels.model_card()))
    return path


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Makes a version of the tiny program the one that deploy takes."""

    def version(number: int) -> None:
        folder = tmp_path / f"program-{number}"
        folder.mkdir(exist_ok=True)
        for name, text in tiny.program(number).items():
            (folder / name).write_text(text)
        monkeypatch.setattr(payload, "FIRMWARE", folder)

    return version


@pytest.fixture(autouse=True)
def own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test finds the kmodel that a developer has in build/, nor a port that one has named."""
    monkeypatch.setattr(payload, "BUILD", tmp_path / "build")
    monkeypatch.delenv("MAIX_PORT", raising=False)
