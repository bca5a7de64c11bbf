"""Firmware is known by its code: whole, cut short, for another processor, or a test image that no board should get."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion import firmware_image
from host_tools import boards
from host_tools.errors import FlashError
from host_tools.flashing import flash, images
from host_tools.serial_link import link_note
from host_tools.serial_link.link_note import LinkNote
from tests.host_tools.flashing.conftest import FIRMWARE

BANNER = b"MicroPython v0.6.3-2-gd8901fd22 on 2024-04-29; Sipeed_M1 with kendryte-k210\r\n"


def program(size: int, gap: int = 0, reach: int = 600) -> bytes:
    """A program as MaixPy's linker lays it out: `gap` bytes behind its end the bss begins, `reach` below gp."""
    pointer = size + gap + reach
    upper, lower = (pointer - 16 + 0x800) >> 12, (pointer - 16) & 0xFFF
    start = struct.pack(
        "<HI10x7I",
        0xA801,  # c.j 16, over a mark and a word
        0xDEADBEEF,
        (upper << 12) | 0x197,  # auipc gp, upper
        (lower << 20) | 0x18193,  # addi gp, gp, lower
        0x297,  # auipc t0, 0
        0x30529073,  # csrw mtvec, t0
        0xF1402573,  # csrr a0, mhartid
        0x0040006F,  # j 4
        ((-reach & 0xFFF) << 20) | 0x18793,  # addi a5, gp, -reach
    )
    addresses = struct.pack("<100Q", *(0x8000_0000 + 16 * number for number in range(100)))
    body = start.ljust(80, b"\0") + BANNER.ljust(160, b"\0") + addresses
    return body + random.Random(5).randbytes(size - len(body))


def test_a_test_image_waits_for_ever() -> None:
    """As an assembler writes what its docstring says."""
    code = struct.unpack_from("<H6x6I", firmware_image.make_test_image())
    assert [f"{word:08x}" for word in code] == [
        "0000a021",  # c.j 8
        "00000197",  # auipc gp, 0
        "00018193",  # addi gp, gp, 0
        "00000297",  # auipc t0, 0
        "30529073",  # csrw mtvec, t0
        "f1402573",  # csrr a0, mhartid
        "0000006f",  # j .
    ]


def test_the_entry_code_says_how_long_the_file_must_be() -> None:
    whole = program(100_000, gap=32)
    found = images.check_firmware(whole, "maixpy.bin")
    assert (found.version, found.date, found.board) == ("v0.6.3-2-gd8901fd22", "2024-04-29", "Sipeed_M1")
    assert found.bytes_needed == 100_000 + 32 - 64
    assert found.missing_bytes == 0
    assert str(found) == "MicroPython v0.6.3-2-gd8901fd22 of 2024-04-29 for Sipeed_M1"


@given(st.integers(1100, 99_000))
def test_a_file_that_is_cut_short_is_refused(length: int) -> None:
    with pytest.raises(FlashError, match=r"x.bin: is cut short: \d+ bytes, and its entry code asks for \d+ more"):
        images.check_firmware(program(100_000)[:length], "x.bin")


def test_a_program_linked_to_other_addresses_is_refused() -> None:
    data = program(100_000)
    elsewhere = data.replace(b"\x00\x80\0\0\0\0", b"\x00\x40\0\0\0\0")
    with pytest.raises(FlashError, match="was linked to other addresses than 0x80000000"):
        images.check_firmware(elsewhere, "x.bin")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xe9\x03\x02\x20" + random.Random(1).randbytes(5000), "a firmware for an ESP32 or ESP8266"),
        (struct.pack("<2I", 0x0A324655, 0x9E5D5157) + bytes(504), "a UF2 file"),
        (b"DfuSe\x01" + bytes(600), "a DFU file, for STM32 boards"),
        (bytes(range(256)) * 4 + b"\xff\xff\x00\x00\x83\x04\x1a\x01UFD\x10abcd", "a DFU file"),
        (struct.pack("<2I", 0x20020000, 0x080001C5) + bytes(900), "a firmware for an ARM microcontroller"),
        (b":020000040800F2\r\n:10000000\r\n" * 300, "an Intel HEX file"),
    ],
    ids=["esp32", "uf2", "dfuse", "dfu", "arm", "hex"],
)
def test_firmware_for_others_is_named(data: bytes, said: str) -> None:
    with pytest.raises(FlashError) as caught:
        images.check_firmware(data, "x.bin")
    assert f"x.bin: is no firmware but {said}" in str(caught.value)


@given(st.binary(max_size=300))
def test_any_bytes_are_recognised_or_not_without_an_error(data: bytes) -> None:
    for start in (b"", FIRMWARE[:12], program(2000)[:60]):
        firmware_image.recognise(start + data)
        firmware_image.other_processor(start + data)


class TestTestImages:
    """No real board gets an image that does nothing."""

    def test_only_what_is_noted_as_virtual_gets_one(self, maix_bit: boards.Board, kmodel: Path, firmware: Path) -> None:
        writing = flash.prepare(maix_bit, kmodel, firmware)
        link = kmodel.with_name("board")
        link.symlink_to("/dev/null")
        with pytest.raises(FlashError, match="is a test image of this project, which does nothing on a board"):
            flash.refuse_test_image(writing, str(link))
        link_note.write(link, LinkNote("maix_bit", "a stand-in"))
        flash.refuse_test_image(writing, str(link))
        link_note.remove(link)
        with pytest.raises(FlashError, match="for a virtual board without a --link, use --force"):
            flash.refuse_test_image(writing, str(link))

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"board": 1}', "\xff", "[" * 5000])
    def test_a_note_that_is_none_is_no_note(self, tmp_path: Path, text: str) -> None:
        link = tmp_path / "board"
        link.symlink_to("/dev/null")
        (tmp_path / "board.board.json").write_text(text, encoding="latin-1")
        assert link_note.read(str(link)) is None
