"""Names and argument forms of the board's MicroPython: what was recorded, and what the gate does with it."""

from __future__ import annotations

import ast
import json

import pytest

from tests import firmware_names
from tests.firmware import probes, record_names

SIBLINGS = {"pose_own": ast.parse("A = 1\ndef find(a, b, c): pass\nclass B:\n    def hex(self): self.size = 2")}


def found(source: str) -> list[str]:
    return [what for _, what in firmware_names.problems(ast.parse(source), SIBLINGS)]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("S = ('.jpg', '.bmp')\n'a'.endswith(S)", "endswith(a tuple), which the board answers with TypeError"),
        ("'a'.startswith(('b', 'c'))", "startswith(a tuple), which the board answers with TypeError"),
        ("'a b'.split(maxsplit=1)", "split(maxsplit=), which the board answers with TypeError"),
        ("int('1', base=16)", "int(a value, base=), which the board answers with TypeError"),
        ("int.from_bytes(b'1', byteorder='big')", "from_bytes(a value, byteorder=)"),
        ("next(iter(()), None)", "next(a value, a value)"),
        ("import json\njson.dumps(1, indent=2)", "dumps(a value, indent=), of which no answer is recorded"),
        ("import binascii\nbinascii.b2a_base64(b'', newline=False)", "TypeError"),
        ("print('a', flush=True)", "print(a value, flush=)"),
        ("'a'.casefold()", "the attribute casefold"),
        ("b'a'.hex()\n", None),  # a class beside it has a method of that name
        ("a = (1).bit_length()", "the attribute bit_length"),
        ("try: pass\nexcept FileNotFoundError: pass", "the name FileNotFoundError"),
        ("raise TimeoutError(1)", "the name TimeoutError"),
        ("import os\nos.path.exists('a')", "os.path, which is not there"),
        ("import sys\nsys.exc_info()", "sys.exc_info, which is not there"),
        ("from os import path", "os.path, which is not there"),
        ("import utime\nutime.monotonic()", "utime.monotonic, which is not there"),
        ("import Maix\nMaix.nothing", "Maix.nothing, which is not there"),
        ("import KPU\nKPU.run(1)", "KPU.run, which is not there"),
        ("import pose_own\npose_own.C", "pose_own.C, which is not there"),
        ("b'abc'[::2]", "a slice with a step"),
        ("import pose_own\npose_own.find(1, 2, pose_own.A)", None),
        ("import os\n[n.endswith('.py') for n in sorted(os.listdir('/flash'))]", None),
        ("a = pose.size\nfor pose in (): pass", None),
        ("from maix import KPU\nKPU().load_kmodel(1, size=2)", None),
        ("def f(*a, **k): return max(*a, **k)", None),
    ],
)
def test_what_the_recorded_board_does_not_know(source: str, what: str | None) -> None:
    if what is None:
        assert found(source) == []
    else:
        assert any(what in problem for problem in found(source)), found(source)


def test_the_data_answer_every_probe_and_no_other() -> None:
    """Who adds a probe must ask a board again."""
    data = json.loads(firmware_names.DATA.read_text())
    assert set(data["calls"]) == set(probes.CALLS)
    assert set(data["statements"]) == set(probes.STATEMENTS)
    assert set(data["modules"]) == set(probes.MODULES)
    assert set(data["objects"]) == set(probes.OBJECTS)
    assert all(isinstance(names, list) for names in [*data["modules"].values(), *data["objects"].values()])


def test_the_data_are_of_a_maixpy_image() -> None:
    data = json.loads(firmware_names.DATA.read_text())
    assert data["version"].startswith("v0.6.")
    assert len(data["image_sha256"]) == 64
    # What brought this file into being.
    assert data["calls"]["'ab'.endswith(('a', 'b'))"] == "TypeError"


def test_answers_are_taken_out_of_what_else_is_printed() -> None:
    printed = (
        'a\n@["calls", "abs(1)", "ok"]\n@["modules", "gc", ["b", "a"]]\nx@["calls", "len(1)", "TypeError"]\n@nothing'
    )
    assert record_names.answers(printed) == {
        "calls": {"abs(1)": "ok", "len(1)": "TypeError"},
        "modules": {"gc": ["a", "b"]},
    }
