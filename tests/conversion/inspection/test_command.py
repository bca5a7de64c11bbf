"""python -m conversion inspect: exit codes, JSON, the page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conversion.cli import main
from tests.command_line import Ended, invoke
from tests.conversion.inspection.test_kmodel_v4 import kpu_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.bin"
    path.write_bytes(kpu_file())
    return path


def run(*arguments: object) -> Ended:
    return invoke(main, ["inspect", *arguments])


def test_tables(file: Path) -> None:
    done = run(file)
    assert done.exit_code == 0
    assert "kpu_conv2d" in done.stdout
    assert "kmodel V4" in done.stdout
    assert done.stderr == ""


def test_json(file: Path) -> None:
    done = run(file, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["form"] == "kmodel V4"


def test_the_page_and_json_at_once(file: Path, tmp_path: Path) -> None:
    page = tmp_path / "new" / "page.html"
    done = run(file, "--json", "--html", page)
    assert done.exit_code == 0
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert json.loads(done.stdout)["layers"]
    assert str(page) in done.stderr


@pytest.mark.parametrize("data", [b"", b"LDMK", b"\x03\x00\x00\x00", b"TFL3TFL3TFL3", bytes(1000)])
def test_bad_input_is_one_line_and_exit_code_2(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad"
    path.write_bytes(data)
    page = tmp_path / "page.html"
    done = run(path, "--html", page)
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert not page.exists()


def test_neither_tensorflow_nor_nncase_is_needed_for_a_kmodel(file: Path) -> None:
    code = "import sys; sys.modules.update(dict.fromkeys(('tensorflow', 'nncase', 'keras'))); "
    code += f"from conversion.cli import main; main(['inspect', {str(file)!r}, '--html', {str(file) + '.html'!r}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "kpu_conv2d" in done.stdout


def test_a_page_that_cannot_be_written(file: Path) -> None:
    done = run(file, "--html", file / "page.html")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
