"""What the watch lets pass between kflash and a board, and what it stops at, without either of them."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.flashing import isp
from host_tools.flashing.isp import Operation, Status
from host_tools.flashing.watch import Stage, Watch, WrongAnswer

START = 0x300000


def request(operation: int, address: int = 0, data: bytes = b"") -> bytes:
    rest = struct.pack("<II", address, len(data)) + data
    return isp.frame(struct.pack("<HHI", operation, 0, zlib.crc32(rest)) + rest)


def short(operation: int) -> bytes:
    return isp.frame(bytes([operation]) + bytes(12))


def answer(operation: int, status: int = Status.OK) -> bytes:
    return isp.frame(bytes([operation, status]))


@pytest.fixture
def stages() -> list[Stage]:
    return []


@pytest.fixture
def watch(stages: list[Stage]) -> Watch:
    """In the stage of writing, with 100 bytes to be written."""
    watch = Watch(((START, 100),), stages.append)
    watch.sending(request(Operation.INIT_FLASH, 1))
    assert watch.received(answer(Operation.INIT_FLASH))
    return watch


def test_pieces_in_order_and_nothing_else(watch: Watch, stages: list[Stage]) -> None:
    for address, size in ((START, 60), (START + 60, 40)):
        watch.sending(request(Operation.WRITE_FLASH, address, bytes(size)))
        assert watch.received(answer(Operation.WRITE_FLASH)) == answer(Operation.WRITE_FLASH)
    assert watch.written == 100
    watch.sending(short(Operation.REBOOT))
    assert stages == [Stage.INIT, Stage.WRITE, Stage.RESTART]


@pytest.mark.parametrize(("address", "size"), [(START + 1, 10), (START - 1, 10), (START, 101), (START, 0), (0, 10)])
def test_kflash_may_not_write_elsewhere(watch: Watch, address: int, size: int) -> None:
    with pytest.raises(WrongAnswer, match=f"kflash would write {size} bytes to {address:#x}, not 0x300000"):
        watch.sending(request(Operation.WRITE_FLASH, address, bytes(size)))


def test_nor_go_on_after_a_piece_that_was_not_confirmed(watch: Watch) -> None:
    """kflash does so after a wrong checksum."""
    watch.sending(request(Operation.WRITE_FLASH, START, bytes(60)))
    with pytest.raises(WrongAnswer, match="kflash would write 40 bytes to 0x30003c, not 0x300000"):
        watch.sending(request(Operation.WRITE_FLASH, START + 60, bytes(40)))


def test_nor_end_early(watch: Watch) -> None:
    with pytest.raises(WrongAnswer, match="kflash would leave 100 bytes unwritten"):
        watch.sending(short(Operation.REBOOT))


def test_a_busy_chip_is_waited_for_but_not_for_ever(watch: Watch) -> None:
    for _ in range(20):
        watch.sending(request(Operation.WRITE_FLASH, START, bytes(100)))
        assert watch.received(answer(Operation.WRITE_FLASH, Status.BUSY))
    watch.sending(request(Operation.WRITE_FLASH, START, bytes(100)))
    with pytest.raises(WrongAnswer, match="the flash chip stays busy"):
        watch.received(answer(Operation.WRITE_FLASH, Status.BUSY))


@given(st.integers(0, 255), st.integers(0, 255))
def test_only_the_right_operation_with_ok_is_an_answer(operation: int, status: int) -> None:
    watch = Watch(((START, 10),), lambda stage: None)
    watch.sending(request(Operation.WRITE_FLASH, START, bytes(10)))
    body = bytes([operation, status])
    if body in (bytes([0xD4, 0xE0]), bytes([0xD4, 0xE7])):
        assert watch.received(isp.frame(body)) == isp.frame(body)
    elif operation == Operation.DEBUG:
        assert watch.received(isp.frame(body)) == b""
    else:
        with pytest.raises(WrongAnswer):
            watch.received(isp.frame(body))
    assert watch.written == 10 * (body == bytes([0xD4, 0xE0]))


@given(st.binary(max_size=200))
def test_garbage_is_no_greeting(data: bytes) -> None:
    """kflash takes any two bytes between C0 for one."""
    watch = Watch(((START, 10),), lambda stage: None)
    watch.sending(isp.GREETING)
    passed = watch.received(data)
    assert passed == b"" or b"\xc2\xe0" in data or b"\xc2\x00" in data


def test_an_echo_of_the_greeting_is_named() -> None:
    watch = Watch(((START, 10),), lambda stage: None)
    watch.sending(isp.GREETING)
    with pytest.raises(WrongAnswer, match="what is sent comes back"):
        watch.received(isp.GREETING)


def test_the_rom_may_answer_with_status_0_but_the_stub_may_not(watch: Watch) -> None:
    rom = Watch(((START, 10),), lambda stage: None)
    rom.sending(request(Operation.WRITE_RAM, isp.RAM_START, bytes(9)))
    assert rom.received(answer(Operation.WRITE_RAM, Status.DEFAULT))
    watch.sending(request(Operation.WRITE_FLASH, START, bytes(10)))
    with pytest.raises(WrongAnswer, match="the board says: status 0x00"):
        watch.received(answer(Operation.WRITE_FLASH, Status.DEFAULT))


def test_what_comes_unasked_is_dropped(watch: Watch) -> None:
    assert watch.received(answer(Operation.WRITE_FLASH)) == b""
    assert watch.written == 0
