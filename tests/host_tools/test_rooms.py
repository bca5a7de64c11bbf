"""Rooms that stand by themselves: what host_tools imports of conversion, and what its rooms import of each other."""

from __future__ import annotations

import re

from tests import import_graph
from tests.import_graph import ROOT, Import

README = ROOT / "host_tools" / "README.md"
# Statements in a file of one folder of host_tools that import from another. A better cut lowers it.
MOST_BETWEEN_ROOMS = 53


def room(module: str) -> str | None:
    """The folder of host_tools that a module is in; None for those that lie beside the folders."""
    package, _, rest = module.partition(".")
    name = rest.partition(".")[0]
    return name if name and package == "host_tools" and (ROOT / package / name).is_dir() else None


def between_rooms(found: Import) -> bool:
    here = room(found.importer)
    return here is not None and any(room(name) not in (None, here) for name in found.names)


def allowed() -> set[str]:
    """What the README lists, as modules and packages."""
    section = README.read_text(encoding="utf-8").partition("## What these tools import")[2].partition("\n## ")[0]
    return {f"conversion.{name}" for name in re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)}


def test_of_conversion_only_that_is_imported_which_the_readme_lists() -> None:
    """By any module of host_tools, or by what it imports: so no tool needs nncase, TensorFlow or their files."""
    reached = import_graph.closure(set(import_graph.modules("host_tools")))
    found = {".".join(name.split(".")[:2]) for name in reached if name.startswith("conversion.")}
    assert found == allowed()


def test_rooms_import_of_each_other_no_more_than_they_did() -> None:
    found = [each for each in import_graph.imports("host_tools") if between_rooms(each)]
    assert len(found) <= MOST_BETWEEN_ROOMS, "\n".join(f"{each.importer}: {each.names}" for each in found)


def test_no_room_imports_one_that_imports_it() -> None:
    edges = {(room(each.importer), room(name)) for each in import_graph.imports("host_tools") for name in each.names}
    between = {(here, there) for here, there in edges if here and there and here != there}
    assert not [(here, there) for here, there in between if (there, here) in between]
