"""The tables fit the code, mutations are drawn as they should be, and running them tells noticed from not noticed."""

from __future__ import annotations

import ast
import contextlib
from pathlib import Path

import pytest

from tests.mutants import drawing, running
from tests.mutants.rooms import ROOT, Mutation, Room, read, rooms
from tests.mutants.running import Copies, Copy, Job

ROOMS = rooms()


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_table_fits_the_code(room: Room) -> None:
    """That each named line and test is there once, reading it has shown."""
    assert len(room.named) >= 4
    for named in room.named:
        assert named.mutation.line != named.mutation.becomes
        ast.parse(named.mutation.applied((ROOT / named.mutation.file).read_text("utf-8")))
    known = {
        (mutation.line.strip(), mutation.becomes.strip())
        for file in room.files
        for mutation in drawing.candidates(file, (ROOT / file).read_text("utf-8"))
    }
    assert room.explained.keys() <= known, "an explanation of what is not there any more"


def test_all_rooms_are_there() -> None:
    conversion, board = {"planner", "writer", "kpu", "rounding"}, {"decoder", "wire"}
    assert {room.name for room in ROOMS} >= conversion | board | {"flashing", "verification", "deployment"}


TABLE = """
files = ["product.py"]
tests = ["test_product.py"]
[[named]]
name = "bigger"
line = "return 1"
becomes = "return 2"
test = "test_it"
"""


def test_an_entry_may_say_which_file_it_is_of(tmp_path: Path) -> None:
    for name in ("product.py", "other.py"):
        (tmp_path / name).write_text("def f():\n    return 1")
    (tmp_path / "test_product.py").write_text("def test_it():")
    table = TABLE.replace('["product.py"]', '["other.py", "product.py"]')
    (tmp_path / "room.toml").write_text(table.replace('name = "bigger"', 'name = "bigger"\nfile = "product.py"'))
    (named,) = read(tmp_path / "room.toml", tmp_path).named
    assert named.mutation.file == "product.py"
    (tmp_path / "room.toml").write_text(table)
    with pytest.raises(ValueError, match=r"bigger: 2 lines of other\.py, product\.py"):
        read(tmp_path / "room.toml", tmp_path)


@pytest.mark.parametrize(
    ("product", "test", "problem"),
    [
        ("def f():\n    return 1", "def test_it():", None),
        ("def f():\n    return 10", "def test_it():", "bigger: 0 lines of product.py are 'return 1'"),
        ("def f():\n    return 1\n\ndef g():\n  return 1", "def test_it():", "bigger: 2 lines"),
        ("def f():\n    return 1", "def test_item():", "bigger: 0 of test_product.py have a test test_it"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, product: str, test: str, problem: str | None) -> None:
    (tmp_path / "product.py").write_text(product)
    (tmp_path / "test_product.py").write_text(test)
    (tmp_path / "room.toml").write_text(TABLE)
    if problem is None:
        (named,) = read(tmp_path / "room.toml", tmp_path).named
        assert named.mutation == Mutation("product.py", 2, "    return 1", "    return 2")
        assert named.test == "test_product.py::test_it"
    else:
        with pytest.raises(ValueError, match=problem):
            read(tmp_path / "room.toml", tmp_path)


TEXT = '''"""1 + 1"""
from a import b
é: int = 10  # 3 < 4
def f(x: "int | None", y: list[int] = [1]) -> int | None:
    if x is not None and y[0] <= -2 or (x == 3):
        x += 5; return f"{x + 6}" + "7"
    return (x  # +
        * y[0] % True)
'''


def test_mutations_are_those_of_the_code_and_nothing_else() -> None:
    found = [(mutation.number, mutation.becomes.strip()) for mutation in drawing.candidates("file", TEXT)]
    assert sorted(found) == sorted(
        [
            (3, "é: int = 9  # 3 < 4"),
            (3, "é: int = 11  # 3 < 4"),
            (4, 'def f(x: "int | None", y: list[int] = [0]) -> int | None:'),
            (4, 'def f(x: "int | None", y: list[int] = [2]) -> int | None:'),
            (5, "if x is None and y[0] <= -2 or (x == 3):"),
            (5, "if x is not None or y[0] <= -2 or (x == 3):"),
            (5, "if x is not None and y[-1] <= -2 or (x == 3):"),
            (5, "if x is not None and y[1] <= -2 or (x == 3):"),
            (5, "if x is not None and y[0] < -2 or (x == 3):"),
            (5, "if x is not None and y[0] <= -1 or (x == 3):"),
            (5, "if x is not None and y[0] <= -3 or (x == 3):"),
            (5, "if x is not None and y[0] <= -2 and (x == 3):"),
            (5, "if x is not None and y[0] <= -2 or (x != 3):"),
            (5, "if x is not None and y[0] <= -2 or (x == 2):"),
            (5, "if x is not None and y[0] <= -2 or (x == 4):"),
            (6, 'x -= 5; return f"{x + 6}" + "7"'),
            (6, 'x += 4; return f"{x + 6}" + "7"'),
            (6, 'x += 6; return f"{x + 6}" + "7"'),
            (6, 'x += 5; return f"{x + 6}" - "7"'),
            (8, "// y[0] % True)"),
            (8, "* y[-1] % True)"),
            (8, "* y[1] % True)"),
            (8, "* y[0] // True)"),
        ]
    )


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_the_same_seed_draws_the_same_and_fewer_are_the_first_of_more(room: Room) -> None:
    drawn = drawing.drawn(room, 1, 30)
    assert len(set(drawn)) == 30
    assert drawing.drawn(room, 1, 10) == drawn[:10]
    assert drawing.drawn(room, 2, 30) != drawn
    for mutation in drawn:
        ast.parse(mutation.applied((ROOT / mutation.file).read_text("utf-8")))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Of a project with one function and its test."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "product.py").write_text("def f(x):\n    while x > 3:\n        x -= 1\n    return x < 3\n")
    (folder / "test_product.py").write_text("import product\n\ndef test_f():\n    assert not product.f(5)\n")
    return Copy(folder.with_name("copy"), folder)


@pytest.mark.parametrize(
    ("number", "becomes", "noticed"),
    [
        (4, "    return x > 3", False),
        (4, "    return x <= 3", True),
        (4, "    return x", True),
        (4, "    return 5 x", True),
        (3, "        x -= 3", True),
    ],
)
def test_a_mutation_is_noticed_or_not(copy: Copy, number: int, becomes: str, noticed: bool) -> None:
    """Also one as long as what it replaces, written in the same second: Python takes neither for a change."""
    product = copy.folder / "product.py"
    sound = product.read_text()
    mutation = Mutation("product.py", number, sound.split("\n")[number - 1], becomes)
    assert copy.done(Job(mutation, ("test_product.py",))).noticed == noticed
    assert product.read_text() == sound


def test_a_mutation_that_never_ends_is_noticed(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "PROCESSOR_SECONDS", 3)
    mutation = Mutation("product.py", 3, "        x -= 1", "        x -= 0")
    assert copy.done(Job(mutation, ("test_product.py::test_f",))).noticed


def test_a_mutation_that_takes_all_memory_is_noticed(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "MOST_BYTES", 1 << 30)
    mutation = Mutation("product.py", 3, "        x -= 1", "        x = len(bytearray(2 << 30)) and -1")
    outcome = copy.done(Job(mutation, ("test_product.py::test_f",)))
    assert outcome.noticed
    assert "MemoryError" in outcome.said


def test_a_mutation_that_waits_for_ever_is_noticed(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "WAITING_SECONDS", 3)
    mutation = Mutation("product.py", 3, "        x -= 1", "        __import__('time').sleep(1e6)")
    assert copy.done(Job(mutation, ("test_product.py",))).code == running.NEVER_ENDS


def test_copies_do_their_jobs_apart(copy: Copy, tmp_path: Path) -> None:
    """Each outcome is its own mutation's, in whatever order they end."""
    line = "    return x < 3"
    jobs = [Job(None, ("test_product.py",))]
    jobs += [Job(Mutation("product.py", 4, line, becomes), ("test_product.py",)) for becomes in (line + "\n", "    x")]
    jobs += [Job(Mutation("product.py", 4, line, "    return x == 3"), ("test_product.py",))]
    with contextlib.closing(Copies(tmp_path, copy.folder)) as copies:
        begun = copies.start([*jobs, jobs[0]])
        assert [begun[job].result().noticed for job in jobs] == [False, False, False, True]


def test_text_that_has_changed_is_not_mutated() -> None:
    with pytest.raises(AssertionError, match="file has changed"):
        Mutation("file", 1, "one", "two").applied("three")
