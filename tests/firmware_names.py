"""Names and argument forms in firmware files, against those that a real MaixPy's MicroPython 1.11 was found to know.

What is ours (defined in the file, or in a file beside it) may be called anything. Everything else must be a name that
the recorded board listed, and a call of a builtin, of a method of its types or of its software modules must have a form
that it was seen to accept: as many arguments, tuples in the same places, the same keywords.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

DATA = Path(__file__).parent / "firmware" / "micropython_1_11.json"
# Whose methods have recorded forms; of the other objects the names alone are checked here.
VALUE_TYPES = ("str", "bytes", "bytearray", "int", "list", "dict", "tuple", "set", "memoryview", "array", "sha256")
SOFTWARE = frozenset((
    "array", "binascii", "gc", "heapq", "json", "micropython", "os", "struct", "sys", "ubinascii", "uhashlib", "ujson",
    "uos", "utime",
))  # fmt: skip
# CanMV's own module and KPU class: another firmware, of which no names are recorded.
UNRECORDED_MODULES = frozenset({"maix"})
CANMV_NAMES = frozenset({"load_kmodel", "run_with_output", "get_outputs", "run"})
# Attributes that every object or class has, without `dir` saying so.
EVERYWHERE = frozenset({"__name__", "__init__", "args", "value"})
_OK = "ok"
_TUPLE, _VALUE = "t", "v"

Form = tuple[str, str, frozenset[str]]


@dataclass(frozen=True)
class Known:
    """What was recorded: names of each module, all attributes of all objects, and call forms with their answers."""

    modules: dict[str, frozenset[str]]
    attributes: frozenset[str]
    methods: frozenset[str]
    forms: dict[Form, str]
    version: str


@dataclass
class Own:
    """What a file and its siblings define: {module: its names}, attributes of their classes, tuples among constants."""

    modules: dict[str, frozenset[str]] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    tuples: set[str] = field(default_factory=set)


@lru_cache
def known() -> Known:
    """The recorded board."""
    data = json.loads(DATA.read_text())
    modules = {name: frozenset(names) for name, names in data["modules"].items()}
    listed = {what: frozenset(names) for what, names in data["objects"].items()}
    forms: dict[Form, str] = {}
    for code, answer in data["calls"].items():
        call = ast.parse(code, mode="eval").body
        for node in ast.walk(call):
            if isinstance(node, ast.Call):
                form = _form(node, frozenset())
                if form and (node is call or form not in forms):
                    forms[form] = _OK if forms.get(form) == _OK else answer
    methods = frozenset().union(*(listed[what] for what in VALUE_TYPES))
    return Known(modules, frozenset().union(*listed.values()), methods, forms, data["version"])


def problems(tree: ast.Module, siblings: dict[str, ast.Module]) -> list[tuple[int, str]]:
    """(line, what) for each name or form in a file that the recorded board does not know; `siblings` lie beside it."""
    own = _own(tree, siblings)
    imported = dict(_imported(tree))
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            whats = _name(node.id, own)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            whats = _attribute(node, own, imported)
        elif isinstance(node, ast.ImportFrom):
            whats = _names_from(node, own)
        elif isinstance(node, ast.Call):
            whats = _call(node, own, imported)
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and node.slice.step:
            whats = ["a slice with a step"]
        else:
            continue
        found += [(node.lineno, what) for what in whats]
    return found


def _own(tree: ast.Module, siblings: dict[str, ast.Module]) -> Own:
    own = Own()
    for name, sibling in siblings.items():
        own.modules[name] = frozenset(_top_level(sibling))
        own.attributes |= _members(sibling)
    own.attributes |= _members(tree)
    own.names = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    own.names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)} | _defined(tree)
    own.names |= {name for name, _ in _imported(tree)} | {node.name or "" for node in _handlers(tree)}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            own.tuples |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return own


def _handlers(tree: ast.Module) -> list[ast.ExceptHandler]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]


def _defined(tree: ast.Module) -> set[str]:
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


@cache
def _top_level(tree: ast.Module) -> set[str]:
    """Names that a module has for those who import it; not to be changed."""
    found = _defined(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found | {name for name, _ in _imported(tree)}


@cache
def _members(tree: ast.Module) -> set[str]:
    """Attributes that classes of a file have: methods, variables, what is assigned; names of settings, by text. Not to
    be changed."""
    found = set(_top_level(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.Tuple) and node.elts and isinstance(getattr(node.elts[0], "value", None), str):
            found.add(node.elts[0].value)
        elif isinstance(node, ast.Dict):
            found |= {key.value for key in node.keys if isinstance(getattr(key, "value", None), str)}
    return found


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(name in the file, module) of each import; the module is "" for a name out of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name, alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, ""


def _name(name: str, own: Own) -> list[str]:
    if name in own.names or name in known().modules["builtins"] or name in ("__name__", "__file__"):
        return []
    return [f"the name {name}, which the board does not have"]


def _attribute(node: ast.Attribute, own: Own, imported: dict[str, str]) -> list[str]:
    module = imported.get(node.value.id, "") if isinstance(node.value, ast.Name) else ""
    if module in UNRECORDED_MODULES:
        return []
    names = own.modules.get(module) or known().modules.get(module)
    if names is not None:
        return [] if node.attr in names else [f"{module}.{node.attr}, which is not there"]
    if node.attr in own.attributes | known().attributes | EVERYWHERE | CANMV_NAMES:
        return []
    return [f"the attribute {node.attr}, which nothing on the board has"]


def _names_from(node: ast.ImportFrom, own: Own) -> list[str]:
    names = own.modules.get(node.module or "") or known().modules.get(node.module or "")
    if names is None:
        return []
    return [f"{node.module}.{alias.name}, which is not there" for alias in node.names if alias.name not in names]


def _call(node: ast.Call, own: Own, imported: dict[str, str]) -> list[str]:
    """Whether a builtin, a method of a builtin type or a function of a software module takes such arguments."""
    form = _form(node, frozenset(own.tuples))
    if form is None or not _is_recorded_kind(node.func, own, imported):
        return []
    answer = known().forms.get(form)
    if answer == _OK:
        return []
    name, places, keywords = form
    given = ["a tuple" if place == _TUPLE else "a value" for place in places] + sorted(f"{key}=" for key in keywords)
    shape = f"{name}({', '.join(given)})"
    if answer is None:
        return [f"{shape}, of which no answer is recorded: add it to tests/firmware/probes.py"]
    return [f"{shape}, which the board answers with {answer}"]


def _is_recorded_kind(function: ast.expr, own: Own, imported: dict[str, str]) -> bool:
    if isinstance(function, ast.Name):
        module = imported.get(function.id)
        return function.id in known().modules["builtins"] and function.id not in own.names and module is None
    if not isinstance(function, ast.Attribute):
        return False
    if isinstance(function.value, ast.Name) and function.value.id in imported:
        return imported[function.value.id] in SOFTWARE
    return function.attr in known().methods and function.attr not in own.attributes


def _form(node: ast.Call, tuples: frozenset[str]) -> Form | None:
    """(name, _VALUE or _TUPLE for each argument, keywords); None where stars hide what is given."""
    if any(isinstance(argument, ast.Starred) for argument in node.args) or any(not key.arg for key in node.keywords):
        return None
    name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
    if name is None:
        return None
    places = "".join(_TUPLE if _is_tuple(argument, tuples) else _VALUE for argument in node.args)
    return name, places, frozenset(key.arg for key in node.keywords if key.arg)


def _is_tuple(argument: ast.expr, tuples: frozenset[str]) -> bool:
    return isinstance(argument, ast.Tuple) or (isinstance(argument, ast.Name) and argument.id in tuples)
