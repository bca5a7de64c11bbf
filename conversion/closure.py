"""The import closure of a module: the files and packages whose change can change a result that the module makes.

Followed are imports anywhere in a file, inside functions too; literals that are the dotted name of a module, as of a
worker that is started by `-m`; and literals that name a file beside the module, as tables and templates. So what starts
a worker or opens a table is itself the declaration that a result depends on it.
"""

from __future__ import annotations

import ast
import functools
import itertools
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from conversion import cache

# The folder that holds this project's packages; as many above this file as its dotted name has dots.
ROOT = Path(__file__).resolve().parents[__name__.count(".")]

# A literal that can name a module or a file: some characters, and a dot in it.
_WORD = re.compile(r"[\w./-]*\w\.\w[\w./-]*", re.ASCII)
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", re.ASCII)
_INSTALLED = ("dist-info", "egg-info")
_ABSENT = "not installed"


@dataclass(frozen=True)
class Closure:
    """`files` of this repository, sorted, and `packages`: installed versions by import name."""

    root: Path
    files: tuple[Path, ...]
    packages: dict[str, str]

    def digest(self) -> str:
        """One hash over names and contents of the files, the versions of the packages and of Python."""
        contents = ((str(file.relative_to(self.root).as_posix()), file.read_bytes()) for file in self.files)
        versions = json.dumps(self.packages, sort_keys=True)
        return cache.key(sys.implementation.cache_tag, versions, *itertools.chain.from_iterable(contents))


@functools.cache
def digest(module: str) -> str:
    """The digest of a module's closure, computed once a process: the code that runs does not change either."""
    return of(module).digest()


def of(module: str, root: Path = ROOT) -> Closure:
    """The closure of a module that lies under `root`, by its dotted name; nothing is imported for it.

    LookupError if it does not lie there: nothing would be known about what it makes.
    """
    tree = _Tree(str(root))
    if tree.file(module) is None:
        raise LookupError(f"no module {module} under {root}: what its results depend on is not known")
    pending, files, packages = {module}, set(), set()
    while pending:
        name = pending.pop()
        for part in _with_parents(name):
            file = tree.file(part)
            if file is not None and file not in files:
                references = _references(file)
                named = references.modules(part, file)
                files |= {file, *tree.data(file, references.words)}
                pending |= tree.ours(named | references.dotted())
                packages |= tree.theirs(named) | _packages(references.dotted())
    return Closure(root, tuple(sorted(map(Path, files))), {name: _version(name) for name in packages})


def _with_parents(name: str) -> Iterator[str]:
    """A module and the packages that it lies in, which are imported before it."""
    return itertools.accumulate(name.split("."), "{}.{}".format)


class _Tree:
    """The files under a folder, by the names that Python code calls them."""

    def __init__(self, root: str) -> None:
        self._root = root
        self.file = functools.cache(self._file)

    def _file(self, name: str) -> str | None:
        base = os.path.join(self._root, *name.split("."))
        return next((path for path in (f"{base}.py", os.path.join(base, "__init__.py")) if os.path.isfile(path)), None)

    def ours(self, names: set[str]) -> set[str]:
        """Those of the names that are modules here."""
        return {name for name in names if self.file(name) is not None}

    def theirs(self, names: set[str]) -> set[str]:
        """The packages, by their import names, that the names belong to and that are neither ours nor Python's own."""
        tops = {name.partition(".")[0] for name in names} - sys.stdlib_module_names
        return {top for top in tops if not os.path.isdir(os.path.join(self._root, top)) and self.file(top) is None}

    def data(self, file: str, words: list[str]) -> Iterator[str]:
        """The files beside `file` that words name, Python files apart: those are imported."""
        folder = os.path.dirname(file)
        paths = (os.path.normpath(os.path.join(folder, word)) for word in words if not word.endswith(".py"))
        return (path for path in paths if path.startswith(self._root + os.sep) and os.path.isfile(path))


@dataclass(frozen=True)
class _References:
    """What a file's text refers to: `imports` as they stand there (relative ones with their dots), and `words`."""

    imports: list[str]
    words: list[str]

    def modules(self, module: str, file: str) -> set[str]:
        """The imports of a module as absolute names; some are of what lies in a module."""
        package = module.split(".") if os.path.basename(file) == "__init__.py" else module.split(".")[:-1]
        names = set()
        for name in self.imports:
            dots = len(name) - len(name.lstrip("."))
            base = package[: len(package) - dots + 1] if dots else []
            names.add(".".join(filter(None, (*base, name[dots:]))))
        return names

    def dotted(self) -> set[str]:
        """The words that could be modules."""
        return {word for word in self.words if _DOTTED.fullmatch(word)}


def _packages(words: set[str]) -> set[str]:
    """The installed packages that words are modules of, as "skimage.data" is."""
    return {word.partition(".")[0] for word in words} & _distributions().keys()


def _references(file: str) -> _References:
    """Of one file; kept by its content, because parsing all files takes longer than a repeated conversion may."""
    source = Path(file).read_bytes()
    return cache.cached("references", cache.key(_own_source(), source), lambda: _parsed(source, file), _read_references)


def _read_references(data: bytes) -> _References:
    found = _References(*json.loads(data))
    if not all(isinstance(word, str) for word in (*found.imports, *found.words)):
        raise ValueError("no references")
    return found


@functools.cache
def _own_source() -> bytes:
    return Path(__file__).read_bytes()


def _parsed(source: bytes, file: str) -> bytes:
    imports, words = set(), set()
    for node in ast.walk(ast.parse(source, file)):
        if isinstance(node, ast.Import):
            imports |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            imports |= {base, *(f"{base}{'.' if node.module else ''}{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _WORD.fullmatch(node.value):
            words.add(node.value)
    return json.dumps([sorted(imports), sorted(words)]).encode()


def _version(package: str) -> str:
    return ", ".join(_distributions().get(package, [_ABSENT]))


@functools.cache
def _distributions() -> dict[str, list[str]]:
    """Import name -> the installed distributions that bring it, with versions, such as ["tensorflow-cpu 2.21.0"].

    Python knows them only by reading every distribution's list of files; kept by the names of those lists.
    """
    lists = [
        os.path.join(folder, name)
        for folder in sys.path
        if os.path.isdir(folder)
        for name in sorted(os.listdir(folder))
        if name.endswith(_INSTALLED)
    ]
    return cache.cached("distributions", cache.key(_own_source(), *lists), _list_distributions, _read_distributions)


def _read_distributions(data: bytes) -> dict[str, list[str]]:
    found = json.loads(data)
    if not all(isinstance(name, str) for names in found.values() for name in names):
        raise ValueError("no distributions")
    return found


def _list_distributions() -> bytes:
    found: dict[str, set[str]] = {}
    for distribution in metadata.distributions():
        # Not by `distribution.files`, which takes 20 s over TensorFlow's.
        named = (distribution.read_text("top_level.txt") or "").split()
        files = (distribution.read_text("RECORD") or "").splitlines()
        for top in named or {re.split("[/.,]", file, maxsplit=1)[0] for file in files}:
            found.setdefault(top, set()).add(f"{distribution.metadata['Name']} {distribution.version}")
    return json.dumps({top: sorted(names) for top, names in found.items()}).encode()
