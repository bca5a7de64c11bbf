"""Runs tests in a copy of the repository with a mutation in it: is it noticed?"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.rooms import ROOT, Mutation

# What is no part of the project, or is made from it.
_LEFT_OUT = (".git", ".venv", "build", "dist", "__pycache__", ".hypothesis", ".pytest_cache", ".ruff_cache")
# Processor time in which every test of a room ends, several times over: a mutation that takes more never ends.
PROCESSOR_SECONDS = 600


class Copy:
    """A copy of the repository in a folder that does not exist yet."""

    def __init__(self, folder: Path, source: Path = ROOT) -> None:
        self.folder = folder
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        # Compiled once, valid by content: a mutation may have the size and the time of what it replaces.
        compiling = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "."]
        subprocess.run(compiling, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    def noticed(self, mutation: Mutation, tests: Sequence[str]) -> bool:
        """Does one of the tests fail, or not end, with the mutation in the copy?"""
        file = self.folder / mutation.file
        sound = file.read_text("utf-8")
        file.write_text(mutation.applied(sound), "utf-8")
        try:
            return self.run(tests).returncode != 0
        finally:
            file.write_text(sound, "utf-8")

    def run(self, tests: Sequence[str]) -> subprocess.CompletedProcess:
        """Run pytest until the first failure; tests are files, or "file::test"."""
        basetemp = self.folder / ".tmp"
        options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", f"--basetemp={basetemp}"]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment = {
            **inherited,
            "PYTHONPATH": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "POSENET_SHARED": os.environ.get("POSENET_SHARED") or str(ROOT.parent / "shared"),
        }
        return subprocess.run(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=self.folder, env=environment, capture_output=True, text=True, preexec_fn=_limit, check=False,
        )  # fmt: skip


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
