"""Results are written whole or not at all."""

import os
from pathlib import Path

import pytest

from conversion import files
from conversion.errors import OutputError


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "file"
    files.write(path, b"one")
    files.write(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["file"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write(tmp_path / "file", b"old")

    def refuse(source: object, destination: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", refuse)
    with pytest.raises(OutputError, match=r"file: cannot be written \(No space left on device\)"):
        files.write(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_real_full_disk() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with pytest.raises(OutputError):
        files.write(Path("/dev/full/file"), b"data")


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OutputError, match="file: cannot be written"):
        files.write(tmp_path / "file", b"data")
    assert os.listdir(tmp_path) == ["file"]


def test_an_output_folder_that_cannot_be_is_found_out_early(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError):
        files.check_writable(tmp_path / "file" / "folder")
    files.check_writable(tmp_path / "folder" / "below")
    assert os.listdir(tmp_path) == ["file"]
