"""Names from files: plain ones, or refused, at every place where a card, a package or a manifest names a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conversion.errors import ModelFormatError
from conversion.outside import names
from conversion.weights import tfjs_checkpoint, tfjs_graph
from host_tools.deployment.changes import LIST_FORMAT, FileList
from host_tools.errors import FlashError
from host_tools.flashing import kfpkg
from tests.conversion.weights import weight_files

# What no file is called that is written or packed.
NAMES = (
    "../x", "/x", "a/b", "..", ".", "", "a\\b", "c:x", "x\0", "x\x1b[2J", "\u202ex", "é", "x y", "-rf", ".x",
    "CON", "nul.txt", "x" * 101, "\ud800",
)  # fmt: skip


@pytest.mark.parametrize("name", [*NAMES, 5, None, ["a"], {"a": 1}])
def test_a_name_that_is_not_plain(name: object) -> None:
    assert not names.is_plain(name)


@pytest.mark.parametrize("name", ["x", "pose_app.py", "posenet-320x240.kmodel", "X_1", "x" * 100, "console", "0"])
def test_a_plain_name(name: str) -> None:
    assert names.is_plain(name)
    assert names.plain(name) == name


@pytest.mark.parametrize("name", NAMES)
def test_the_closest_plain_name_is_plain(name: str) -> None:
    assert names.is_plain(names.plain(name))


@pytest.mark.parametrize("name", ["../x", "/x", "x/../y", "", "a\\b", "c:/x", "x\n", "é" * 101, "/".join("a" * 9), 5])
def test_a_path_that_leaves_its_folder(name: object) -> None:
    assert not names.is_inside(name)


@pytest.mark.parametrize("name", ["../x", "/x", "a/../b", "..", "x\x1b[2J", "CON", "-rf"])
def test_a_package_holds_plain_names(name: str) -> None:
    packed = kfpkg.zipped({name: b"x", kfpkg.LIST: b"{}"})
    with pytest.raises(FlashError, match="is no plain file name; not read"):
        kfpkg.unzipped(packed, "x.kfpkg", 10)


@pytest.mark.parametrize("name", ["../x", "/x", "a/b", "..", "x\x1b[2J", 5, None])
def test_a_manifest_of_weights_names_plain_files(name: object, tmp_path: Path) -> None:
    weights = weight_files.random_weights()
    graph = weight_files.write_tfjs_graph(tmp_path / "graph", weights)
    document = json.loads(graph.read_text())
    document["weightsManifest"][0]["paths"][0] = name
    graph.write_text(json.dumps(document))
    with pytest.raises(ModelFormatError, match=r"not a plain file name|must be|paths") as refused:
        tfjs_graph.load(graph)
    assert str(refused.value).isprintable()
    checkpoint = weight_files.write_tfjs_checkpoint(tmp_path / "checkpoint", weights)
    document = json.loads(checkpoint.read_text())
    next(iter(document.values()))["filename"] = name
    checkpoint.write_text(json.dumps(document))
    with pytest.raises(ModelFormatError, match="is not a plain file name; not read"):
        tfjs_checkpoint.load(checkpoint)


@pytest.mark.parametrize("name", ["../x", "/x", "a/b", ".", "..", "x\x1b[2J", "", "é", 5])
def test_a_list_of_files_on_a_card_with_another_name_is_no_list(name: object) -> None:
    for place in ("files", "former"):
        values = {"format": LIST_FORMAT, "files": ["main.py"], "former": [], "written": {}}
        values[place] = [name]
        assert FileList.read(json.dumps(values).encode()) == FileList()
