"""Files and folders that are no weights: one line that says what was found and what is accepted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conversion import weights
from conversion.errors import ModelFormatError, UnsupportedModelError


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>", "a web page (HTML or XML)"),
        (bytes([3, 0, 0, 0, 1, 0, 0, 0]) + bytes(100), "a kmodel V3"),
        (b"LDMK" + bytes(100), "a kmodel"),
        (b"PK\x03\x04" + bytes(100), "a zip archive"),
        (b"\x1f\x8b" + bytes(100), "a gzip archive"),
        (b"\x89HDF\r\n", "an HDF5 (Keras) file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"\x89PN\r\n\x1a\n", "begins with 89 50 4e 0d"),
        (b"x", "begins with 78"),
        (b"{\xf8#\xbew\x83\x8e\xbcr\x8a\xae>", "begins with 7b f8 23 be"),
        (b'{"name": "package"}', "is no form of the weights"),
    ],
)
def test_a_foreign_file(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(UnsupportedModelError) as caught:
        weights.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert words in message
    assert "accepted: " in message
    assert "\n" not in message


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken-link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ModelFormatError, match="no model in this folder; accepted: "):
        weights.load(tmp_path)


def test_a_folder_with_two_models(tmp_path: Path, tfjs_folder: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_bytes((tfjs_folder / "model-stride16.json").read_bytes())
    with pytest.raises(ModelFormatError, match=r"more than one model in this folder \(a.json, b.json\)"):
        weights.load(tmp_path)


def test_other_json_beside_the_model_does_not_matter(tfjs_folder: Path, tmp_path: Path) -> None:
    for path in tfjs_folder.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "package.json").write_text('{"name": "x"}')
    (tmp_path / "broken.json").write_text('{"name": ')
    assert weights.load(tmp_path).digest() == weights.load(tfjs_folder).digest()


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(ModelFormatError, match=r"no such file or folder, and no known name \(tfjs-graph-075-stride16"):
        weights.load(tmp_path / "absent")


def test_what_cannot_be_opened_or_never_ends(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ModelFormatError, match="is not a regular file"):
        weights.load(pipe)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(ModelFormatError, match="Too many levels of symbolic links"):
        weights.load(loop)
    with pytest.raises(ModelFormatError, match="is not a regular file"):
        weights.load(Path("/dev/zero"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "closed"
    path.write_bytes(b"{}")
    path.chmod(0)
    with pytest.raises(ModelFormatError, match="cannot be read"):
        weights.load(path)


def test_a_file_larger_than_any(tmp_path: Path) -> None:
    path = tmp_path / "model-stride16.json"
    path.write_bytes(b"{")
    os.truncate(path, 1 << 40)
    with pytest.raises(ModelFormatError, match="more than any file of this kind"):
        weights.load(path)
