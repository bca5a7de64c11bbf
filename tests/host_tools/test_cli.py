"""One command for all: subcommands, version, shell completion; `conversion` is imported only when it is asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import conversion
from conversion.cli import main as conversion_main
from host_tools import cli
from tests.command_line import invoke
from tests.test_lock import tomllib


def test_the_entry_point_is_the_command_line(root: Path) -> None:
    scripts = tomllib.loads((root / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"posenet-maix": "host_tools.start:main"}


def test_it_has_every_command_of_both_packages() -> None:
    assert set(cli.CONVERSION) == set(conversion_main.commands)
    assert not set(cli.CONVERSION) & set(cli.main.commands)
    helped = invoke(cli.main, ["--help"]).stdout
    for name in (*cli.main.commands, *cli.CONVERSION):
        assert f" {name} " in helped
        assert invoke(cli.main, [name, "--help"]).exit_code == 0


def test_version() -> None:
    assert invoke(cli.main, ["--version"]).stdout == f"command, version {conversion.__version__}\n"


@pytest.mark.parametrize("words", [["boards"], ["ports"], ["deploy", "--help"]])
def test_conversions_commands_are_not_imported_for_others(words: list[str]) -> None:
    code = f"""
import sys
from host_tools import cli
try:
    cli.main({words!r}, prog_name="posenet-maix")
except SystemExit:
    pass
print([name for name in sys.modules if name in ("conversion.cli", "conversion.pipeline")])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_a_shell_completes_commands_and_options() -> None:
    code = "from host_tools.start import main; main()"

    def complete(typed: str) -> list[str]:
        variables = {"_POSENET_MAIX_COMPLETE": "bash_complete", "COMP_WORDS": typed, "COMP_CWORD": "1"}
        variables["COMP_CWORD"] = str(len(typed.split(" ")) - 1)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=variables)
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert complete("posenet-maix ") == sorted((*cli.main.commands, *cli.CONVERSION))
    assert complete("posenet-maix km") == ["kmodel"]
    assert "--model" in complete("posenet-maix flash --")
    assert complete("posenet-maix kmodel --quant") == ["--quantisation"]
