"""Draws small mutations by seed: a comparison, an operator or a whole number of the code becomes its neighbour."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from pathlib import Path

from tests.mutants.rooms import ROOT, Mutation, Room

# Operators, how they are written and what they become.
SWAPPED = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is"),
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "//"), ast.FloorDiv: ("//", "*"), ast.Div: ("/", "*"),
    ast.Mod: ("%", "//"), ast.LShift: ("<<", ">>"), ast.RShift: (">>", "<<"), ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"), ast.And: ("and", "or"), ast.Or: ("or", "and"),
}  # fmt: skip


def drawn(room: Room, seed: int, count: int, root: Path = ROOT) -> list[Mutation]:
    """`count` different mutations of a room's files; a smaller count gives the first of them."""
    found = [mutation for file in room.files for mutation in candidates(file, (root / file).read_text("utf-8"))]
    random.Random(f"{seed} {room.name}").shuffle(found)
    return found[:count]


def candidates(file: str, text: str) -> list[Mutation]:
    """Every mutation of a file, in the order of its text. Numbers become one more and one less."""
    source = _Source(text)
    edits = {edit for node in _code(ast.parse(text)) for edit in _edits(source, node)}
    return [source.mutation(file, *edit) for edit in sorted(edits)]


class _Source:
    """A text by the positions of its syntax tree, which count bytes."""

    def __init__(self, text: str) -> None:
        self.text = text.encode()
        self._starts = [0]
        for line in self.text.split(b"\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)

    def start(self, node: ast.expr) -> int:
        """Where a node starts."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr) -> int:
        """The first byte behind a node."""
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    def mutation(self, file: str, start: int, end: int, new: str) -> Mutation:
        """The mutation that puts `new` between two places of one line."""
        number = self.text.count(b"\n", 0, start) + 1
        first, last = self._starts[number - 1], self._starts[number] - 1
        becomes = self.text[first:start] + new.encode() + self.text[end:last]
        return Mutation(file, number, self.text[first:last].decode(), becomes.decode())


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it but annotations, which nothing runs, and f-strings, whose parts have no positions."""
    if isinstance(node, ast.JoinedStr):
        return
    yield node
    for field, value in ast.iter_fields(node):
        if field not in ("annotation", "returns"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _code(child)


def _edits(source: _Source, node: ast.AST) -> Iterator[tuple[int, int, str]]:
    """(start, end, new text) of every mutation of one node."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        start, end = source.start(node), source.end(node)
        yield from ((start, end, str(node.value + step)) for step in (-1, 1))
    elif isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for operator, left, right in zip(node.ops, operands[:-1], operands[1:], strict=True):
            yield from _swapped(source, operator, left, right)
    elif isinstance(node, ast.BoolOp):
        for left, right in zip(node.values[:-1], node.values[1:], strict=True):
            yield from _swapped(source, node.op, left, right)
    elif isinstance(node, ast.BinOp):
        yield from _swapped(source, node.op, node.left, node.right)
    elif isinstance(node, ast.AugAssign):
        yield from _swapped(source, node.op, node.target, node.value)


def _swapped(source: _Source, operator: ast.AST, left: ast.expr, right: ast.expr) -> Iterator[tuple[int, int, str]]:
    if type(operator) in SWAPPED:
        old, new = SWAPPED[type(operator)]
        start = source.text.index(old.encode(), source.end(left), source.start(right))
        yield start, start + len(old), new
