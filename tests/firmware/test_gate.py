"""The gate of the firmware's files: what it lets through, and what it must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import firmware_gate

HOST_TOOLS = firmware_gate.FIRMWARE.parent / "host_tools"
ON_BOARD = [
    *(HOST_TOOLS / "deployment" / "on_board" / name for name in ("helpers.py", "finish.py")),
    HOST_TOOLS / "prompt" / "on_board" / "taker.py",
]
FILES = sorted([*firmware_gate.FIRMWARE.rglob("*.py"), *ON_BOARD])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_firmware_file_passes(path: Path) -> None:
    assert firmware_gate.file_problems(path) == []


def test_the_decoder_is_among_the_files_and_integers_only() -> None:
    names = {path.name for path in FILES}
    assert names >= firmware_gate.INTEGER_ONLY


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("print(f'{1}')", "an f-string"),
        ("a: int = 1", "an annotated variable"),
        ("class A:\n    b: int = 1", "an annotated variable"),
        ("if (a := 1): pass", "an assignment expression"),
        ("async def f(): pass", "async"),
        ("a = [*b]", "unpacking in a display"),
        ("a = (*b, 1)", "unpacking in a display"),
        ("a = {**b}", "unpacking in a display"),
        ("def f(a, /): pass", "positional-only arguments"),
        ("raise ValueError() from None", "raise ... from"),
        ("raise ValueError() from error", "raise ... from"),
        ("a = b'1'.hex()", "the method hex"),
        ("a = 'x'.ljust(4)", "the method ljust"),
        ("a = memoryview(b).cast('H')", "the method cast"),
        ("import micropython\n@micropython.viper\ndef f(): pass", "the native code emitter viper"),
        ("import io", "import of io"),
        ("import select", "import of select"),
        ("from . import pose_decoder", "import of ."),
        ("import conversion.network", "import of conversion.network"),
        ("import pose_decoder", None),
        ("from array import array\na, *b = array('B')", None),
        ("def f(a: int, *b, c=1) -> int: return a // 2", None),
        ("a = 1.5 / 2", None),
    ],
)
def test_what_micropython_1_11_lacks(source: str, what: str | None) -> None:
    found = firmware_gate.problems(source, siblings=frozenset({"pose_decoder"}))
    if what is None:
        assert found == []
    else:
        assert any(what in problem for problem in found), found


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("a = 0.5", "the float 0.5"),
        ("a = 1e3", "the float 1000.0"),
        ("a = 2j", "the float 2j"),
        ("a = b / c", "true division"),
        ("a /= 2", "true division"),
        ("a = b ** c", "a power"),
        ("a = float(b)", "the name float"),
        ("from math import floor", "a module of floats"),
        ("import math", "a module of floats"),
        ("from array import array\na = array('f', b)", "an array of floats"),
    ],
)
def test_what_makes_a_float(source: str, what: str) -> None:
    assert any(what in problem for problem in firmware_gate.problems(source, integers_only=True))


def test_integers_pass() -> None:
    source = "from array import array\na = array('i', [b // 2 << 3])\nc = -7 % 4 >> 1"
    assert firmware_gate.problems(source, integers_only=True) == []


def test_problems_name_their_line() -> None:
    assert firmware_gate.problems("a = 1\nb = f''") == ["line 2: an f-string"]


def test_the_compiler_is_1_11(tmp_path: Path) -> None:
    """It takes a plain file, and refuses what came after 1.11 even where the walk does not know it."""
    plain, modern = tmp_path / "plain.py", tmp_path / "modern.py"
    plain.write_text("def f(a):\n    return a + 1\n")
    modern.write_text("def f(a):\n    return f'{a}'\n")
    assert firmware_gate.compiler_problems(plain) == []
    assert "SyntaxError" in firmware_gate.compiler_problems(modern)[0]
