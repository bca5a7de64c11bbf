"""What is taken for a firmware or a kmodel, and what is refused, by content and with the reason."""

import io
import random
import struct
import zipfile
from pathlib import Path

import pytest

from conversion import firmware_image
from conversion.kmodel import v3
from conversion.kmodel.v3 import V3Model
from host_tools.errors import FlashError
from host_tools.flashing import images
from tests.host_tools.flashing.conftest import FIRMWARE
from tests.host_tools.virtual_board import kmodels


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a", "b")
    return packed.getvalue()


def test_a_micropython_is_a_firmware() -> None:
    assert images.check_firmware(FIRMWARE, "maixpy.bin").test_image
    canmv = (
        firmware_image.make_test_image()
        .replace(firmware_image.TEST_IMAGE, b"something else")
        .replace(b"MicroPython", b"micropython")
    )
    assert not images.check_firmware(canmv, "canmv.bin").test_image


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (kmodels.kmodel(), "is no firmware but a kmodel V3: give a model with --model"),
        (struct.pack("<2I", 0x4B4D444C, 4) + bytes(99), "is no firmware but a kmodel V4: give a model with --model"),
        (zipped(), "is no firmware but a zip archive: give a kfpkg or a release with --package"),
        (b"\x7fELF" + bytes(99), "is no firmware but an ELF file, which a chip cannot start from flash"),
        (
            b"\n<!DOCTYPE html><title>404</title>",
            "is no firmware but a web page (HTML or XML): the download went wrong",
        ),
        (b"import KPU\nprint(1)\n", "is no firmware but text"),
        (b"\x1f\x8b\x08" + bytes(99), "is no firmware but a gzip archive: unpack it"),
        (b"\xff" * 5000, "is no firmware but erased flash or zeros"),
        (b"", "is no firmware but empty"),
        (b"\x1c\0\0\0TFL3" + bytes(range(255)), "is no firmware but a TFLite model"),
        (images.in_flash(FIRMWARE), "was read out of a flash: it has the header (flags 2)"),
        (random.Random(3).randbytes(300_000), "it does not begin with the chip's entry code"),
        (FIRMWARE.replace(b"MicroPython", b"Zephyr-Proj"), "there is no MicroPython in it"),
    ],
    ids=["v3", "v4", "zip", "elf", "html", "text", "gzip", "erased", "empty", "tflite", "dump", "noise", "another"],
)
def test_no_firmware(data: bytes, said: str) -> None:
    with pytest.raises(FlashError) as caught:
        images.check_firmware(data, "x.bin")
    assert str(caught.value).startswith("x.bin: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_this_projects_kmodel_is_a_kmodel() -> None:
    model = images.check_kmodel(kmodels.kmodel(), "small.kmodel")
    assert len(model.outputs) == 5


def foreign(*outputs: int) -> bytes:
    """A sound V3 kmodel with other outputs: those of ours with these numbers."""
    made = kmodels.model()
    return v3.write(V3Model(made.layers, tuple(made.outputs[n] for n in outputs), made.main_memory_bytes, 0))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (struct.pack("<2I", 0x4B4D444C, 4) + bytes(99), "is a kmodel V4, but every MaixPy v1 loads V3"),
        (struct.pack("<2I", 0x4B4D444C, 5) + bytes(99), "is a kmodel V5, but every MaixPy v1 loads V3"),
        (struct.pack("<2I", 0x2713, 5) + bytes(99), "is an encrypted kmodel V3, which only the board it was made for"),
        (foreign(0), "is a kmodel V3 of another network: its outputs are not PoseNet's four heads"),
        (foreign(0, 1, 2, 3), "is a kmodel V3 of another network"),
        (foreign(0, 2, 1, 3, 4), "is a kmodel V3 of another network"),
        (kmodels.float_kmodel(), "its outputs are floats, made by DEQUANTIZE"),
        (kmodels.kmodel()[:-100], "not a sound V3 kmodel"),
        (kmodels.kmodel() + bytes(100), "not a sound V3 kmodel: 100 bytes follow the last layer"),
        (FIRMWARE, "is no kmodel but something unknown; make one with `make kmodel`"),
        (zipped(), "is no kmodel but a zip archive"),
        (b"", "is no kmodel but empty"),
        (b"\x03\0\0\0", "not a sound V3 kmodel"),
    ],
    ids=[
        "v4",
        "v5",
        "encrypted",
        "one output",
        "four",
        "swapped",
        "float",
        "cut",
        "longer",
        "firmware",
        "zip",
        "empty",
        "word",
    ],
)
def test_no_kmodel(data: bytes, said: str) -> None:
    with pytest.raises(FlashError) as caught:
        images.check_kmodel(data, "x.kmodel")
    assert str(caught.value).startswith("x.kmodel: ")
    assert said in str(caught.value)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(FlashError, match=r"none.bin: no such firmware$"):
        images.read(tmp_path / "none.bin", "firmware")
    with pytest.raises(FlashError, match="no such kmodel"):
        images.read(tmp_path, "kmodel")
    with (tmp_path / "disk").open("wb") as file:
        file.truncate(40 * 2**20)
    with pytest.raises(FlashError, match="41943040 bytes are no firmware"):
        images.read(tmp_path / "disk", "firmware")
