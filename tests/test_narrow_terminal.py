"""Every command on a terminal of 80 columns: no line is wider, no word is broken; in a pipe nothing is padded."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conversion import cli as conversion_cli
from conversion import photos
from host_tools import cli as host_cli
from tests.command_line import invoke
from tests.host_tools.verification import small
from tests.import_graph import ROOT
from tests.jumping import VirtualBoard
from tests.samples import sample
from tests.terminals import in_terminal

COLUMNS = 80
# What of rich is used beside `conversion/printing.py`: what moves on a terminal draws itself anew at its width.
LIVE = ("conversion/progress.py", "host_tools/monitor/")
HOST, CONVERSION = "host_tools", "conversion"
GROUPS = {HOST: host_cli.main, CONVERSION: conversion_cli.main}
COMMANDS = {
    HOST: (
        *("board", "boards", "config", "config get", "config save", "config set", "demo", "deploy", "doctor", "erase"),
        *("flash", "fps", "kfpkg", "monitor", "ports", "profile", "release", "verify"),
    ),
    CONVERSION: ("evaluate", "inspect", "kmodel", "simulate"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kmodel with its card, and a photo."""
    made = tmp_path_factory.mktemp("n")
    small.write(made / "small.kmodel")
    photos.bundled(photos.SAMPLE).convert("RGB").save(made / "photo.png")
    return made


@pytest.fixture(scope="module")
def board() -> Iterator[VirtualBoard]:
    with small.board() as started:
        yield started


def lines_on_terminal(package: str, *arguments: str) -> list[str]:
    with in_terminal([sys.executable, "-m", package, *arguments], COLUMNS) as running:
        running.end(None)
        return re.split(r"[\r\n]+", running.text)


def said_in_a_pipe(package: str, *arguments: str) -> str:
    return invoke(GROUPS[package], arguments).stdout


def arguments_of(name: str, folder: Path, board: VirtualBoard) -> list[str]:
    """A command line that is run below; PORT, MODEL, PHOTO and FOLDER stand for what the tests have."""
    values = {"PORT": board.port, "MODEL": "small.kmodel", "PHOTO": "photo.png", "FOLDER": "out"}
    return [
        str(folder / values[word]) if word in ("MODEL", "PHOTO", "FOLDER") else values.get(word, word)
        for word in name.split()
    ]


RUN = (
    (HOST, "boards"),
    (HOST, "ports"),
    (HOST, "doctor --port PORT"),
    (HOST, "config get --port PORT"),
    (HOST, "deploy --port PORT --board maix_bit --model MODEL --dry-run"),
    (HOST, "flash --board maix_bit --model MODEL --dry-run"),
    (HOST, "erase --board maix_amigo_ips --dry-run"),
    (HOST, "kfpkg --board maix_bit --model MODEL --output FOLDER"),
    (HOST, "verify --port PORT --model MODEL"),
    (HOST, "deploy --board maix_bitt"),
    (CONVERSION, "inspect MODEL"),
    (CONVERSION, "inspect PHOTO"),
    (CONVERSION, "simulate MODEL PHOTO"),
)


@pytest.mark.parametrize(("package", "command"), sample(RUN, 2, 4, 7, 9, 10, 12), ids=[command for _, command in RUN])
def test_what_a_command_says_fits(package: str, command: str, folder: Path, board: VirtualBoard) -> None:
    arguments = arguments_of(command, folder, board)
    lines = lines_on_terminal(package, *arguments)
    assert len(lines) > 1
    assert [line for line in lines if len(line) > COLUMNS] == []
    words = set(" ".join(lines).split())
    piped = said_in_a_pipe(package, *arguments)
    assert not [line for line in piped.splitlines() if re.search(r"\S {3,}|\s$", line)]
    changing = re.compile(r"\d")
    wanted = {word for word in piped.split() if not changing.search(word)} - {"-"}
    assert {word.strip(":·,") for word in wanted} <= {word.strip(":·,") for word in words}


@pytest.mark.parametrize(("package", "command"), [(each, name) for each, names in COMMANDS.items() for name in names])
def test_help_fits(package: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    lines = said_in_a_pipe(package, *command.split(), "--help").splitlines()
    assert any("Usage" in line for line in lines)
    assert max(map(len, lines)) <= COLUMNS


@pytest.mark.parametrize("package", COMMANDS)
def test_every_command_is_listed_here(package: str) -> None:
    own = {name for name, command in GROUPS[package].commands.items() if not command.hidden}
    assert {name.split()[0] for name in COMMANDS[package]} >= own


def test_nothing_but_printing_draws_tables_and_lines() -> None:
    """So that what holds for its lines, facts and tables holds for every command."""
    found = []
    for path in (*(ROOT / CONVERSION).rglob("*.py"), *(ROOT / HOST).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name == "conversion/printing.py" or name.startswith(LIVE):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "rich":
                found += [f"{name}: {each.name}" for each in node.names if each.name != "RenderableType"]
    assert found == []
