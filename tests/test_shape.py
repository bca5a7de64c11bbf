"""The shape of the code: no circles of imports, no file that is too long to be read at once."""

from __future__ import annotations

import pytest

from tests import import_graph
from tests.import_graph import ROOT

FOLDERS = ("conversion", "firmware", "host_tools", "scripts", "tests")
MOST_LINES = 350
# It stays one file: it is copied to boards, and is the reference (firmware/README.md).
LONG = {"firmware/pose_decoder.py"}


@pytest.mark.parametrize("package", ["conversion", "firmware", "host_tools"])
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    assert import_graph.cycle(package) == []


@pytest.mark.parametrize("for_types", [False, True])
def test_a_circle_would_be_found(for_types: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    circle = [("a", "b"), ("b", "c"), ("c", "b"), ("a", "d")]
    found = tuple(import_graph.Import(here, (there,), for_types) for here, there in circle)
    monkeypatch.setattr(import_graph, "imports", lambda package: found)
    assert import_graph.cycle("any") == ["b", "c", "b"]


def test_no_python_file_is_longer_than_a_reader_bears() -> None:
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    lines = {path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert len(files) > 100
    assert {name for name, count in lines.items() if count > MOST_LINES} == LONG
