"""Packages for flashing: a .kfpkg and a release are opened, and say what is in them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from conversion import firmware_image, inspection
from conversion.errors import ConversionError
from conversion.inspection import document
from tests.host_tools.virtual_board import kmodels

FIRMWARE = firmware_image.make_test_image(b"x")
LISTED = [
    {"address": 0, "bin": "maixpy.bin", "sha256Prefix": True},
    {"address": 0x300000, "bin": "small.kmodel", "sha256Prefix": False},
]


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


def kfpkg(**more: bytes) -> bytes:
    text = json.dumps({"version": "0.1.0", "files": LISTED}).encode()
    return zipped({"flash-list.json": text, "maixpy.bin": FIRMWARE, "small.kmodel": kmodels.kmodel(), **more})


@pytest.mark.parametrize("release", [False, True])
def test_what_is_in_a_package(release: bool, tmp_path: Path) -> None:
    inside = kfpkg()
    path = tmp_path / "package.zip"
    path.write_bytes(zipped({"posenet/posenet.kfpkg": inside, "posenet/README.txt": b"read"}) if release else inside)
    found = inspection.inspect(path)
    facts = dict(found.facts)
    assert "a kmodel V3" in facts["small.kmodel at 0x300000"]
    assert "test image" in facts["maixpy.bin at 0x0"]
    assert found.form.startswith("release with posenet.kfpkg" if release else "kfpkg")
    assert len(found.layers) > 3
    assert json.loads(document.to_json(found))["weights_input"] is False


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (zipped({"a.txt": b"x"}), "no kfpkg and no release: unpack it first"),
        (kfpkg()[:-30], "not a sound zip archive"),
        (zipped({"flash-list.json": b"{", "a": b""}), "its flash-list.json is damaged"),
        (zipped({"../a": b"x", "flash-list.json": b"{}"}), "no plain file name"),
    ],
)
def test_what_is_no_package_is_named(data: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "x.kfpkg"
    path.write_bytes(data)
    with pytest.raises(ConversionError, match=said) as caught:
        inspection.inspect(path)
    assert str(caught.value).startswith(f"{path}: ")
