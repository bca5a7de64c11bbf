"""Which module of this repository imports which, read from the source: also imports inside functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Import:
    """One statement: the module it stands in, those of this repository that it names, and when it is run.

    `for_types` is True below `if TYPE_CHECKING`, where nothing is imported when the program runs.
    """

    importer: str
    names: tuple[str, ...]
    for_types: bool


def name_of(path: Path) -> str:
    """The module that a file is, with its packages: a package's `__init__.py` is the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules(package: str) -> dict[str, Path]:
    """All modules of a package in ROOT, by name; what only runs on a virtual board imports the board's modules."""
    files = sorted((ROOT / package).rglob("*.py"))
    return {name_of(path): path for path in files if "modules" not in path.parts and "on_board" not in path.parts[:-1]}


@cache
def imports(package: str) -> tuple[Import, ...]:
    """Every import of a module of `conversion`, `host_tools` or `firmware` in a package."""
    return tuple(found for name, path in modules(package).items() for found in _imports(name, path))


def _imports(importer: str, path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node, for_types in _statements(tree, for_types=False):
        names = tuple(name for name in _named(node) if name)
        if names:
            yield Import(importer, names, for_types)


def _statements(node: ast.AST, for_types: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        guarded = for_types or (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING")
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, guarded
        else:
            yield from _statements(child, guarded)


def _named(node: ast.Import | ast.ImportFrom) -> Iterator[str | None]:
    """The modules of a statement: `from package import name` is of the module `package.name` where that is one."""
    if isinstance(node, ast.Import):
        yield from (_module(alias.name) for alias in node.names)
    elif node.level == 0:
        yield from (_module(f"{node.module}.{alias.name}") or _module(node.module) for alias in node.names)


def _module(name: str) -> str | None:
    package = name.partition(".")[0]
    known = package in ("conversion", "host_tools", "firmware") and name in modules(package)
    return name if known else None


def closure(begin: set[str]) -> set[str]:
    """The modules that some modules import, directly or not, themselves included; imports for types do not count."""
    found, waiting = set(), set(begin)
    while waiting:
        module = waiting.pop()
        found.add(module)
        package = module.partition(".")[0]
        for each in imports(package):
            if each.importer == module and not each.for_types:
                waiting.update(set(each.names) - found)
    return found


def cycle(package: str) -> list[str]:
    """Modules of a package that import each other in a circle, the first of them again at the end; [] if none do.

    An import for types alone counts: who reads one of the two modules has to read the other.
    """
    edges: dict[str, set[str]] = {}
    for each in imports(package):
        edges.setdefault(each.importer, set()).update(each.names)
    done: set[str] = set()

    def visit(module: str, way: list[str]) -> list[str]:
        if module in way:
            return [*way[way.index(module) :], module]
        if module in done:
            return []
        for other in sorted(edges.get(module, ())):
            if found := visit(other, [*way, module]):
                return found
        done.add(module)
        return []

    return next((found for module in sorted(edges) if (found := visit(module, []))), [])


def room(module: str) -> str | None:
    """The folder of its package that a module is in; None for those that lie beside the folders."""
    package, _, rest = module.partition(".")
    name = rest.partition(".")[0]
    return f"{package}.{name}" if name and (ROOT / package / name).is_dir() else None


def between_rooms(package: str, ground: frozenset[str] = frozenset()) -> list[Import]:
    """Statements in a file of one folder of a package that import from another folder of it.

    `ground` are folders that stand, as the files beside the folders, for every folder to use: they do not count.
    """
    return [
        each
        for each in imports(package)
        if any(_between(each.importer, name) and room(name) not in ground for name in each.names)
    ]


def rooms_that_import_each_other(package: str) -> list[tuple[str, str]]:
    """Pairs of folders of a package, each of which imports from the other."""
    edges = {(room(each.importer), room(name)) for each in between_rooms(package) for name in each.names}
    return sorted((here, there) for here, there in edges if here and there and here < there and (there, here) in edges)


def _between(importer: str, name: str) -> bool:
    here, there = room(importer), room(name)
    return here is not None and there is not None and here != there and _package(importer) == _package(name)


def _package(module: str) -> str:
    return module.partition(".")[0]
