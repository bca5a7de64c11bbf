"""The probes, read from `probes/`, as code for a board's raw prompt; and their answers, as texts that can be compared.

A file is a group: its probes run one after another on a board that was just started. A line is a probe, and indented
lines below belong to it; `#` at a line's beginning is a heading. Of `? code` only the kind of the result or of the
error is asked, where the rest differs from run to run.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.host_tools.virtual_board import kmodels

FOLDER = Path(__file__).parent / "probes"
# Each of its probes ends what the board was doing, so each has a board of its own.
STOPS = "stops"
# Its board has a card in the slot.
CARD = "sd_card"
KIND = "? "
# The kmodel at flash address 0x300000 has so many bytes.
CONSTANTS = {"SIZE": len(kmodels.kmodel())}
# What stands between prints of the collection before a probe, the probe's own prints, and its answer.
_BEGIN, _END = "\x02", "\x03"
_VALUE, _ERROR, _NOTHING = "= ", "! ", ""
_ADDRESSES = (
    (re.compile(r"0x[0-9a-f]{7,16}\b"), "0x…"),
    (re.compile(r"(?<=<io\.)(TextIOWrapper|FileIO) [0-9a-f]+"), r"\1 …"),
    (re.compile(r"(?<=E \()\d+(?=\) SYSCALL)"), "…"),
    (re.compile(r"( at )[0-9a-f]{6,16}\b"), r"\1…"),
    (re.compile(r"\b\d+ KB\b"), "… KB"),
    # Where the vendor's sources lay when they were compiled.
    (re.compile(r"\(/[\w/.-]*/(\w+\.c:\d+)\)"), r"(\1)"),
)
# What MicroPython itself words otherwise in 1.28, and for functions written in Python.
_WORDS = (
    (
        re.compile(
            r"\((['\"])((function|\w+\(\)) (takes|missing|expected)[^'\"]*arguments?[^'\"]*"
            r"|extra (positional|keyword) arguments given|unexpected keyword argument '\w+')\1,\)"
        ),
        "(wrong arguments)",
    ),
    (re.compile(r"module '\w+' has no attribute"), "'module' object has no attribute"),
    (re.compile(r"object is not iterable"), "object isn't iterable"),
)


@dataclass(frozen=True)
class Probe:
    """One question; `code` is its text in the file, which names it within its group."""

    group: str
    code: str

    @property
    def id(self) -> str:
        return f"{self.group}: {self.code.splitlines()[0]}"


@cache
def groups() -> dict[str, tuple[Probe, ...]]:
    """{group: its probes in order}. ValueError for two of one text in a group."""
    found = {}
    for path in sorted(FOLDER.glob("*.txt")):
        codes: list[str] = []
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(" "):
                codes[-1] += "\n" + line
            elif line and not line.startswith("# "):
                codes.append(line)
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"{path.name} has two probes {twice[0]!r}: add a comment to one of them")
        found[path.stem] = tuple(Probe(path.stem, code) for code in codes)
    return found


def source(probe: Probe) -> str:
    """MicroPython for the raw prompt that asks a probe and prints the answer between marks."""
    only_kind = probe.code.startswith(KIND)
    body = ast.parse(probe.code.removeprefix(KIND)).body
    value = ast.unparse(body[-1]) if isinstance(body[-1], ast.Expr) else None
    statements = "\n".join(ast.unparse(node) for node in (body[:-1] if value else body))
    shown, raised = ("type(_r)", "") if only_kind else ("_r", ",_e.args")
    lines = ["import gc", "gc.collect()", "_r=_e=None", f"print({_BEGIN!r})", "try:"]
    lines += [f" exec({statements!r})"] if statements else []
    lines += [f" _r=({value})", f" print({_END + _VALUE!r}+repr({shown}))"] if value else [f" print({_END!r})"]
    lines += ["except BaseException as _e:", f" print({_END + _ERROR!r}+type(_e).__name__{raised})"]
    return "\n".join(lines) + "\n_r=_e=None\n"


def preparation() -> str:
    """What a board runs before the first probe of a group."""
    return "\n".join(f"{name} = {value!r}" for name, value in CONSTANTS.items()) + "\n"


def answer(printed: str) -> str:
    """The answer in what a board printed: lines that the call printed, then `= result`, `! Error (arguments)`, or
    nothing for a statement; addresses and times as `…`."""
    text = printed.replace("\r", "")
    begin = text.find(_BEGIN + "\n")
    own = text[begin + len(_BEGIN) + 1 :] if begin >= 0 else text
    prints, mark, result = own.partition(_END)
    if not mark:
        return normalised(prints.strip("\n") + "\n(no answer)")
    return normalised((prints + result).strip("\n"))


def normalised(text: str) -> str:
    """A text without what differs from run to run."""
    for pattern, instead in (*_ADDRESSES, *_WORDS):
        text = pattern.sub(instead, text)
    return text
