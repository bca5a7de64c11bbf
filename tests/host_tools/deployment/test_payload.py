"""What belongs on a board: the kmodel that is meant, the program's files, a device card of this kmodel, settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conversion import card
from conversion.errors import ModelFormatError
from host_tools import boards, payload
from host_tools.errors import BoardError
from tests.host_tools.deployment.conftest import Install
from tests.host_tools.virtual_board import kmodels

NAME = "posenet-mobilenet-075-{}.kmodel"


@pytest.fixture
def build() -> Path:
    """An empty build/ (conftest.py)."""
    payload.BUILD.mkdir()
    return payload.BUILD


def test_without_a_name_the_only_kmodel_in_build_is_meant(build: Path) -> None:
    with pytest.raises(BoardError, match=r"no kmodel here; make one with `make kmodel`, or name one with --model"):
        payload.kmodel(None)
    (build / "another.kmodel").touch()
    with pytest.raises(BoardError, match="no kmodel here"):
        payload.kmodel(None)
    only = build / NAME.format("320x240")
    only.touch()
    assert payload.kmodel(None) == only
    # Beside others, that of the default size; without it, nobody knows.
    (build / NAME.format("224x224")).touch()
    assert payload.kmodel(None) == only
    only.rename(build / NAME.format("256x192"))
    with pytest.raises(BoardError, match=r"075-224x224\.kmodel, posenet-\S+-256x192\.kmodel; choose one with --model"):
        payload.kmodel(None)


def test_a_kmodel_that_is_named_must_be_a_file(tmp_path: Path, kmodel: Path) -> None:
    assert payload.kmodel(kmodel) == kmodel
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(BoardError, match="no such kmodel; make one with `make kmodel`"):
            payload.kmodel(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"x" * 99, "is no kmodel; the program runs V3"), (b"LDMK\5\0\0\0", "is a kmodel V5; the program runs V3")],
)
def test_only_a_v3_is_a_payload(data: bytes, said: str, kmodel: Path, tmp_path: Path) -> None:
    path = tmp_path / kmodel.name
    path.write_bytes(data)
    card.path_beside(path).write_bytes(card.path_beside(kmodel).read_bytes())
    with pytest.raises(BoardError, match=said):
        payload.of(boards.find("maix_bit"), path)


def test_a_card_of_another_kmodel_is_refused(kmodel: Path, tmp_path: Path) -> None:
    path = tmp_path / kmodel.name
    path.write_bytes(kmodels.kmodel(1))
    card.path_beside(path).write_bytes(card.path_beside(kmodel).read_bytes())
    for take in (lambda: payload.of(boards.find("maix_bit"), path), lambda: payload.device_card(path)):
        with pytest.raises(ModelFormatError, match="keep the two together"):
            take()


@pytest.mark.parametrize("board", ["maix_bit", "maix_cube"])
def test_a_payload_is_the_program_with_a_device_card_and_the_boards_settings(
    board: str, kmodel: Path, install: Install
) -> None:
    install(1)
    the_board = boards.find(board)
    found = payload.of(the_board, kmodel)
    assert set(found.files) == {"main.py", "pose_app.py", "pose_old.py", "pose_part.py", "pose_model.json"}
    assert found.files["pose_part.py"] == b"VERSION = 1\n"
    assert json.loads(found.files["pose_model.json"]) == found.card == payload.device_card(kmodel)
    assert found.kmodel == kmodel.read_bytes()
    assert found.pose_config == boards.pose_config(the_board)
    assert found.maixpy_config == the_board.maixpy_config
    everything = payload.files(the_board)
    assert everything.keys() == found.files.keys() - {"pose_model.json"} | {"pose_config.json"} | (
        {"config.json"} if the_board.maixpy_config else set()
    )
    assert json.loads(everything["pose_config.json"]) == found.pose_config


def test_a_file_that_cannot_be_read_is_named(kmodel: Path, install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install(1)

    def fails(path: Path) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", fails)
    with pytest.raises(BoardError, match=r"small\.kmodel: cannot be read \(Input/output error\)"):
        payload.of(boards.find("maix_bit"), kmodel)
