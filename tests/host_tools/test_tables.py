"""Rows of results on a wide terminal, on a narrow one, and in a pipe."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from host_tools import boards, tables

COLUMNS = ("--board", "board", "MaixPy build", "camera")
ROWS = [
    (each.id, each.name, each.firmware_build, ", ".join(each.camera.sensors)) for each in boards.all_boards().values()
]


def shown(width: int, terminal: bool) -> list[str]:
    output = io.StringIO()
    tables.show(COLUMNS, ROWS, Console(file=output, width=width, force_terminal=terminal, no_color=True))
    return output.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()


def test_in_a_pipe_nothing_is_padded() -> None:
    lines = shown(80, terminal=False)
    assert lines[0] == "  ".join(COLUMNS)
    assert lines[1:] == ["  ".join(row) for row in ROWS]


@pytest.mark.parametrize("width", [80, 200])
def test_on_a_terminal_no_word_is_broken(width: int) -> None:
    lines = shown(width, terminal=True)
    assert max(map(len, lines)) <= width
    words = set(" ".join(lines).split())
    assert words >= {word for row in ROWS for cell in row for word in cell.split()}


def test_what_is_empty_in_a_pipe_has_a_sign() -> None:
    output = io.StringIO()
    tables.show(("a", "b", "c"), [("1", "", "3")], Console(file=output))
    assert output.getvalue() == "a  b  c\n1  -  3\n"
