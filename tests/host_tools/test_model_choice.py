"""Several kmodels in build/: the default's, else asked by number; verify takes the one that the board tells of."""

from __future__ import annotations

import hashlib
import io
import sys
from pathlib import Path

import pytest

from host_tools import model_choice, payload
from host_tools.errors import BoardError
from tests.host_tools.verification import small
from tests.host_tools.verification.command import verify

LARGE, FAST = payload.USUAL, "posenet-mobilenet-075-256x192.kmodel"
SMALL = "posenet-mobilenet-075-128x96.kmodel"


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """build/, empty; and no terminal."""
    folder = tmp_path / "build"
    folder.mkdir()
    monkeypatch.setattr(payload, "BUILD", folder)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    return folder


def test_the_default_is_what_make_kmodel_makes() -> None:
    assert payload.USUAL == "posenet-mobilenet-075-320x240.kmodel"


def test_the_only_one_or_that_of_the_default_size_is_taken(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (build / FAST).write_bytes(b"fast")
    assert model_choice.chosen(None) == build / FAST
    assert capsys.readouterr().err == ""
    (build / LARGE).write_bytes(b"large")
    assert model_choice.chosen(None) == build / LARGE
    assert f"taking {LARGE}; also in" in capsys.readouterr().err
    assert model_choice.chosen(build / FAST) == build / FAST


def test_several_others_are_asked_for_by_number(
    build: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (FAST, SMALL):
        (build / name).write_bytes(name.encode())
    with pytest.raises(BoardError, match="choose one with --model"):
        model_choice.chosen(None)
    typed = io.StringIO("7\n2\n")
    typed.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", typed)
    assert model_choice.chosen(None) == build / FAST
    asked = capsys.readouterr().err
    assert f"1: {SMALL}" in asked
    assert f"2: {FAST}" in asked


def test_a_kmodel_is_found_by_its_hash(build: Path) -> None:
    for name in (LARGE, FAST):
        (build / name).write_bytes(name.encode())
    assert payload.of_digest(hashlib.sha256(FAST.encode()).hexdigest()) == build / FAST
    assert payload.of_digest("0" * 64) is None
    assert payload.of_digest(None) is None


def test_verify_takes_the_one_that_the_board_has(build: Path) -> None:
    small.write(build / LARGE, seed=1)
    small.write(build / SMALL)
    with small.board() as board:
        board.wait_for("$FRAME,")
        done = verify(board.port, "--frames", 0, "--baud", 115200)
    assert done.exit_code == 0, done.stderr
    assert f"comparing with {SMALL}" in done.stderr
    assert "VERIFIED" in done.stdout


def test_verify_without_the_boards_own_takes_the_default_and_says_how_they_differ(build: Path) -> None:
    small.write(build / LARGE, seed=1)
    small.write(build / SMALL, seed=2)
    with small.board() as board:
        board.wait_for("$FRAME,")
        done = verify(board.port, "--frames", 0, "--baud", 115200)
    assert done.exit_code == 2
    assert f"comparing with {LARGE}" in done.stderr
    assert "kmodel" in done.stderr.splitlines()[-1]
