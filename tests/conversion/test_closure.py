"""What a kept result depends on: every file and package that its module reaches; nobody has to list them."""

import functools
import os
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from conversion import closure, feature_map, photos, quiet_tensorflow
from conversion.kmodel import (
    assemble,
    kpu_network,
    layer,
    plan,
    registers,
    v3,
    v3_container,
    v5,
    v5_code,
    v5_container,
    v5_stackvm,
)
from conversion.kpu import activation, arithmetic, memory, simulator
from conversion.nncase import agreement, compiler
from conversion.quantisation import calibration, quantise, views, worker
from conversion.tensorflow import reference
from conversion.weights import known

# The modules whose results are kept, and files that have been forgotten once, when they were listed by hand.
KEPT = {
    agreement: (
        assemble, compiler, simulator, activation, arithmetic, memory, kpu_network, layer, feature_map, plan,
        registers, v3, v3_container, v5, v5_code, v5_container, v5_stackvm,
    ),
    compiler: (),
    reference: (known,),
    quantise: (worker,),
    calibration: (photos, views),
}  # fmt: skip


def name_of(module: ModuleType) -> str:
    return module.__name__


def file_of(module: ModuleType) -> Path:
    return Path(module.__file__)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project's packages once more, to change them."""
    folder = tmp_path_factory.mktemp("copy")
    for package in ("conversion", "firmware"):
        shutil.copytree(closure.ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@functools.cache
def unchanged(copy: Path, module: str) -> str:
    """The digest of the copy as it is between two changes."""
    return closure.of(module, copy).digest()


def changes(copy: Path, module: ModuleType, file: Path) -> bool:
    """Does a byte more in one file give the results of a module another key?"""
    before = unchanged(copy, name_of(module))
    changed = copy / file.relative_to(closure.ROOT)
    original = changed.read_bytes()
    changed.write_bytes(original + b"\n")
    try:
        return closure.of(name_of(module), copy).digest() != before
    finally:
        changed.write_bytes(original)


@pytest.mark.parametrize(
    ("module", "part"), [(module, part) for module, parts in KEPT.items() for part in parts], ids=name_of
)
def test_files_that_were_forgotten_once_change_the_key(copy: Path, module: ModuleType, part: ModuleType) -> None:
    assert changes(copy, module, file_of(part))


@pytest.mark.parametrize("module", [agreement, compiler], ids=name_of)
def test_the_worker_that_runs_nncase_changes_the_key(copy: Path, module: ModuleType) -> None:
    """It is started by `-m`, no module imports it."""
    (file,) = (file for file in closure.of(name_of(module)).files if "\nimport nncase\n" in file.read_text())
    assert changes(copy, module, file)


def test_what_tensorflow_computes_is_imported_inside_functions_and_changes_the_key(copy: Path) -> None:
    """Through one file, which sets TensorFlow's environment first."""
    with_tensorflow = [file for file in closure.of(name_of(reference)).files if "import tf\n" in file.read_text()]
    assert len(with_tensorflow) >= 4
    assert file_of(quiet_tensorflow) in closure.of(name_of(reference)).files
    assert "tensorflow" in closure.of(name_of(reference)).packages
    assert all(changes(copy, reference, file) for file in with_tensorflow)


def test_a_table_beside_a_module_changes_the_key(copy: Path) -> None:
    assert changes(copy, reference, file_of(known).with_name("known.toml"))


@pytest.mark.parametrize("module", KEPT, ids=name_of)
def test_every_file_of_a_closure_changes_the_key(copy: Path, module: ModuleType) -> None:
    files = closure.of(name_of(module)).files
    assert file_of(module) in files
    assert [file for file in files if not changes(copy, module, file)] == []


@pytest.mark.parametrize("module", KEPT, ids=name_of)
def test_no_other_file_does(copy: Path, module: ModuleType) -> None:
    """What the command line says, for example, changes nothing that is kept."""
    others = set((closure.ROOT / "conversion").rglob("*.py")) - set(closure.of(name_of(module)).files)
    assert len(others) > 50
    assert [file for file in sorted(others)[::5] if changes(copy, module, file)] == []


def test_every_data_file_belongs_to_a_module() -> None:
    """A table or template that no module names as a literal would be missed: here it is found."""
    package = closure.ROOT / "conversion"
    data = {path for path in package.rglob("*") if path.suffix in (".toml", ".j2", ".json", ".txt", ".npz")}
    modules = (path.relative_to(closure.ROOT).with_suffix("") for path in package.rglob("*.py"))
    found = {file for module in modules for file in closure.of(".".join(module.parts)).files}
    assert data
    assert data - found == set()


@pytest.mark.parametrize(
    ("module", "packages"),
    [
        (agreement, {"numpy", "nncase"}),
        (compiler, {"numpy", "nncase"}),
        (reference, {"numpy", "tensorflow", "google", "PIL", "skimage"}),
        (quantise, {"numpy", "tensorflow"}),
        (calibration, {"numpy", "PIL", "skimage"}),
    ],
    ids=lambda value: name_of(value) if isinstance(value, ModuleType) else "",
)
def test_the_versions_of_packages_change_the_key(
    module: ModuleType, packages: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = closure.of(name_of(module))
    assert packages <= before.packages.keys()
    assert closure._ABSENT not in {before.packages[package] for package in packages}
    installed = closure._distributions()
    for package in packages:
        monkeypatch.setattr(closure, "_distributions", lambda name=package: {**installed, name: ["other 1.0"]})
        assert closure.of(name_of(module)).digest() != before.digest()
    monkeypatch.setattr(closure, "_distributions", lambda: {**installed, "aiohttp": ["other 1.0"]})
    assert closure.of(name_of(module)).digest() == before.digest()


def test_versions_are_those_of_what_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "lib" / "Second_Name-1.5.dist-info" / "METADATA", "Name: Second-Name\nVersion: 1.5\n")
    write(tmp_path / "lib" / "Second_Name-1.5.dist-info" / "RECORD", "other_name/__init__.py,,\nsingle.py,,\n")
    write(tmp_path / "lib" / "first-2.0.dist-info" / "METADATA", "Name: first\nVersion: 2.0\n")
    write(tmp_path / "lib" / "first-2.0.dist-info" / "top_level.txt", "first_name\n")
    write(tmp_path / "root" / "a.py", "import first_name, other_name.part, single, nobody_s, sys, os.path")
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    closure._distributions.cache_clear()
    try:
        packages = closure.of("a", tmp_path / "root").packages
    finally:
        closure._distributions.cache_clear()
    assert packages == {
        "first_name": "first 2.0",
        "other_name": "Second-Name 1.5",
        "single": "Second-Name 1.5",
        "nobody_s": "not installed",
    }


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))


@pytest.fixture
def closure_of(tmp_path: Path) -> Callable[[dict[str, str]], set[str]]:
    """The files of the closure of module `a.main` in a tree of the given files."""

    def make(files: dict[str, str]) -> set[str]:
        for name, text in files.items():
            write(tmp_path / name, text)
        found = closure.of("a.main", tmp_path)
        return {file.relative_to(tmp_path).as_posix() for file in found.files}

    return make


@pytest.mark.parametrize(
    "reference",
    [
        "import a.b.c",
        "import a.b.c as other",
        "from a.b import c",
        "from a.b.c import d",
        "from a.b.c import *",
        "from .b import c",
        "from .b.c import d",
        "from . import b; from .b import c",
        "def f():\n    from a.b import c",
        "def f():\n    class G:\n        def h(self):\n            import a.b.c",
        "if TYPE_CHECKING:\n    import a.b.c",
        'WORKER = "a.b.c"',
        'def f():\n    start([sys.executable, "-m", "a.b.c", folder])',
        'def f(x=importlib.import_module("a.b.c")):\n    pass',
    ],
)
def test_ways_to_reach_a_module(closure_of: Callable[[dict[str, str]], set[str]], reference: str) -> None:
    found = closure_of(
        {
            "a/__init__.py": "",
            "a/main.py": reference,
            "a/b/__init__.py": "from a import d",
            "a/b/c.py": "import a.e",
            "a/d.py": "",
            "a/e.py": "import a.main",
            "a/f.py": "",
        }
    )
    assert found == {"a/__init__.py", "a/main.py", "a/b/__init__.py", "a/b/c.py", "a/d.py", "a/e.py"}


def test_relative_imports_of_a_package_and_upwards(closure_of: Callable[[dict[str, str]], set[str]]) -> None:
    found = closure_of(
        {
            "a/main.py": "from .b import c",
            "a/b/__init__.py": "from .c import x\nfrom ..d import y\nfrom .. import e",
            "a/b/c.py": "",
            "a/d.py": "",
            "a/e.py": "",
        }
    )
    assert found == {"a/main.py", "a/b/__init__.py", "a/b/c.py", "a/d.py", "a/e.py"}


@pytest.mark.parametrize("text", ['open("t.toml")', 'x = {"k": ("templates/t.html.j2", 1)}', 'open("../t.txt")'])
def test_a_literal_that_names_a_file_beside_it_is_a_data_file(
    closure_of: Callable[[dict[str, str]], set[str]], text: str
) -> None:
    data = {"a/t.toml": "", "a/templates/t.html.j2": "", "t.txt": ""}
    found = closure_of({"a/main.py": text, **data})
    assert len(found & data.keys()) == 1


def test_what_lies_outside_is_no_part_of_it(tmp_path: Path) -> None:
    write(tmp_path / "outside.txt", "")
    write(tmp_path / "root" / "a.py", 'open("../outside.txt")')
    assert closure.of("a", tmp_path / "root").files == (tmp_path / "root" / "a.py",)


def test_the_key_is_that_of_contents_and_names_not_of_places(tmp_path: Path) -> None:
    digests = set()
    for place in ("one", "two"):
        write(tmp_path / place / "a.py", "import b")
        write(tmp_path / place / "b.py", "x = 1")
        digests.add(closure.of("a", tmp_path / place).digest())
    assert len(digests) == 1
    os.rename(tmp_path / "two" / "b.py", tmp_path / "two" / "c.py")
    write(tmp_path / "two" / "a.py", "import c")
    assert closure.of("a", tmp_path / "two").digest() not in digests


def test_a_module_from_elsewhere_has_no_closure(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="no module __main__"):
        closure.of("__main__", tmp_path)
