"""The rooms of conversion/: what they import of each other, and that what lies beside them is what all may use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import import_graph
from tests.import_graph import ROOT

# Statements in a file of one folder of conversion that import from another. A better cut lowers it.
MOST_BETWEEN_ROOMS = 98
ROOMS = sorted(path.parent for path in (ROOT / "conversion").glob("*/__init__.py"))
# A folder that every room may use, as it may use the files beside the rooms.
GROUND = frozenset({"conversion.outside"})
# What lies beside the rooms and uses them: the commands, and what joins the rooms. The rest is for every room to use.
JOINS = {
    "__main__",
    "card",
    "card_checks",
    "cli",
    "pipeline",
    "run_photo",
    "run_sequence",
    "ship_rounding",
    "test_vector",
}


def test_rooms_import_of_each_other_no_more_than_they_did() -> None:
    found = import_graph.between_rooms("conversion", GROUND)
    assert len(found) <= MOST_BETWEEN_ROOMS, "\n".join(f"{each.importer}: {each.names}" for each in found)


def test_no_room_imports_one_that_imports_it() -> None:
    assert import_graph.rooms_that_import_each_other("conversion") == []


def test_what_every_room_may_use_uses_no_room() -> None:
    beside = {f"conversion.{name}" for name in JOINS} | {"conversion"}
    ground = {
        each for each in import_graph.modules("conversion") if import_graph.room(each) in {None, *GROUND}
    } - beside
    found = [
        (each.importer, name)
        for each in import_graph.imports("conversion")
        for name in each.names
        if each.importer in ground and import_graph.room(name) not in {None, *GROUND}
    ]
    assert found == []


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_s_readme_says_what_is_in_which_file(room: Path) -> None:
    table = (room / "README.md").read_text(encoding="utf-8").split("\n\n## ")[0]
    named = set(re.findall(r"`([\w/.]+)`", "".join(re.findall(r"^\|([^|]*)\|", table, re.MULTILINE))))
    files = {
        path.relative_to(room).as_posix()
        for path in room.rglob("*")
        if path.is_file() and path.name not in ("README.md", "__init__.py") and path.suffix != ".pyc"
    }
    assert named == files


def test_conversion_s_readme_names_what_lies_beside_the_rooms() -> None:
    folder = ROOT / "conversion"
    named = set(re.findall(r"`([\w/.]+)`", (folder / "README.md").read_text(encoding="utf-8")))
    beside = {path.name for path in folder.iterdir() if path.is_file()} - {"README.md", "__init__.py", "__main__.py"}
    assert beside - named == set()


def test_an_import_between_rooms_would_be_counted() -> None:
    between = import_graph.between_rooms("conversion")
    assert ("conversion.evaluation.stages", ("conversion.kpu.simulator",)) in [
        (each.importer, each.names) for each in between
    ]
    assert not [each for each in between if import_graph.room(each.importer) is None]
