"""Every device call of the firmware has an answer that a real MaixPy gave."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conformance import recorded
from tests.conformance.calls import Own, answered, calls
from tests.conformance.probes import KIND, groups

REFUSED = "(wrong arguments)"


def known() -> set:
    found = set()
    for group, probes in groups().items():
        answers = recorded.answers(group)
        sources = [probe.code.removeprefix(KIND) for probe in probes if REFUSED not in answers.get(probe.code, REFUSED)]
        found |= answered(sources)
    return found


def unanswered(trees: dict[str, ast.Module]) -> list[str]:
    own, there = Own.of(trees), known()
    return [
        f"{name}.py, line {line}: {call} has no recorded answer: add a probe to tests/conformance/probes/ and run "
        "`python -m tests.conformance`"
        for name, tree in trees.items()
        for line, call in calls(tree, own)
        if call not in there
    ]


def test_every_device_call_of_the_firmware_has_a_recorded_answer(root: Path) -> None:
    files = sorted((root / "firmware").rglob("*.py"))
    trees = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in files}
    assert unanswered(trees) == []


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("import sensor\nsensor.snapshot(1, 2)", "sensor.snapshot(a value, a value)"),
        ("import sensor as s\ns.set_windowing((1, 2), 3)", "sensor.set_windowing(a tuple, a value)"),
        ("import time\ntime.sleep_ms(1, x=2)", "utime.sleep_ms(a value, x=)"),
        ("from Maix import GPIO\nGPIO(1, 2, 3, 4)", "Maix.GPIO(a value, a value, a value, a value)"),
        ("import machine\nmachine.UART.repl_uart(5)", "machine.UART.repl_uart(a value)"),
        ("def f(uart):\n    uart.read(1, 2)", ".read(a value, a value)"),
        ("from KPU import load\nload(fast=1)", "KPU.load(fast=)"),
        ("open('a', 'b', 'c', 'd')", "open(a value, a value, a value, a value)"),
        ("import select\nselect.poll()", "select.poll()"),
    ],
)
def test_a_call_without_an_answer_is_found(source: str, call: str) -> None:
    (found,) = unanswered({"main": ast.parse(source)})
    assert f": {call} has no recorded answer" in found


def test_calls_of_its_own_functions_are_none_of_the_board() -> None:
    own = {"pose_a": ast.parse("def write(a, b): pass\nclass A:\n    def read(self, a, b, c=0): pass")}
    main = ast.parse("import pose_a\npose_a.write(1, 2)\npose_a.anything(1, 2, 3, 4)\nx.read(1, 2)\nx.read(1, 2, 3)")
    assert unanswered({**own, "main": main}) == []
