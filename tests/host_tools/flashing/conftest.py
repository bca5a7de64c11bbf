"""What the flash tests share: a board file, a small package, limits that a test can wait for, and what may be left."""

from __future__ import annotations

import gc
import json
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conversion import firmware_image
from host_tools import boards
from tests.host_tools.virtual_board import kmodels
from tests.patience import exactly

# Random bytes hold no addresses of RAM, as programs do, so this is one that only the stand-in takes.
# Of the pieces of 64 KiB in which kflash writes, this firmware takes three.
FIRMWARE = firmware_image.make_test_image(random.Random(1).randbytes(150_000))
# The emulator answers at once: what is silent for so long stays silent, on a busy machine too.
SHORT = exactly(4.0)
NO_ANSWER = "no answer for 4 s"
KMODEL_NAME = "small.kmodel"


@pytest.fixture(scope="session")
def maix_bit() -> boards.Board:
    """The board of most tests: reset as `dan`, 1.5 Mbaud."""
    return boards.find("maix_bit")


@pytest.fixture
def kmodel(tmp_path: Path) -> Path:
    """A small kmodel with its card."""
    path = tmp_path / KMODEL_NAME
    path.write_bytes(kmodels.kmodel())
    path.with_name(path.name + ".json").write_text(json.dumps(kmodels.model_card()))
    return path


@pytest.fixture
def firmware(tmp_path: Path) -> Path:
    """What stands for a MaixPy."""
    path = tmp_path / "maixpy_minimum.bin"
    path.write_bytes(FIRMWARE)
    return path


def children() -> list[str]:
    """Command lines of this process's children."""
    pids = [pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()]
    return [Path("/proc", pid, "cmdline").read_bytes().replace(b"\0", b" ").decode() for pid in pids]


@pytest.fixture
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The test fails if it leaves a worker, a temporary file or an open file behind."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    gc.collect()
    files = len(os.listdir("/proc/self/fd"))
    yield
    assert [line for line in children() if "worker" in line] == []
    assert list(folder.iterdir()) == []
    # Fewer, where other tests' leavings were collected meanwhile.
    assert len(os.listdir("/proc/self/fd")) <= files
