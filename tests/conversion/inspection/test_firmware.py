"""inspect of firmware: what the image tells, whether the file is whole, and what files for other chips are."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion import firmware_image, inspection
from conversion.cli import main
from conversion.errors import ConversionError
from conversion.inspection import document
from host_tools.flashing import images
from tests.command_line import invoke
from tests.host_tools.flashing.test_firmware_image import BANNER, program
from tests.host_tools.k210.images import image

WHOLE = program(200_000)[:100_000] + BANNER + program(200_000)[100_000 + len(BANNER) :]


def looked(tmp_path: Path, data: bytes) -> dict:
    path = tmp_path / "maixpy.bin"
    path.write_bytes(data)
    return document.to_dict(inspection.inspect(path))


def test_a_firmware_says_what_it_is(tmp_path: Path) -> None:
    found = looked(tmp_path, WHOLE)
    assert found["form"] == "K210 firmware"
    assert found["firmware"]["version"] == "v0.6.3-2-gd8901fd22"
    assert found["firmware"]["board"] == "Sipeed_M1"
    assert found["firmware"]["missing_bytes"] == 0
    assert found["firmware"]["linked_to_ram"]
    assert found["facts"]["linked to"].startswith("0x80000000")
    assert found["facts"]["complete"].startswith("yes")
    assert found["remarks"] == []
    assert not found["weights_input"]


def test_one_that_is_cut_short_says_how_much_is_missing(tmp_path: Path) -> None:
    found = looked(tmp_path, WHOLE[:150_000])
    assert found["firmware"]["missing_bytes"] >= 49_000
    assert found["facts"]["complete"].startswith("no: ")
    assert found["remarks"] == ["the file is cut short: download it again"]


def test_a_stand_in_and_a_program_without_micropython_are_told(tmp_path: Path) -> None:
    assert "no board can run it" in looked(tmp_path, firmware_image.make_test_image())["remarks"][0]
    assert (
        "no MicroPython"
        in looked(
            tmp_path, program(200_000).replace(b"MicroPython", b"SomethingNo").replace(b"micropython", b"SomethingNo")
        )["remarks"][0]
    )


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\xe9\x06\x02\x20" + bytes(100), "an ESP32"),
        (struct.pack("<2I", 0x0A324655, 0x9E5D5157) + bytes(504), "a UF2 file"),
        (b"DfuSe\x01" + bytes(100), "a DFU file"),
        (struct.pack("<2I", 0x2000_4000, 0x0800_0101) + bytes(100), "an ARM microcontroller"),
        (random.Random(1).randbytes(200_000), "encrypted or packed"),
        (images.in_flash(WHOLE), "read out of a flash"),
    ],
)
def test_what_is_none_is_named(data: bytes, what: str, tmp_path: Path) -> None:
    path = tmp_path / "firmware.bin"
    path.write_bytes(data)
    done = invoke(main, ["inspect", path])
    assert done.exit_code == 2
    assert what in done.stderr
    assert done.stderr.count("\n") == 1


def test_one_that_its_chip_decrypts_is_told_by_its_header(tmp_path: Path) -> None:
    data = bytes([0x01]) + images.in_flash(random.Random(2).randbytes(1000))[1:]
    body = data[:-32]
    path = tmp_path / "flash.bin"
    path.write_bytes(body + hashlib.sha256(body).digest())
    done = invoke(main, ["inspect", path])
    assert done.exit_code == 2
    assert "an encrypted K210 firmware" in done.stderr


def test_terminal_page_and_json(tmp_path: Path) -> None:
    path, page = tmp_path / "maixpy.bin", tmp_path / "page.html"
    path.write_bytes(WHOLE)
    assert "v0.6.3-2-gd8901fd22" in invoke(main, ["inspect", path]).stdout
    done = invoke(main, ["inspect", path, "--json", "--html", page])
    assert json.loads(done.stdout)["firmware"]["micropython"]
    assert "v0.6.3-2-gd8901fd22" in page.read_text()


@given(st.binary(max_size=300), st.integers(0, 4000))
def test_anything_is_described_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes, cut: int) -> None:
    path = tmp_path_factory.getbasetemp() / "anything.bin"
    path.write_bytes(WHOLE[:cut] + data)
    try:
        document.to_json(inspection.inspect(path))
    except ConversionError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize(
    ("name", "part"), [("minimum", "IDE support"), ("openmv_v4", "kmodel V4"), ("full", "threads")]
)
def test_real_images_tell_their_build(name: str, part: str, tmp_path: Path) -> None:
    found = looked(tmp_path, image(name))["firmware"]
    assert found["version"] == "v0.6.2-84-g8fcd84a58"
    assert part in found["parts"]
    assert found["missing_bytes"] == 0
    assert looked(tmp_path, image(name)[:-70_000])["firmware"]["missing_bytes"] > 0
