"""The Makefile: what it lists, how variables become arguments, what it removes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PRODUCT = {
    "kmodel",
    "inspect",
    "eval",
    "demo",
    "board",
    "flash",
    "deploy",
    "monitor",
    "verify",
    "config",
    "erase",
    "doctor",
    "ports",
    "boards",
    "release",
    "bench",
    "reproduce",
}
WORKSHOP = {"help", "setup", "test", "lint", "soak", "lock", "clean", "distclean"}
AWKWARD = 'a b\'s "c" $HOME $(x) `y` #z \\ ~/é'

# Stands in for .venv/bin/python and writes its arguments down, one a line.
RECORDER = '#!/bin/sh\nprintf "%s\\n" "$@" >> calls\n'


@pytest.fixture
def checkout(tmp_path: Path, root: Path) -> Path:
    """A folder where everything seems installed, and whose Python only records how it is called."""
    folder = tmp_path / "a checkout"
    shutil.copytree(root / "scripts", folder / "scripts")
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(root / name, folder)
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(RECORDER)
    python.chmod(0o755)
    shutil.copy(folder / "requirements.lock", folder / ".venv" / "installed.lock")
    return folder


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """make with no variable from outside; MAKEFLAGS of an outer make are gone already (conftest)."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True)


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


def test_help_is_the_default_and_lists_every_target(root: Path):
    phony = set(re.findall(r"^\.PHONY: (.+)$", (root / "Makefile").read_text(), re.MULTILINE)) - {"venv"}
    listed = re.findall(r"^  ([a-z]+) +\S", make(root).stdout, re.MULTILINE)

    assert set(listed) == phony
    assert phony >= PRODUCT | WORKSHOP
    assert len(listed) == len(set(listed))
    assert make(root).stdout == make(root, "help").stdout


def test_help_fits_80_columns_and_lists_the_boards(root: Path):
    said = make(root, "help").stdout
    assert max(len(line) for line in said.splitlines()) <= 80
    boards = {path.stem for path in (root / "boards").glob("*.toml")}
    assert boards
    assert boards <= set(said.split())


def test_help_names_every_variable(root: Path):
    makefile = (root / "Makefile").read_text()
    used = set(re.findall(r"\$\(call (?:option|flag),[a-z-]+,([A-Z_]+)\)|\$\(call quote,([A-Z_]+)\)", makefile))
    names = {name for pair in used for name in pair if name}

    assert {"WEIGHTS", "SIZE", "CALIBRATION", "QUANTISATION", "FORMAT", "OUTPUT", "KNOWN_ONLY", "FILE"} <= names
    assert {name for name in names if f"{name}=" not in make(root).stdout} == set()


def test_kmodel_without_variables_passes_no_option(checkout: Path):
    assert make(checkout, "kmodel", "SIZE=", "KNOWN_ONLY=0").returncode == 0
    assert calls(checkout) == ["-m", "conversion", "kmodel"]


def test_kmodel_passes_every_variable(checkout: Path):
    options = {
        "weights": "../some weights",
        "preset": "fast",
        "size": "224x224",
        "calibration": "my photos",
        "quantisation": "fast",
        "format": "v5",
        "output": "out dir",
    }
    variables = [f"{name.upper()}={value}" for name, value in options.items()]

    assert make(checkout, "kmodel", "KNOWN_ONLY=1", *variables).returncode == 0
    passed = [word for name, value in options.items() for word in (f"--{name}", value)]
    assert calls(checkout) == ["-m", "conversion", "kmodel", *passed, "--known-only"]


@pytest.mark.parametrize("value", [AWKWARD, "'", "''", "-x", "a;touch b", "a\\'b", "%", "a,b (c)"])
def test_values_survive_as_they_were_typed(checkout: Path, value: str):
    assert make(checkout, "kmodel", f"WEIGHTS={value}").returncode == 0
    assert calls(checkout) == ["-m", "conversion", "kmodel", "--weights", value]


def test_a_preset_and_a_size_are_both_passed_on_and_refused_there(checkout: Path):
    assert make(checkout, "kmodel", "PRESET=fast", "SIZE=224x224").returncode == 0
    assert calls(checkout) == ["-m", "conversion", "kmodel", "--preset", "fast", "--size", "224x224"]


def test_dry_run_shows_the_quoted_command(root: Path):
    shown = make(root, "-n", "kmodel", "SIZE=224x224", "WEIGHTS=a b").stdout

    assert "-m conversion kmodel --weights 'a b' --size '224x224'" in shown


def test_inspect_and_eval(checkout: Path):
    assert make(checkout, "inspect", "FILE=my file", "JSON=1", "HTML=o.html").returncode == 0
    assert calls(checkout) == ["-m", "conversion", "inspect", "my file", "--json", "--html", "o.html"]
    (checkout / "calls").unlink()

    assert make(checkout, "eval", "MODEL=float", "COCO=k.json", "IMAGES=i d", "LIMIT=3", "WHERE=a=b").returncode == 0
    command = ["-m", "conversion", "evaluate", "float", "--coco", "k.json", "--images", "i d"]
    assert calls(checkout) == [*command, "--where", "a=b", "--limit", "3"]


BOARD_COMMANDS = {
    "board BLANK=1 LINK=l": "board --link l --blank",
    "flash BOARD=b PORT=P FIRMWARE=m.bin DRY_RUN=1": "flash --board b --port P --firmware m.bin --dry-run",
    "flash BOARD=b PACKAGE=r.zip BAUD=9600 NO_VERIFY=1": "flash --board b --package r.zip --baud 9600 --no-verify",
    "deploy BOARD=b MODEL=m.kmodel SD=card": "deploy --board b --model m.kmodel --sd card",
    "deploy BOARD=b REMOVE=1": "deploy --board b --remove",
    "deploy REMOVE=1 FORCE=1": "deploy --remove --force",
    "monitor": "monitor",
    "monitor PORT=P WEB=1 SMOOTH=1": "monitor --port P --web --smooth",
    "monitor WEB=8100 RECORD=r.jsonl": "monitor --web 8100 --record r.jsonl",
    "monitor WEB=0 REPLAY=r.jsonl SPEED=0 JSON=1": "monitor --json --replay r.jsonl --speed 0",
    "verify IMAGE=a.jpg BAUD=1500000 JSON=1": "verify --image a.jpg --baud 1500000 --json",
    "verify FRAMES=3": "verify --frames 3",
    "erase BOARD=b ALL=1": "erase --board b --all",
    "doctor PORT=P JSON=1": "doctor --port P --json",
    "ports": "ports",
    "boards JSON=1": "boards --json",
    "release BOARD=b OUTPUT=o": "release --board b --output o",
}


@pytest.mark.parametrize("typed", BOARD_COMMANDS)
def test_board_targets(checkout: Path, typed: str):
    assert make(checkout, *typed.split()).returncode == 0
    assert calls(checkout) == ["-m", "host_tools", *BOARD_COMMANDS[typed].split()]


@pytest.mark.parametrize(("target", "missing"), [("inspect", "FILE"), ("eval", "MODEL"), ("flash", "BOARD")])
def test_missing_variable_is_one_line_before_anything_runs(checkout: Path, target: str, missing: str):
    shutil.rmtree(checkout / ".venv")

    failed = make(checkout, target)

    assert failed.returncode == 2
    assert failed.stderr.count("\n") == 1
    assert f"{missing}= is missing" in failed.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("test", ["-m", "pytest", "-n", "4", "--dist", "loadfile", "--no-loadscope-reorder"]),
        ("bench", ["-m", "tests.bench"]),
        ("wheel", ["-m", "tests.wheel"]),
        ("reproduce", ["-m", "tests.reproduce"]),
        (
            "soak",
            [
                "-m",
                "pytest",
                "-m",
                "soak",
                *("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"),
                "--demand-images",
                "--hypothesis-profile=soak",
                "--soak-report=build/soak.json",
            ],
        ),
        ("lint", ["-m", "ruff", "format", "--check", ".", "-m", "ruff", "check", "."]),
    ],
)
def test_checks(checkout: Path, target: str, words: list[str]):
    assert make(checkout, target).returncode == 0
    assert calls(checkout) == words


def test_clean_removes_results_and_distclean_the_installation(checkout: Path):
    for name in ("build/report", "conversion/__pycache__", ".venv/lib/__pycache__", "dist", ".ruff_cache"):
        (checkout / name).mkdir(parents=True)

    assert make(checkout, "clean").returncode == 0
    assert sorted(path.name for path in checkout.iterdir()) == [
        ".venv",
        "Makefile",
        "conversion",
        "dist",
        "requirements.lock",
        "scripts",
    ]
    assert not (checkout / "conversion/__pycache__").exists()
    assert (checkout / ".venv/lib/__pycache__").exists()

    assert make(checkout, "distclean").returncode == 0
    assert not (checkout / ".venv").exists()
    assert not (checkout / "dist").exists()


@pytest.mark.parametrize("name", ["find_python.sh", "get_uv.sh", "lock.sh", "setup.sh"])
def test_scripts_parse_and_are_executable(root: Path, name: str):
    script = root / "scripts" / name

    assert subprocess.run(["/bin/sh", "-n", str(script)], capture_output=True).returncode == 0
    assert os.access(script, os.X_OK)


MISTAKES = {
    "kmodel size=224x224": "size= is no variable of `make kmodel`: is it SIZE=?",
    "kmodel known-only=1": "known-only= is no variable of `make kmodel`: is it KNOWN_ONLY=?",
    "kmodel QUANTIZATION=fast": "QUANTIZATION= is no variable of `make kmodel`: is it QUANTISATION=?",
    "kmodel QUANT=fast": "QUANT= is no variable of `make kmodel`: is it QUANTISATION=?",
    "kmodel SIEZ=64x64": "SIEZ= is no variable of `make kmodel`: is it SIZE=?",
    "flash BOARD=b SIZE=64x64": "SIZE= is no variable of `make flash`, but of: kmodel, eval, fps, see `make help`",
    "kmodel COLOUR=red": "COLOUR= is no variable of `make kmodel`; it takes WEIGHTS= PRESET=",
    "test COLOUR=red": "COLOUR= is no variable of `make test`, which takes none",
    "flash deploy BOARD=b HAEP=3": "HAEP= is no variable of `make flash deploy`: is it HEAP=?",
}


@pytest.mark.parametrize("typed", MISTAKES)
def test_a_variable_that_no_target_takes_is_one_line_that_names_the_right_one(checkout: Path, typed: str):
    failed = make(checkout, *typed.split())

    assert failed.returncode == 2
    assert failed.stderr.count("\n") == 1
    assert MISTAKES[typed] in failed.stderr
    assert failed.stdout == ""
    assert not (checkout / "calls").exists()


def test_a_variable_of_one_of_several_targets_is_taken(checkout: Path):
    assert make(checkout, "flash", "deploy", "BOARD=b", "FIRMWARE=f", "HEAP=512", "V=1").returncode == 0
    assert calls(checkout) == [
        *("-m", "host_tools", "flash", "--board", "b", "--firmware", "f"),
        *("-m", "host_tools", "deploy", "--board", "b", "--heap", "512"),
    ]


def test_from_another_folder_files_are_named_from_there_and_the_project_is_found(checkout: Path, tmp_path: Path):
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    (checkout / ".venv/bin/python").write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$PWD" "$PYTHONPATH" "$@" >> "{checkout}/calls"\n'
    )

    for makefile in (str(checkout / "Makefile"), os.path.relpath(checkout / "Makefile", elsewhere)):
        done = make(elsewhere, "-f", makefile, "kmodel", "WEIGHTS=my weights")
        assert done.returncode == 0, done.stderr
        words = ["-m", "conversion", "kmodel", "--weights", "my weights"]
        assert calls(checkout) == [str(elsewhere), str(checkout), *words]
        (checkout / "calls").unlink()

    # What works on the project works there.
    assert make(elsewhere, "-f", str(checkout / "Makefile"), "bench").returncode == 0
    assert calls(checkout)[:2] == [str(checkout), str(checkout)]
    (elsewhere / "build").mkdir()
    (checkout / "build").mkdir(exist_ok=True)
    assert make(elsewhere, "-f", str(checkout / "Makefile"), "clean").returncode == 0
    assert (elsewhere / "build").exists()
    assert not (checkout / "build").exists()
    assert "is it SIZE=?" in make(elsewhere, "-f", str(checkout / "Makefile"), "kmodel", "size=1").stderr
    assert "list the targets" in make(elsewhere, "-f", str(checkout / "Makefile")).stdout


def test_settings_are_words_of_one_variable(checkout: Path):
    assert make(checkout, "deploy", "BOARD=b", "MAIN=my main.py", "SET=draw_score=90 max_poses=2").returncode == 0
    words = ["-m", "host_tools", "deploy", "--board", "b", "--main", "my main.py"]
    assert calls(checkout) == [*words, "--set", "draw_score=90", "--set", "max_poses=2"]
    (checkout / "calls").unlink()
    for typed in ("config", "config SET=a=1", "config SET=a=1 SAVE=1 PORT=p"):
        assert make(checkout, *typed.split()).returncode == 0
    config = ["-m", "host_tools", "config"]
    assert calls(checkout) == [
        *(*config, "get"),
        *(*config, "set", "a=1"),
        *(*config, "save", "--port", "p", "a=1"),
    ]
