"""Frames of the download protocol: whatever is put in comes out, whatever stands between."""

import inspect
import re
import struct
import zlib

import kflash
from hypothesis import given
from hypothesis import strategies as st

from host_tools.flashing import isp
from host_tools.flashing.isp import Command, Deframer, Operation, Status

BODIES = st.lists(
    st.binary(min_size=1, max_size=60) | st.lists(st.sampled_from(b"\xc0\xdb\xdc\xdd"), min_size=1).map(bytes)
)


@given(BODIES, st.integers(1, 9))
def test_frames_come_out_as_they_went_in(bodies: list[bytes], piece: int) -> None:
    line = b"".join(map(isp.frame, bodies))
    deframer = Deframer()
    pieces = [line[at : at + piece] for at in range(0, len(line), piece)]
    assert [body for data in pieces for body in deframer.feed(data)] == bodies


@given(st.binary(max_size=80).filter(lambda data: b"\xc0" not in data), st.binary(min_size=1, max_size=40))
def test_what_stands_before_a_frame_is_dropped(before: bytes, body: bytes) -> None:
    assert Deframer().feed(before + isp.frame(body)) == [body]


def test_an_empty_frame_is_none() -> None:
    assert Deframer().feed(isp.END + isp.frame(b"body") + isp.frame(b"")) == [b"body"]


@given(st.binary(max_size=60), st.lists(st.binary(min_size=1, max_size=20), min_size=3, max_size=3))
def test_after_any_garbage_it_is_back_at_the_second_frame(garbage: bytes, bodies: list[bytes]) -> None:
    found = Deframer().feed(garbage + b"".join(map(isp.frame, bodies)))
    assert found[-2:] == bodies[1:]


def test_a_frame_that_does_not_end_is_kept_no_longer_than_its_limit() -> None:
    """From its first byte on, whatever came before."""
    deframer = Deframer(limit=10)
    for _ in range(2):
        assert [body for byte in b"before" for body in deframer.feed(bytes([byte]))] == []
        bodies = [body for byte in isp.END + b"0123456789abc" + isp.END for body in deframer.feed(bytes([byte]))]
        assert bodies == [b"0123456789"]


KFLASH_NAMES = {
    Operation.GREET: "NOP", Operation.WRITE_RAM: "MEMORY_WRITE", Operation.START: "MEMORY_BOOT",
    Operation.ROM_BAUD: "CHANGE_BAUDRATE", Operation.DEBUG: "DEBUG_INFO", Operation.STUB_GREET: "NOP",
    Operation.WRITE_FLASH: "FLASH_WRITE", Operation.REBOOT: "REBOOT", Operation.STUB_BAUD: "UARTHS_BAUDRATE_SET",
    Operation.INIT_FLASH: "FLASH_INIT", Operation.ERASE_FLASH: "FLASH_ERASE_NONBLOCKING",
    Operation.FLASH_STATUS: "FLASH_STATUS",
    Status.OK: "RET_OK", Status.BAD_LENGTH: "RET_BAD_DATA_LEN", Status.BAD_CHECKSUM: "RET_BAD_DATA_CHECKSUM",
    Status.INVALID_COMMAND: "RET_INVALID_COMMAND", Status.BAD_INIT: "RET_BAD_INIT", Status.BAD_ERASE: "RET_BAD_ERASE",
    Status.BAD_WRITE: "RET_BAD_WRITE", Status.BUSY: "RET_FLASH_BUSY",
}  # fmt: skip


def test_the_numbers_are_kflashs() -> None:
    """By its names for them; each is one of the ROM's or of the stub's."""
    source = inspect.getsource(kflash)
    known = {(name, int(number, 16)) for name, number in re.findall(r"\bISP_(\w+) = (0x\w+)", source)}
    assert [each for each, name in KFLASH_NAMES.items() if (name, int(each)) not in known] == []
    assert {*Operation, *Status} == {*KFLASH_NAMES, Status.DEFAULT}
    assert len(Operation) == 12


def test_the_greeting_is_kflashs() -> None:
    assert b"\xc0\xc2" + bytes(12) + b"\xc0" == isp.GREETING
    assert Command.read(Deframer().feed(isp.GREETING)[0]) == Command(Operation.GREET)


@given(st.integers(0, 2**32 - 1), st.binary(max_size=50), st.integers(0, 8 * 66 - 1))
def test_a_request_with_a_wrong_bit_is_not_sound(address: int, data: bytes, bit: int) -> None:
    rest = struct.pack("<II", address, len(data)) + data
    body = struct.pack("<HHI", Operation.WRITE_FLASH, 0, zlib.crc32(rest)) + rest
    assert Command.read(body) == Command(Operation.WRITE_FLASH, address, len(data), data)
    at = 4 + bit // 8 % (len(body) - 4)
    spoilt = body[:at] + bytes([body[at] ^ 1 << bit % 8]) + body[at + 1 :]
    assert not Command.read(spoilt).sound


def test_too_short_for_a_header_is_no_request() -> None:
    assert Command.read(b"\xd4" + bytes(14)) is None
