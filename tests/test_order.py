"""The order of the test files: every test once, files whole, those that wait beside those that compute."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import order


def item(path: str, name: str) -> SimpleNamespace:
    return SimpleNamespace(nodeid=f"{path}::{name}", path=Path(path))


def test_files_stay_whole_and_those_that_wait_take_turns_with_the_long_ones() -> None:
    waiting, long = ([f"{beginning}1.py" for beginning in found[:3]] for found in (order.WAITING, order.LONG))
    items = [item(path, name) for path in ("tests/a.py", *long, "tests/b.py", *waiting) for name in "xyz"]
    found = order.in_turn(items)
    files = [path for path, _ in itertools.groupby(str(each.path) for each in found)]
    assert files == [*itertools.chain(*zip(waiting, long, strict=True)), "tests/a.py", "tests/b.py"]
    assert sorted(each.nodeid for each in found) == sorted(each.nodeid for each in items)
    assert [each.nodeid[-1] for each in found] == ["x", "y", "z"] * len(files)


@pytest.mark.parametrize("beginning", [*order.LONG, *order.WAITING])
def test_a_beginning_is_that_of_a_test_file(root: Path, beginning: str) -> None:
    assert list(root.glob(f"{beginning}*"))


def test_no_file_is_in_both() -> None:
    assert not [(a, b) for a in order.LONG for b in order.WAITING if a.startswith(b) or b.startswith(a)]
