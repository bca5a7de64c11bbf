"""scripts/find_python.sh with made-up machines: a PATH of its own, a home of its own, interpreters that pretend."""

from __future__ import annotations

import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# A real interpreter that takes on the answers of another: called as `fake -E -s -c PROGRAM`.
PRETENCE = """
import platform, struct, sys
sys.version_info = {version}
sys.executable = {path!r}
sys.prefix = sys.base_prefix
platform.machine = lambda: {machine!r}
platform.python_implementation = lambda: {implementation!r}
platform.libc_ver = lambda: ({libc!r}, "")
if {lacking!r}:
    sys.modules[{lacking!r}] = None
exec(sys.argv[-1])
"""


class Machine:
    """A home, a PATH with the few tools that the script may use, and what is put there."""

    def __init__(self, folder: Path, script: Path) -> None:
        self.script = script
        self.home = folder / "home"
        self.bin = folder / "a bin"
        self.tools = folder / "tools"
        for path in (self.home, self.bin, self.tools):
            path.mkdir()
        for tool in ("ls", "sed", "sort"):
            (self.tools / tool).symlink_to(shutil.which(tool))
        self.environment = {"HOME": str(self.home), "PATH": f"{self.bin}:{self.tools}"}

    def put(self, path: Path, script: str) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)
        return str(path)

    def put_python(self, path: Path, version=(3, 10, 4), lacking="", **answers: str) -> str:
        answers = {"machine": "x86_64", "implementation": "CPython", "libc": "glibc", **answers}
        program = PRETENCE.format(version=version, path=str(path), lacking=lacking, **answers)
        return self.put(path, f'exec {shlex.quote(sys.executable)} -c {shlex.quote(program)} "$@"\n')

    def find(self, **environment: str) -> tuple[int, str, str]:
        command = ["/bin/sh", str(self.script)]
        done = subprocess.run(command, env={**self.environment, **environment}, capture_output=True, text=True)
        return done.returncode, done.stdout.strip(), done.stderr.strip()


@pytest.fixture
def machine(tmp_path: Path, root: Path) -> Machine:
    return Machine(tmp_path, root / "scripts" / "find_python.sh")


def test_takes_python310_on_path(machine: Machine):
    path = machine.put_python(machine.bin / "python3.10")

    assert machine.find() == (0, path, "")


def test_goes_on_after_a_shim_that_fails(machine: Machine, tmp_path: Path):
    machine.put(machine.bin / "python3.10", "echo 'pyenv: python3.10: command not found' >&2\nexit 127\n")
    path = machine.put_python(tmp_path / "later" / "python3.10")

    assert machine.find(PATH=f"{machine.environment['PATH']}:{tmp_path / 'later'}") == (0, path, "")


def test_goes_on_after_a_shim_that_runs_another_version(machine: Machine):
    machine.put_python(machine.bin / "python3.10", version=(3, 12, 1))
    path = machine.put_python(machine.home / ".pyenv/versions/3.10.2/bin/python")

    assert machine.find() == (0, path, "")


@pytest.mark.parametrize("where", ["home", "PYENV_ROOT"])
def test_takes_the_newest_of_pyenv(machine: Machine, tmp_path: Path, where: str):
    pyenv = machine.home / ".pyenv" if where == "home" else tmp_path / "pyenv root"
    environment = {} if where == "home" else {"PYENV_ROOT": str(pyenv)}
    for version in ((3, 9, 18), (3, 10, 2), (3, 10, 13), (3, 11, 7)):
        machine.put_python(pyenv / "versions" / ".".join(map(str, version)) / "bin/python", version=version)

    assert machine.find(**environment) == (0, str(pyenv / "versions/3.10.13/bin/python"), "")


def test_passes_over_a_broken_pyenv_version(machine: Machine):
    machine.put(machine.home / ".pyenv/versions/3.10.13/bin/python", "exit 1\n")
    path = machine.put_python(machine.home / ".pyenv/versions/3.10.2/bin/python")

    assert machine.find() == (0, path, "")


def test_python_variable_wins(machine: Machine, tmp_path: Path):
    machine.put_python(machine.bin / "python3.10")
    path = machine.put_python(tmp_path / "my own python")

    assert machine.find(PYTHON=path) == (0, path, "")


@pytest.mark.parametrize(
    ("answers", "fault"),
    [
        ({"version": (3, 12, 1)}, "is CPython 3.12.1"),
        ({"version": (2, 7, 18)}, "is CPython 2.7.18"),
        ({"implementation": "PyPy"}, "is PyPy 3.10.4"),
        ({"machine": "aarch64"}, "is a 64-bit Python for aarch64"),
        ({"lacking": "ensurepip"}, "apt install python3.10-venv"),
        pytest.param(
            {"libc": "musl"},
            "is not linked with glibc",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="asked on Linux only"),
        ),
    ],
)
def test_wrong_python_variable_is_one_line_and_not_passed_over(machine: Machine, tmp_path: Path, answers, fault: str):
    machine.put_python(machine.bin / "python3.10")
    path = machine.put_python(tmp_path / "other", **answers)

    code, found, message = machine.find(PYTHON=path)

    assert (code, found) == (2, "")
    assert message.startswith(f"PYTHON={path} ")
    assert fault in message
    assert "\n" not in message


def test_python_variable_that_names_nothing(machine: Machine):
    code, found, message = machine.find(PYTHON="/no/such/python")

    assert (code, found) == (2, "")
    assert message.startswith("PYTHON=/no/such/python does not run, ")


def test_none_says_why_and_how_in_one_line(machine: Machine):
    shim = machine.put(machine.bin / "python3.10", "exit 127\n")

    code, found, message = machine.find()

    assert (code, found) == (2, "")
    assert "\n" not in message
    why = ("nncase 1.9.0.20230322", "3.7 to 3.10", "64-bit x86")
    how = ("uv python install", "pyenv install", "deadsnakes", "PYTHON=PATH")
    assert [part for part in why + how if part not in message] == []
    assert message.endswith(f"Looked at: {shim} does not run.")


def test_none_at_all_lists_nothing_it_looked_at(machine: Machine):
    code, _, message = machine.find()

    assert code == 2
    assert message.startswith("No usable Python 3.10")
    assert "Looked at" not in message


def put_uv(machine: Machine, python: str, downloads: bool) -> Path:
    """A uv that knows one Python, at once or after `uv python install`; it writes down how it was called."""
    calls = machine.home / "calls"
    downloaded = machine.home / "downloaded"
    machine.put(
        machine.bin / "uv",
        f"echo \"$*\" >> '{calls}'\n"
        f"case $2 in install) {'' if downloads else 'exit 1;'} : > '{downloaded}' ;;\n"
        f"find) [ -e '{downloaded}' ] && echo '{python}' || exit 2 ;; esac\n",
    )
    return calls


def test_uv_gives_the_one_it_has(machine: Machine, tmp_path: Path):
    path = machine.put_python(tmp_path / "managed/python3.10")
    calls = put_uv(machine, path, downloads=True)
    (machine.home / "downloaded").touch()

    assert machine.find() == (0, path, "")
    assert "install" not in calls.read_text()


def test_uv_downloads_one_and_says_so(machine: Machine, tmp_path: Path):
    path = machine.put_python(tmp_path / "managed/python3.10")
    put_uv(machine, path, downloads=True)

    code, found, message = machine.find()

    assert (code, found) == (0, path)
    assert "uv downloads one" in message


def test_uv_without_network_ends_in_the_message(machine: Machine):
    put_uv(machine, "/nothing", downloads=False)

    code, found, message = machine.find()

    assert (code, found) == (2, "")
    assert message.splitlines()[-1].endswith("Looked at: uv could not download one.")


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="not in a virtual environment")
@pytest.mark.skipif(sys.version_info[:2] != (3, 10) or platform.machine() != "x86_64", reason="other Python or machine")
def test_gives_the_interpreter_below_a_virtual_environment(machine: Machine):
    code, found, _ = machine.find(PYTHON=sys.executable)

    assert code == 0
    assert Path(found).is_relative_to(sys.base_prefix)
    assert not Path(found).is_relative_to(sys.prefix)
