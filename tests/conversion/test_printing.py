"""Lines, facts and tables on a terminal of 80 columns, on a narrow and a wide one, and in a pipe."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, RenderableType

from conversion import printing
from conversion.printing import Column, Line, Named, Table
from host_tools import boards

BOARDS = Table(
    [Column(name) for name in ("--board", "board", "MaixPy build", "camera")],
    [
        (each.id, each.name, each.firmware_build, ", ".join(each.camera.sensors))
        for each in boards.all_boards().values()
    ],
)
FACTS = Named([("KPU RAM", "1620 of 2048 KiB"), ("", "sha256 " + 64 * "f"), ("proof", "none differs; " * 9)])
PATH = "/media/somebody/" + "folder/" * 12 + "posenet.kmodel"
WORDS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=30)
TEXTS = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)


def shown(what: RenderableType, width: int = 80, terminal: bool = True) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None, highlight=False)
    printing.show(what, console)
    return console.file.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()


def words(lines: list[str]) -> list[str]:
    return " ".join(lines).split()


def test_in_a_pipe_nothing_is_padded() -> None:
    lines = shown(BOARDS, terminal=False)
    assert lines[0] == "--board  board  MaixPy build  camera"
    assert lines[1:] == ["  ".join(row) for row in BOARDS.rows]
    assert shown(FACTS, terminal=False)[:2] == ["KPU RAM  1620 of 2048 KiB", "sha256 " + 64 * "f"]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_on_a_terminal_no_word_is_broken(width: int) -> None:
    lines = shown(BOARDS, width)
    assert max(map(len, lines)) <= width
    assert set(words(lines)) >= {word for row in BOARDS.rows for cell in row for word in cell.split()}


def test_the_boards_are_a_table_at_80_columns() -> None:
    assert len(shown(BOARDS)) < 2 * len(BOARDS.rows) + 4
    assert any(line.startswith("──") for line in shown(BOARDS))


def test_a_table_that_is_too_wide_becomes_paragraphs() -> None:
    table = Table([Column("#"), Column("layer"), Column("type")], [("7", "a" * 30, "b" * 40), ("8", "", "c" * 50)])
    assert shown(table, 60) == [f"7   layer: {'a' * 30} ·", f"    type: {'b' * 40}", f"8   type: {'c' * 50}"]


def test_what_is_empty_in_a_pipe_has_a_sign() -> None:
    table = Table([Column("a"), Column("b"), Column("c")], [("1", "", "3"), None, ("4", "5", "6")], "title", ["note"])
    assert shown(table, terminal=False) == ["", "title", "a  b  c", "1  -  3", "4  5  6", "note"]


def test_figures_stay_in_one_piece() -> None:
    table = Table([Column("name"), Column("MACs", number=True, wraps=False)], [("one two three four", "1,234.5 M")])
    lines = shown(table, 16)
    assert any(line.endswith("1,234.5 M") for line in lines)
    assert words(lines)[-5:] != ["one", "two", "three", "four", "1,234.5"]


def test_facts_go_on_below_their_beginning() -> None:
    lines = shown(FACTS)
    assert lines[0] == "KPU RAM  1620 of 2048 KiB"
    assert lines[1] == "         sha256 " + 64 * "f"
    assert all(line.startswith(" " * 9) for line in lines[3:])


def test_a_path_stays_in_one_piece() -> None:
    for what in (Line(f"written: {PATH}"), Named([("written", PATH)])):
        assert any(PATH in line for line in shown(what))


def test_a_line_goes_on_further_in() -> None:
    line = Line("  " + "word " * 9 + "end")
    assert shown(line, 40) == ["  " + "word " * 6 + "word", "    word word end"]
    assert shown(line, terminal=False) == [line.said]


@given(TEXTS, TEXTS, st.integers(20, 100))
def test_whatever_is_said_fits_and_is_whole(name: str, said: str, width: int) -> None:
    for what in (Line(said), Named([(name, said)]), Table([Column("a"), Column("b")], [(name, said)])):
        lines = shown(what, width)
        piped = shown(what, width, terminal=False)
        assert len(piped) == (2 if isinstance(what, Table) else 1)
        longest = max(map(cell_len, words(lines)))
        for line in lines:
            indent = len(line) - len(line.lstrip())
            assert cell_len(line.rstrip()) <= max(width, indent + longest, cell_len(name) + 2 + longest)
        for word in said.split(" "):
            assert any(word in line for line in lines)
