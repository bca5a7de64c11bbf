"""Rooms that stand by themselves: what host_tools imports of conversion, and what its rooms import of each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import import_graph
from tests.import_graph import ROOT

README = ROOT / "host_tools" / "README.md"
# The folder that every room stands on: whoever speaks with a board, or of what it said, needs it, and it needs no room.
GROUND = frozenset({"host_tools.serial_link"})
# Statements in a file of one folder of host_tools that import from another, with those from the ground and without.
# A better cut lowers them.
MOST_BETWEEN_ROOMS, MOST_ABOVE_THE_GROUND = 70, 20


def allowed() -> set[str]:
    """What the README lists, as modules and packages."""
    section = README.read_text(encoding="utf-8").partition("## What these tools import")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]*`) \|", section, re.MULTILINE)
    return {f"conversion.{name}" for names in rows for name in re.findall(r"`([a-z_]+)`", names)}


def test_of_conversion_only_that_is_imported_which_the_readme_lists() -> None:
    """By any module of host_tools, or by what it imports: so no tool needs nncase, TensorFlow or their files."""
    reached = import_graph.closure(set(import_graph.modules("host_tools")))
    found = {".".join(name.split(".")[:2]) for name in reached if name.startswith("conversion.")}
    assert found == allowed()


@pytest.mark.parametrize(("ground", "most"), [(frozenset(), MOST_BETWEEN_ROOMS), (GROUND, MOST_ABOVE_THE_GROUND)])
def test_rooms_import_of_each_other_no_more_than_they_did(ground: frozenset[str], most: int) -> None:
    found = import_graph.between_rooms("host_tools", ground)
    assert len(found) <= most, "\n".join(f"{each.importer}: {each.names}" for each in found)


def test_the_ground_uses_no_room() -> None:
    found = import_graph.between_rooms("host_tools")
    assert [each for each in found if import_graph.room(each.importer) in GROUND] == []


def test_no_room_imports_one_that_imports_it() -> None:
    assert import_graph.rooms_that_import_each_other("host_tools") == []


FOLDERS = sorted({path.parent for path in (ROOT / "host_tools").rglob("README.md")})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(ROOT).as_posix())
def test_each_folders_readme_begins_with_what_is_in_which_file(folder: Path) -> None:
    _, _, begin = (folder / "README.md").read_text(encoding="utf-8").partition("| file | what is in it |\n|---|---|\n")
    table = begin.partition("\n\n")[0]
    named = set(re.findall(r"`([a-z0-9_]+(?:\.py|/))`", table))
    files = {path.name for path in folder.glob("*.py") if not path.name.startswith("__")}
    rooms = {f"{path.name}/" for path in folder.iterdir() if any(path.glob("*.*")) and path.name[0] != "_"}
    assert files | rooms <= named
    assert all((folder / name).exists() or list(folder.glob(f"*/{name}")) for name in named)


def test_every_room_has_a_readme() -> None:
    rooms = {path for path in (ROOT / "host_tools").iterdir() if (path / "__init__.py").exists()}
    assert rooms <= set(FOLDERS)
