"""Packages: what is packed is read again, by us and as kflash reads it; whatever is wrong with one is refused."""

import dataclasses
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools import boards
from host_tools.errors import FlashError
from host_tools.flashing import images, kfpkg
from host_tools.flashing.kfpkg import Entry, Package
from tests.host_tools.flashing.conftest import FIRMWARE
from tests.host_tools.virtual_board import kmodels

KMODEL = kmodels.kmodel()
BOARD = boards.find("maix_bit")
SOUND = {"address": 0x300000, "bin": "a.kmodel", "sha256Prefix": False}


NAMES = st.sampled_from(["version", "files", "address", "bin", "sha256Prefix", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
)


def package(firmware: bytes | None = FIRMWARE) -> Package:
    return kfpkg.make(BOARD, KMODEL, Path("x/my model.kmodel"), firmware, Path("y/maixpy.bin"))


def packed(files: dict[str, bytes | str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def listing(*entries: object, **more: object) -> str:
    return json.dumps({"version": "0.1.0", "files": list(entries), **more}, indent=2)


@pytest.mark.parametrize("firmware", [FIRMWARE, None])
def test_what_is_packed_is_read(firmware: bytes | None) -> None:
    made = package(firmware)
    assert kfpkg.read(kfpkg.pack(made), "x") == made
    assert [entry.name for entry in made.entries] == ["maixpy.bin"] * bool(firmware) + ["my_model.kmodel"]
    assert kfpkg.pack(made) == kfpkg.pack(package(firmware))


def test_kflash_reads_it_as_we_do() -> None:
    """What kflash 1.1.6 does to the list before it parses it."""
    with zipfile.ZipFile(io.BytesIO(kfpkg.pack(package()))) as archive:
        text = archive.read("flash-list.json").decode()
    files = json.loads(re.sub(r'"address": (.*),', r'"address": "\1",', text))["files"]
    assert [(int(file["address"], 0), file["bin"], file["sha256Prefix"]) for file in files] == [
        (0, "maixpy.bin", True),
        (0x300000, "my_model.kmodel", False),
    ]


def test_a_firmware_lies_in_flash_with_header_and_digest() -> None:
    image = package().entries[0].image
    assert image[:5] == b"\x02" + len(FIRMWARE).to_bytes(4, "little")
    assert image[-32:] == hashlib.sha256(image[:-32]).digest()
    assert len(image) == package().entries[0].size == len(FIRMWARE) + 37


@settings(max_examples=300)
@given(st.data())
def test_a_mutant_is_refused_or_says_the_same(data: st.DataObject) -> None:
    sound = package(None)
    raw = bytearray(kfpkg.pack(sound))
    # Where a zip keeps its names, sizes and offsets: its first and last bytes.
    places = st.integers(0, 400) | st.integers(len(raw) - 300, len(raw) - 1)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(places)] = data.draw(st.integers(0, 255))
    cut = data.draw(st.just(len(raw)) | st.integers(0, len(raw)))
    try:
        found = kfpkg.read(bytes(raw[:cut]), "x.kfpkg")
    except FlashError as error:
        said = str(error)
    else:
        said = "x.kfpkg: sound"
        assert [(entry.address, entry.data) for entry in found.entries] == [
            (entry.address, entry.data) for entry in sound.entries
        ]
    assert said.startswith("x.kfpkg: ")
    assert "\n" not in said


@given(st.binary(max_size=400))
def test_any_bytes_are_refused(data: bytes) -> None:
    for start in (b"", b"PK\x03\x04", b"PK\x05\x06"):
        with pytest.raises(FlashError):
            kfpkg.read(start + data, "x")


@given(JSON)
def test_any_json_is_refused(document: object) -> None:
    with pytest.raises(FlashError):
        kfpkg.read(packed({"flash-list.json": json.dumps(document, indent=2), "a.kmodel": KMODEL}), "x")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.kmodel": KMODEL}, "there is no flash-list.json in it"),
        ({"flash-list.json": listing(SOUND)}, "lists 'a.kmodel', which is not in the package"),
        ({"flash-list.json": listing()}, "lists no file"),
        ({"flash-list.json": listing(SOUND, SOUND), "a.kmodel": b"x"}, "lists a file twice"),
        ({"flash-list.json": listing(SOUND), "a.kmodel": b"x", "b": b"y"}, "holds b, which flash-list.json does not"),
        ({"flash-list.json": listing(SOUND), "a.kmodel": b""}, "a.kmodel is empty"),
        ({"flash-list.json": listing({**SOUND, "bin": "../a"}), "../a": b"x"}, "holds '../a', which is no plain file"),
        ({"flash-list.json": listing({**SOUND, "bin": "/a"}), "/a": b"x"}, "holds '/a', which is no plain file name"),
        ({"flash-list.json": listing({**SOUND, "bin": "s/a"}), "s/a": b"x"}, "lists 's/a', which is not in"),
        ({"flash-list.json": listing(SOUND), "C:a": b"x"}, "holds 'C:a', which is no plain file name"),
        ({"flash-list.json": listing({**SOUND, "address": -1}), "a.kmodel": b"x"}, "address -1, outside of the flash"),
        ({"flash-list.json": listing({**SOUND, "address": 2**24}), "a.kmodel": b"x"}, "outside of the flash"),
        ({"flash-list.json": listing({**SOUND, "sha256Prefix": 1}), "a.kmodel": b"x"}, "must be of type bool"),
        ({"flash-list.json": listing({**SOUND, "bin": 5}), "a.kmodel": b"x"}, "bin is 5, must be of type str"),
        ({"flash-list.json": listing({**SOUND, "run": True}), "a.kmodel": b"x"}, "and nothing else"),
        ({"flash-list.json": listing({**SOUND, "reverse4Bytes": True}), "a.kmodel": b"x"}, "load_flash"),
        ({"flash-list.json": listing(SOUND, more=1), "a.kmodel": b"x"}, "entries other than version and files"),
        ({"flash-list.json": "{"}, "not valid JSON"),
        ({"flash-list.json": b"\xff\xfe"}, "not valid JSON"),
        ({"flash-list.json": '{"files": [], "files": []}'}, "a name stands twice in one object"),
        ({"flash-list.json": '{"files": [NaN]}'}, "NaN is no number"),
        ({"flash-list.json": "[" * 5000}, "not valid JSON"),
        ({"flash-list.json": " " * 70000}, "70000 bytes"),
        # Sound JSON that kflash cannot read: on one line, address last, no space, and quotes.
        ({"flash-list.json": json.dumps({"files": [SOUND]}), "a.kmodel": b"x"}, "kflash would misread it"),
        ({"flash-list.json": listing(dict(reversed(SOUND.items()))), "a.kmodel": b"x"}, "kflash would misread it"),
        ({"flash-list.json": listing(SOUND).replace(": 3", ":3"), "a.kmodel": b"x"}, "kflash would misread it"),
        ({"flash-list.json": listing({**SOUND, "address": "0x300000"}), "a.kmodel": b"x"}, "kflash would misread it"),
        # What kflash can read and no JSON reader does.
        ({"flash-list.json": listing(SOUND).replace("3145728", "0x300000"), "a.kmodel": b"x"}, "not valid JSON"),
    ],
)  # fmt: skip
def test_unsound_packages(files: dict[str, bytes | str], said: str) -> None:
    with pytest.raises(FlashError) as caught:
        kfpkg.read(packed(files), "x.kfpkg")
    assert said in str(caught.value)
    assert str(caught.value).startswith("x.kfpkg: ")


def test_a_bomb_is_not_unpacked() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(40 * 2**20))
    with pytest.raises(FlashError, match="holds more than a flash can"):
        kfpkg.read(data.getvalue(), "x")


def test_a_package_holds_twice_a_flash_at_most() -> None:
    """A firmware and a kmodel, and what a release brings beside them."""
    halves = {name: bytes(images.MOST_FLASH_BYTES) for name in ("a", "b")}
    assert kfpkg.unzipped(kfpkg.zipped(halves), "x", 2) == halves
    with pytest.raises(FlashError, match="holds more than a flash can"):
        kfpkg.unzipped(kfpkg.zipped({**halves, "c": b"x"}), "x", 3)


def test_unpacked_files_are_everybodys_to_read_and_the_owners_to_write() -> None:
    with zipfile.ZipFile(io.BytesIO(kfpkg.zipped({"a": b"x"}))) as archive:
        assert archive.getinfo("a").external_attr == 0o100644 << 16


def test_an_encrypted_or_oddly_compressed_file_is_not_read() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a", "b" * 100)
    with pytest.raises(FlashError, match="a is encrypted, or compressed in a way that is not read"):
        kfpkg.read(data.getvalue(), "x")


def entry(name: str = "a.kmodel", address: int = 0x300000, data: bytes = KMODEL, firmware: bool = False) -> Entry:
    return Entry(name, address, data, firmware)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([entry(address=0)], "a.kmodel: without kflash's header at address 0, where it would replace the firmware"),
        ([entry(address=0x400000)], "looks for its kmodel at 0x300000"),
        ([entry(data=FIRMWARE)], "a.kmodel: is no kmodel but something unknown"),
        ([entry("f.bin", 0x10000, FIRMWARE, True)], "f.bin: a firmware at 0x10000; the chip starts one at 0 only"),
        ([entry(firmware=True)], "a.kmodel: is a kmodel, but flash-list.json has sha256Prefix true for it"),
        ([entry("f.bin", 0, KMODEL, True)], "f.bin: is no firmware but a kmodel V3"),
        ([entry("f.bin", 0, FIRMWARE * 22, True), entry()], f"f.bin reaches {22 * len(FIRMWARE) + 37:#x} and would be"),
        ([entry("f.bin", 0, FIRMWARE + bytes(0x300000 - len(FIRMWARE) - 36), True), entry()], "would be overwritten"),
        ([entry("f.bin", 0, FIRMWARE * 100, True)], "but a firmware runs in the K210's 6 MiB of RAM"),
        ([entry(), entry("b.kmodel")], "would be overwritten by"),
    ],
)  # fmt: skip
def test_packages_that_do_not_fit_the_board(entries: list[Entry], said: str) -> None:
    with pytest.raises(FlashError) as caught:
        kfpkg.check(Package(tuple(entries)), BOARD)
    assert said in str(caught.value)


def test_a_firmware_that_ends_right_below_the_kmodel_fits() -> None:
    kfpkg.check(Package((entry("f.bin", 0, FIRMWARE + bytes(0x300000 - len(FIRMWARE) - 37), True), entry())), BOARD)


def test_a_kmodel_that_reaches_the_file_system_is_refused() -> None:
    flash = dataclasses.replace(BOARD.flash, spiffs_address=0x300000 + len(KMODEL) - 1)
    end = 0x300000 + len(KMODEL)
    said = f"{len(KMODEL)} bytes at 0x300000 reach {end:#x}, but /flash begins at {end - 1:#x}"
    with pytest.raises(FlashError, match=said):
        kfpkg.check(package(None), dataclasses.replace(BOARD, flash=flash))


def test_messages_name_the_file_as_the_user_did() -> None:
    with pytest.raises(FlashError, match=r"^y/maixpy.bin: is no firmware but text"):
        kfpkg.make(BOARD, KMODEL, Path("a.kmodel"), b"hello", Path("y/maixpy.bin"))
