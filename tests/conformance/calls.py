"""The device calls in a source, with their forms: functions of MaixPy's modules, constructors, objects' methods.

A form is what `firmware_names` takes it for: how many arguments, which of them are tuples, which keywords.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from tests import firmware_names
from tests.firmware_names import Form

# Modules of the board, by the name that the others are called here.
_ALIASES = {
    "uos": "os", "time": "utime", "ubinascii": "binascii", "ujson": "json", "ustruct": "struct", "hashlib": "uhashlib",
}  # fmt: skip
MODULES = frozenset((
    "array", "binascii", "board", "fpioa_manager", "gc", "heapq", "image", "json", "KPU", "lcd", "machine", "Maix",
    "micropython", "os", "select", "sensor", "struct", "sys", "uctypes", "uhashlib", "utime",
))  # fmt: skip
# Of what `micropython_1_11.json` lists, what belongs to the board and not to the language.
_OBJECTS = ("file", "sha256", "uname", "uart", "picture", "GPIO", "fm", "fpioa", "utils", "UART")
_MODEL = frozenset(("model_addr", "model_path", "model_size", "net_arg", "ch", "h", "index", "typecode", "w"))
_BUILTINS = frozenset({"open"})


@dataclass(frozen=True)
class Call:
    """`name` is "module.function", or ".method" where the object is not known; `form` None where stars hide it."""

    name: str
    form: Form | None

    def __str__(self) -> str:
        if self.form is None:
            return f"{self.name}(…)"
        _, places, keywords = self.form
        given = ["a tuple" if place == "t" else "a value" for place in places]
        return f"{self.name}({', '.join(given + [f'{key}=' for key in sorted(keywords)])})"


@dataclass
class Own:
    """What the firmware itself defines: its modules, and how many arguments its functions take, by name."""

    modules: set[str] = field(default_factory=set)
    arguments: dict[str, set[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, trees: dict[str, ast.Module]) -> Own:
        own = cls(set(trees))
        for tree in trees.values():
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef):
                    names = [argument.arg for argument in node.args.args if argument.arg != "self"]
                    least = len(names) - len(node.args.defaults)
                    own.arguments.setdefault(node.name, set()).update(range(least, len(names) + 1))
        return own


@cache
def device_methods() -> frozenset[str]:
    """Methods that objects of the board have."""
    listed = json.loads(firmware_names.DATA.read_text())["objects"]
    return frozenset().union(_MODEL, *(listed[what] for what in _OBJECTS))


def calls(tree: ast.AST, own: Own | None = None, names: dict[str, str] | None = None) -> Iterator[tuple[int, Call]]:
    """(line, device call) of a source; `own` says what is the firmware's, `names` what names are imported as beside
    those that the source itself imports."""
    imported = {**(names or {}), **dict(imports(tree))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = _name(node, imported, own or Own())
            if name:
                form = firmware_names._form(node, frozenset())
                yield node.lineno, Call(name, form and (name.rsplit(".", 1)[-1], *form[1:]))


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(name in the source, what of the board it is) of each import of the board's modules, or of one's own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name, _ALIASES.get(alias.name, alias.name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{_ALIASES.get(node.module, node.module)}.{alias.name}"


def _name(node: ast.Call, imported: dict[str, str], own: Own) -> str | None:
    chain = _chain(node.func)
    root = imported.get(chain[0]) if chain else None
    if root and root.split(".")[0] in MODULES:
        return ".".join([root, *chain[1:]])
    if root and root.split(".")[0] in own.modules:
        return None
    if isinstance(node.func, ast.Name):
        return node.func.id if node.func.id in _BUILTINS else None
    if isinstance(node.func, ast.Attribute) and node.func.attr in device_methods():
        is_own = len(node.args) in own.arguments.get(node.func.attr, ())
        return None if is_own else f".{node.func.attr}"
    return None


def _chain(function: ast.expr) -> list[str]:
    """The names of `a.b.c`; empty where it begins with anything but a name."""
    names = []
    while isinstance(function, ast.Attribute):
        names.append(function.attr)
        function = function.value
    return [function.id, *reversed(names)] if isinstance(function, ast.Name) else []


def answered(sources: Iterable[str]) -> set[Call]:
    """The device calls in probes that run one after another; a function of a module counts as a method too."""
    found: set[Call] = set()
    names: dict[str, str] = {}
    for source in sources:
        tree = ast.parse(source)
        names.update(imports(tree))
        for _, call in calls(tree, names=names):
            found.add(call)
            if call.form is not None:
                found |= {Call(call.name, None), Call(f".{call.form[0]}", call.form)}
    return found
