"""Every command that a page or an error text advises exists, and takes the words that are given with it."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import click
import pytest

from conversion.cli import main as conversion
from host_tools.cli import main as host_tools
from tests.pages.commands import Command, advised, parsed, texts
from tests.pages.reading import ROOT

GROUPS = {"conversion": conversion, "host_tools": host_tools}
# Of the packages that their users have anyway.
OTHERS = ("pytest",)
ADVISED = advised()
# Words that stand for something: COMMAND, DIR, X.kfpkg, MODEL|float, and what is left out.
STANDS_FOR = re.compile(r"[A-Z][A-Z_]*\b.*|…")


def of(program: str) -> list[object]:
    return [pytest.param(command, id=str(command)) for command in ADVISED if command.program == program]


def targets() -> dict[str, set[str]]:
    """Each target of the Makefile with the variables that it lists."""
    listed = re.findall(r"^([a-z]+):.*?## (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return {target: set(re.findall(r"\b([A-Z_]+)=", text)) for target, text in listed}


def test_there_are_commands_of_every_kind_and_in_every_kind_of_place() -> None:
    """Else nothing would be checked here."""
    assert {command.program for command in ADVISED} == {"make", "python -m", "posenet-maix"}
    assert {command.place.partition("/")[0] for command in ADVISED} >= {
        "README.md",
        "conversion",
        "firmware",
        "host_tools",
    }
    assert {Path(command.place).suffix for command in ADVISED} == {".md", ".py"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("$ make flash BOARD=maix_bit", ("flash", "BOARD=maix_bit")),
        ("make deploy BOARD=maix_bit                 # or: python -m host_tools deploy", ("deploy", "BOARD=maix_bit")),
        ("python -m host_tools monitor --json | jq -c '[.frame]'", ("host_tools", "monitor", "--json")),
        ("python -m host_tools deploy [--sd DIR]        everything", ("host_tools", "deploy", "--sd", "DIR")),
        (".venv/bin/python -m pytest -m soak", ("pytest", "-m", "soak")),
        ("POSENET_MAIX_PATIENCE=3 make verify", ("verify",)),
        ("make it anew", ("it", "anew")),
        ("remake it", None),
    ],
)  # fmt: skip
def test_what_is_typed_is_told_from_what_is_said_about_it(line: str, words: tuple[str, ...] | None) -> None:
    found = list(parsed(ROOT / "README.md", line))
    assert [command.words for command in found] == ([] if words is None else [words])


@pytest.mark.parametrize("command", of("make"))
def test_a_target_is_there_and_lists_the_variables(command: Command) -> None:
    target, *variables = command.words[2:] if command.words[0] == "-f" else command.words
    if not STANDS_FOR.fullmatch(target):
        known = targets()
        assert target in known
        assert {variable.partition("=")[0] for variable in variables} <= known[target]


@pytest.mark.parametrize("command", of("python -m"))
def test_a_module_is_there_and_takes_the_words(command: Command) -> None:
    module, *words = command.words
    if module in GROUPS:
        check_click(GROUPS[module], words)
    elif module in OTHERS:
        assert importlib.util.find_spec(module)
        assert all((ROOT / word).exists() for word in words if word.endswith(".py"))
    else:
        check_module(module, words)


@pytest.mark.parametrize("command", of("posenet-maix"))
def test_a_command_is_there_and_takes_the_words(command: Command) -> None:
    check_click(host_tools, list(command.words))


def check_click(group: click.Group, words: list[str]) -> None:
    """The command exists; its options do, have their values, and no argument is missing if any word is given."""
    if not words or STANDS_FOR.fullmatch(words[0]):
        return
    command = group.get_command(click.Context(group), words[0])
    assert command is not None, f"no command {words[0]}"
    context = click.Context(command)
    if isinstance(command, click.Group) and words[1:]:
        check_click(command, words[1:])
        return
    values, rest, _ = command.make_parser(context).parse_args(list(words[1:]))
    assert not rest, f"words too many: {rest}"
    for parameter in command.params:
        value = values.get(parameter.name)
        if isinstance(parameter, click.Argument) and words[1:]:
            assert value is not None or not parameter.required, f"{parameter.name} is missing"
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(one, str) and not (STANDS_FOR.fullmatch(one) or isinstance(parameter.type, click.Path)):
                parameter.type.convert(one, parameter, context)


def check_module(module: str, words: list[str]) -> None:
    """The file is there and can be run; it knows the options."""
    file = ROOT.joinpath(*module.split("."))
    file = file / "__main__.py" if file.is_dir() else file.with_suffix(".py")
    text = file.read_text(encoding="utf-8")
    assert "__main__" in text
    assert all(f'"{word}"' in text for word in words if word.startswith("--"))


def test_modules_that_tests_name_are_there() -> None:
    """In the first lines of a file, which tell how to run it."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for module in re.findall(r"python -m (tests[\w.]*\w)", told):
            check_module(module, [])


def all_commands(group: click.Group) -> list[click.Command]:
    """A group, its commands, and theirs."""
    below = [all_commands(each) if isinstance(each, click.Group) else [each] for each in group.commands.values()]
    return [group, *(command for commands in below for command in commands)]


def test_options_in_texts_are_options_of_a_command() -> None:
    """Such as: choose another folder with --output."""
    known = {
        option
        for group in GROUPS.values()
        for command in all_commands(group)
        for parameter in command.get_params(click.Context(command))
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    named = {
        (path.relative_to(ROOT).as_posix(), option)
        for path, text in texts()
        if path.relative_to(ROOT).parts[0] != "firmware" and " " in text
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*\w", text)
    }
    assert len(named) > 30
    assert {(file, option) for file, option in named if option not in known} == set()
