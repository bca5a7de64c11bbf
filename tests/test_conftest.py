"""The shared fixtures and the soak report, run by a pytest of their own on tests made for it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = """
import os
import pytest

@pytest.mark.soak
def test_passes(cache_folder):
    assert os.environ["POSENET_MAIX_CACHE"] == str(cache_folder)
    assert cache_folder.is_dir()

@pytest.mark.soak
def test_fails():
    assert False

@pytest.mark.soak
def test_skips(shared):
    pass

@pytest.mark.soak
def test_errors(request):
    request.getfixturevalue("no_such_fixture")

def test_of_every_day():
    pass
"""


@pytest.fixture
def run_sample(root: Path, tmp_path: Path):
    """A pytest run in a folder with this project's settings and conftest, and nothing shared."""
    (tmp_path / "tests").mkdir()
    shutil.copy(root / "pyproject.toml", tmp_path)
    for name in ("__init__.py", "conftest.py", "order.py"):
        shutil.copy(root / "tests" / name, tmp_path / "tests")
    (tmp_path / "tests" / "test_sample.py").write_text(SAMPLE)

    def run(*arguments: str) -> str:
        environment = {**os.environ, "POSENET_SHARED": str(tmp_path / "nothing here")}
        # No plugin is needed, and loading them takes longer than the tests.
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True).stdout

    return run


def test_soak_report_counts_every_outcome(run_sample, tmp_path: Path):
    run_sample("-m", "soak", "--soak-report=build/soak.json")

    report = json.loads((tmp_path / "build" / "soak.json").read_text())
    assert (report["passed"], report["failed"], report["skipped"]) == (1, 2, 1)
    assert {name.split("::")[1]: test["outcome"] for name, test in report["tests"].items()} == {
        "test_passes": "passed",
        "test_fails": "failed",
        "test_skips": "skipped",
        "test_errors": "failed",
    }
    assert report["seconds"] > 0
    assert [path.name for path in (tmp_path / "build").iterdir()] == ["soak.json"]


def test_daily_run_leaves_soak_tests_out_and_writes_no_report(run_sample, tmp_path: Path):
    output = run_sample()

    assert "1 passed, 4 deselected" in output
    assert not (tmp_path / "build").exists()


def test_missing_shared_folder_skips_with_the_reason(run_sample, tmp_path: Path):
    output = run_sample("-m", "soak", "-k", "test_skips")

    assert "1 skipped" in output
    assert "nothing here is no folder" in output.replace("\n", " ")


ON_IMAGES = """
import hashlib
from tests.host_tools.k210 import images

def test_takes_one(monkeypatch):
    monkeypatch.setitem(images.IMAGES, "minimum", hashlib.sha256(b"an image").hexdigest())
    assert images.image("minimum") == b"an image"

def test_takes_none():
    pass
"""


@pytest.fixture
def run_on_images(root: Path, tmp_path: Path, run_sample, monkeypatch: pytest.MonkeyPatch):
    """The same with tests on real images, which are looked for in tmp_path / "images"."""
    (tmp_path / "images").mkdir()
    monkeypatch.setenv("POSENET_MAIXPY", str(tmp_path / "images"))
    monkeypatch.setenv("PYTHONPATH", str(root))
    package = tmp_path / "tests" / "host_tools" / "k210"
    package.mkdir(parents=True)
    for folder in (package, *list(package.parents)[:2]):
        (folder / "__init__.py").touch()
    shutil.copy(root / "tests" / "host_tools" / "k210" / "images.py", package)
    (tmp_path / "tests" / "test_images.py").write_text(ON_IMAGES)
    return lambda *arguments: run_sample("tests/test_images.py", *arguments)


def test_the_last_line_counts_tests_on_real_images(run_on_images, tmp_path: Path):
    (tmp_path / "images" / "maixpy.bin").write_bytes(b"an image")
    output = run_on_images()
    assert "2 passed" in output
    assert re.fullmatch(r"1 tests on real images \(minimum\), \d+ s of processor", output.splitlines()[-1]), output


def test_the_last_line_says_why_there_are_none(run_on_images, tmp_path: Path):
    output = run_on_images()
    assert "1 passed, 1 skipped" in output
    last = output.splitlines()[-1]
    assert last.startswith(f"0 tests on real images: no MaixPy image minimum in {tmp_path / 'images'}"), output


def test_where_images_are_demanded_a_missing_one_fails(run_on_images):
    output = run_on_images("--demand-images")
    assert "1 failed, 1 passed" in output
    assert "no MaixPy image minimum" in output


def test_output_has_no_colour_and_a_fixed_width():
    assert os.environ["NO_COLOR"] == "1"
    assert os.environ["COLUMNS"] == "100"
    assert "FORCE_COLOR" not in os.environ
