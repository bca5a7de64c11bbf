"""The wheel's walk: which interpreters it takes, what it says where one or the network is missing, what is packed."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests import wheel
from tests.test_lock import tomllib

HERE = ".".join(map(str, sys.version_info[:2]))


def test_this_interpreter_is_found() -> None:
    assert wheel.find(HERE).exists()
    assert wheel.chosen([HERE]) == [HERE]
    assert wheel.chosen([])[0] == "3.10"


def test_a_version_that_is_not_here_is_not_run_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(wheel, "build", lambda folder: tmp_path / "x.whl")
    assert wheel.main(["3.99"]) == 0
    assert "CPython 3.99: not run: there is no CPython 3.99 here" in capsys.readouterr().out


def test_a_shim_that_does_not_run_is_no_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = tmp_path / "python3.99"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(wheel.NotRunError):
        wheel.find("3.99")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("WARNING: Retrying ... NewConnectionError: Failed to establish a new connection", wheel.NotRunError),
        ("ERROR: No matching distribution found for kflash==1.1.6", wheel.WrongError),
    ],
)
def test_no_network_is_told_from_a_wrong_package(said: str, kind: type[Exception], tmp_path: Path) -> None:
    pip = tmp_path / "pip"
    pip.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    pip.chmod(0o755)
    with pytest.raises(kind):
        wheel.pip([pip])


def test_a_command_that_ends_otherwise_than_it_should_is_told(tmp_path: Path) -> None:
    program = tmp_path / "environment" / "bin" / "posenet-maix"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho said\nexit 3\n")
    program.chmod(0o755)
    made = wheel.Installed(HERE, tmp_path / "environment")
    assert made.run("x", code=3) == "said\n"
    with pytest.raises(wheel.WrongError, match="posenet-maix x ended with 3, not 0"):
        made.run("x")
    program.write_text("#!/bin/sh\necho 'Traceback (most recent call last):' >&2\n")
    with pytest.raises(wheel.WrongError):
        made.run("x")


def test_nothing_of_this_checkout_helps_the_installed_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "here")
    assert "PYTHONPATH" not in wheel.environment()
    assert wheel.environment()["PATH"] == os.environ["PATH"]


def test_all_that_the_tools_read_is_packed(root: Path, tmp_path: Path) -> None:
    """Every file that git knows of the four folders. The setuptools that is here builds it: no test has a network."""
    pytest.importorskip("setuptools", "77", reason="no setuptools that knows this pyproject.toml")
    assert wheel.PACKED[-4:] == ("boards", "conversion", "firmware", "host_tools")
    names = set(zipfile.ZipFile(wheel.build(tmp_path, "--no-build-isolation")).namelist())
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", *wheel.PACKED[-4:]], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    missing = [name for name in listed if name not in names and not name.endswith("README.md")]
    assert missing == []


def test_python_versions_are_those_that_the_project_says(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={wheel.VERSIONS[0]}"
