"""Cards that mean harm: a name that leads elsewhere, numbers that nothing can hold, a card of another model."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from conversion import card, card_checks
from conversion.errors import ConversionError, ModelFormatError
from conversion.kpu import posenet
from host_tools import boards, payload
from host_tools.errors import HostToolError
from host_tools.flashing import release, sources
from tests.hostile import limited, sound

NAMES = (
    "../x.kmodel", "/tmp/x.kmodel", "a/b.kmodel", "..", "", ".kmodel", "-rf.kmodel", "x\0.kmodel", "main.py",
    "pose_model.json", "x\x1b[2J.kmodel", "a\\b.kmodel", "CON.kmodel", "x" * 200 + ".kmodel", 5, None, ["a"],
)  # fmt: skip
WIDE = 10**400


def replaced(*path: str | int, value: object) -> dict:
    """The sound card with one entry replaced."""
    made = json.loads(json.dumps(sound.card()))
    place = made
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return made


FALLING = [256 - number for number in range(256)]
CARDS = {
    "a width that no float holds": replaced("input", "width", value=WIDE),
    "a height of another model": replaced("input", "height", value=96),
    "a width between cells": replaced("input", "width", value=97),
    "a sigmoid that falls": replaced("sigmoid", value=FALLING),
    "a sigmoid of texts": replaced("sigmoid", value=["1"] * 256),
    "a sigmoid of truths": replaced("sigmoid", value=[True] * 256),
    "a scale of infinity": replaced("heads", 0, "scale", value=float("inf")),
    "a scale of NaN": replaced("heads", 1, "scale", value=float("nan")),
    "a shift of 2^40": replaced("heads", 1, "shift", value=1 << 40),
    "distances out of every picture": replaced("heads", 1, "shift", value=1),
    "a head of another height": replaced("heads", 2, "height", value=4),
    "heads of the wrong type": replaced("heads", value={"0": {}}),
    "a kmodel that is no object": replaced("kmodel", value="small.kmodel"),
    "bytes of another file": replaced("kmodel", "bytes", value=1),
    "another version": replaced("kmodel", "version", value=5),
    "a SHA-256 in capitals": replaced("kmodel", "sha256", value="A" * 64),
    "memory of 10^18": replaced("memory", "main_memory_bytes", value=10**18),
    "memory of another model": replaced("memory", "main_memory_bytes", value=8),
    "a source that is a path": replaced("source", "name", value="../../secret"),
    "a source that is a list": replaced("source", value=[]),
    "poses that are no list": replaced("test_vector", "poses", value=7),
}


@pytest.fixture
def board() -> boards.Board:
    return boards.find("maix_bit")


@pytest.mark.parametrize("name", NAMES)
def test_a_card_names_no_file_but_a_plain_one(name: object, tmp_path: Path, board: boards.Board) -> None:
    inner = tmp_path / "inner"
    sd = inner / "card"
    sd.mkdir(parents=True)
    path = sound.kmodel_in(inner, replaced("kmodel", "file", value=name))
    for take in (lambda: payload.of(board, path), lambda: release.contents(board, path)):
        with pytest.raises(ModelFormatError, match=r"kmodel\.file .* is no plain name") as refused:
            take()
        assert str(refused.value).isprintable()


def test_deploy_writes_nowhere_else(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    sd = inner / "card"
    sd.mkdir(parents=True)
    path = sound.kmodel_in(inner, replaced("kmodel", "file", value="../../escaped.kmodel"))
    arguments = ("host_tools", "deploy", "--board", "maix_bit", "--model", path, "--sd", sd)
    limited.assert_refused(limited.run(arguments, inner), "kmodel.file", "no plain name")
    assert sorted(tmp_path.iterdir()) == [inner]
    assert list(sd.iterdir()) == []


def test_a_link_on_the_card_is_not_followed(tmp_path: Path) -> None:
    dear = tmp_path / "dear"
    dear.write_text("dear")
    sd = tmp_path / "card"
    sd.mkdir()
    for name in ("pose_app.py", "pose_app.py.new", "posenet_files.json.new", "small.kmodel.new"):
        (sd / name).symlink_to(dear)
    path = sound.kmodel_in(tmp_path)
    arguments = ("host_tools", "deploy", "--board", "maix_bit", "--model", path, "--sd", sd)
    assert limited.run(arguments, tmp_path).code == 0
    assert dear.read_text() == "dear"
    assert not (sd / "pose_app.py").is_symlink()


@pytest.mark.parametrize("what", CARDS)
def test_deploy_release_and_flash_check_as_simulate_does(what: str, tmp_path: Path, board: boards.Board) -> None:
    path = sound.kmodel_in(tmp_path, CARDS[what])
    takers = {
        "simulate, verify, evaluate": lambda: posenet.read_described(path),
        "deploy": lambda: payload.of(board, path),
        "release": lambda: release.contents(board, path),
        "flash": lambda: sources.of_files(board, path, None),
        "board": lambda: payload.device_card(path),
    }
    for taker, take in takers.items():
        with pytest.raises((ConversionError, HostToolError)) as refused:
            take()
        assert "\n" not in str(refused.value), taker
        assert len(str(refused.value)) < 1000, taker


def test_the_sound_card_is_taken(tmp_path: Path, board: boards.Board) -> None:
    path = sound.kmodel_in(tmp_path)
    assert payload.of(board, path).card["kmodel"]["file"] == "small.kmodel"
    assert card_checks.problem(sound.card()) is None


@pytest.mark.parametrize("value", [-1, 2**32])
def test_a_crc_32_has_32_bits(value: int) -> None:
    assert card_checks.problem(replaced("kmodel", "crc32", value=2**32 - 1)) is None
    assert "crc32" in card_checks.problem(replaced("kmodel", "crc32", value=value))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 70 + "1" + "}" * 70,
        '{"format": "posenet-maix model card 1", "input": ' + "9" * 5000 + "}",
        '{"input": 1e400}',
        '{"input": NaN}',
        '{"a": 1, "a": 2}',
        "\ud800",
        "",
        "null",
        '"' + "x" * (2 << 20) + '"',
    ],
    ids=["nested", "a little nested", "5,000 digits", "1e400", "NaN", "twice", "surrogate", "empty", "null", "2 MiB"],
)
def test_json_that_no_card_has(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.kmodel.json"
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    with pytest.raises(ModelFormatError, match=r"x\.kmodel\.json: ") as refused:
        card.read(path)
    assert len(str(refused.value)) < 1000


def test_a_pipe_in_the_place_of_a_card_is_not_waited_for(tmp_path: Path) -> None:
    path = sound.kmodel_in(tmp_path)
    beside = card.path_beside(path)
    beside.unlink()
    os.mkfifo(beside)
    with pytest.raises(ModelFormatError, match="is not a regular file"):
        card.read(beside)
