"""The SD card: started, read and written by a program over SPI1, and its commands, errors and ends block by block."""

from __future__ import annotations

import binascii
from pathlib import Path

import pytest

from host_tools.k210 import EmulatorError, Machine, snapshot
from host_tools.k210.blocks.addresses import Function
from tests.host_tools.k210.programs import results, run
from tests.host_tools.k210.test_flash import exchange

SECTOR, SECTORS = 512, 2048
CLOCK_PIN, SELECT_PIN = 27, 29
# The slot's clock is SPI1's, its select line GPIOHS7, low.
SETUP = f"""
    li s0, FPIOA
    li t0, {Function.SPI1_SCLK}
    sw t0, {4 * CLOCK_PIN}(s0)
    li t0, {Function.GPIOHS0 + 7}
    sw t0, {4 * SELECT_PIN}(s0)
    li s0, GPIOHS
    li t0, 0x80
    sw t0, 0x08(s0)
    sw zero, 0x0c(s0)
    li s0, SPI1
    li s2, RESULTS
    li t0, 2
    sw t0, 0x14(s0)
"""
# Where a frame's bits and the mode of transfer stand in the first register of SPI0 and SPI1.
PLACES = (16, 8)
IDLE, READY, ILLEGAL, BAD_ARGUMENT = 0x01, 0x00, 0x04, 0x40
TOKEN, TOKEN_MANY, STOP, OUT_OF_RANGE = 0xFE, 0xFC, 0xFD, 0x08
ACCEPTED, NOT_WRITTEN = 0x05, 0x0D


def command(number: int, argument: int = 0) -> bytes:
    return bytes([0x40 | number]) + argument.to_bytes(4, "big") + b"\x01"


def content() -> bytes:
    """Each sector begins with its number."""
    return b"".join(number.to_bytes(2, "little") + bytes(SECTOR - 2) for number in range(SECTORS))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    card = tmp_path / "card.img"
    card.write_bytes(content())
    return card


@pytest.fixture
def card(path: Path):
    """The card of a board that is off, started as drivers do."""
    made = Machine(sd=path).bus.sd
    for number, argument in ((0, 0), (8, 0x1AA), (55, 0), (41, 1 << 30)):
        ask(made, number, argument)
    return made


def ask(card, number: int, argument: int = 0, more: int = 0) -> tuple[int, bytes]:
    """The status that a command is answered with, and so many bytes behind it."""
    filler, status, *rest = card.transfer(command(number, argument), 2 + more)
    assert filler == 0xFF
    return status, bytes(rest)


def block(data: bytes) -> bytes:
    return data + binascii.crc_hqx(data, 0).to_bytes(2, "big")


def test_a_program_starts_the_card_reads_a_sector_and_writes_one(path: Path) -> None:
    written = bytes(range(256)) * 2
    source = SETUP
    for at, (number, argument, wanted) in enumerate(
        ((0, 0, 2), (8, 0x1AA, 6), (55, 0, 2), (41, 1 << 30, 2), (58, 0, 6), (17, 0x123, 6))
    ):
        source += exchange(command(number, argument), wanted, 6 * at, PLACES)
    source += exchange(command(24, 5), 2, 36, PLACES)
    source += exchange(bytes([TOKEN]) + block(written), 3, 38, PLACES)
    made = run(source, sd=path)
    found = results(made, 41)
    assert found[:2] == [0xFF, IDLE]
    assert found[6:12] == [0xFF, IDLE, 0, 0, 1, 0xAA]
    assert (found[13], found[19]) == (IDLE, READY)
    assert found[24:30] == [0xFF, READY, 0xC0, 0xFF, 0x80, 0x00]
    assert found[30:36] == [0xFF, READY, TOKEN, 0x23, 0x01, 0]
    assert found[36:41] == [0xFF, READY, ACCEPTED, 0, 0xFF]
    made.bus.sd.data.flush()
    assert path.read_bytes() == content()[: 5 * SECTOR] + written + content()[6 * SECTOR :]
    assert (made.bus.sd.reads, made.bus.sd.writes) == (1, 1)


def test_a_slot_without_a_card_answers_nothing() -> None:
    made = run(SETUP + exchange(command(0), 8, 0, PLACES))
    assert results(made, 8) == [0xFF] * 8


def test_a_card_that_is_not_selected_answers_nothing_and_forgets_half_a_command(path: Path) -> None:
    made = Machine(sd=path)
    spi, gpiohs, fpioa = made.bus.spi[1], made.bus.gpiohs, made.bus.fpioa
    card = made.bus.sd
    assert not card.selected(spi)
    fpioa.write(4 * CLOCK_PIN, 4, Function.SPI1_SCLK)
    fpioa.write(4 * SELECT_PIN, 4, Function.GPIOHS0 + 7)
    gpiohs.write(0x08, 4, 0x80)
    assert card.selected(spi)
    card.transfer(command(0)[:3], 0)
    gpiohs.write(0x0C, 4, 0x80)
    assert not card.selected(spi)
    gpiohs.write(0x0C, 4, 0)
    assert card.selected(spi)
    assert card.transfer(command(0)[3:], 4) == b"\xff" * 4
    assert ask(card, 0) == (IDLE, b"")
    assert not card.selected(made.bus.spi[0])


def test_a_block_is_read_with_its_checksum(card) -> None:
    data = content()[7 * SECTOR : 8 * SECTOR]
    assert ask(card, 17, 7, 1 + SECTOR + 2) == (READY, bytes([TOKEN]) + block(data))
    # SD physical layer specification 4.5: the checksum of a block of ones.
    card.data[:SECTOR] = b"\xff" * SECTOR
    assert ask(card, 17, 0, 1 + SECTOR + 2)[1][-2:] == b"\x7f\xa1"


def test_blocks_are_read_until_they_are_stopped(card) -> None:
    status, first = ask(card, 18, 3, 1 + SECTOR + 2)
    assert (status, first[1:3]) == (READY, b"\x03\x00")
    assert card.transfer(b"", 1 + SECTOR + 2)[1:3] == b"\x04\x00"
    assert ask(card, 12, 0, 4) == (READY, b"\xff" * 4)


def test_several_blocks_are_written_until_they_are_stopped(card) -> None:
    assert ask(card, 25, 9) == (READY, b"")
    for number in range(3):
        assert card.transfer(bytes([TOKEN_MANY]) + block(bytes([number]) * SECTOR), 1)[0] == ACCEPTED
    card.transfer(bytes([STOP]), 0)
    # A token that nobody waits for is no block.
    card.transfer(bytes([TOKEN]) + b"\xff" * 20, 0)
    assert bytes(card.data[9 * SECTOR : 13 * SECTOR : SECTOR]) == b"\x00\x01\x02\x0c"
    assert card.writes == 3


@pytest.mark.parametrize("number", [17, 18, 24, 25])
def test_a_sector_behind_the_end_is_refused(card, number: int) -> None:
    assert ask(card, number, SECTORS, 4) == (BAD_ARGUMENT, b"\xff" * 4)
    card.transfer(bytes([TOKEN]) + block(bytes(SECTOR)), 0)
    assert (card.reads, card.writes) == (0, 0)


def test_blocks_end_with_the_card(card) -> None:
    status, read = ask(card, 18, SECTORS - 1, 1 + SECTOR + 2 + 3)
    assert (status, read[0], read[-3:]) == (READY, TOKEN, bytes([OUT_OF_RANGE]) + b"\xff\xff")
    ask(card, 25, SECTORS - 1)
    written = bytes([TOKEN_MANY]) + block(b"\x55" * SECTOR)
    assert [card.transfer(written, 1)[0] for _ in range(2)] == [ACCEPTED, NOT_WRITTEN]
    assert bytes(card.data[-SECTOR:]) == b"\x55" * SECTOR
    assert len(card.data) == SECTORS * SECTOR


def test_what_a_card_does_not_know_is_illegal_and_noted(path: Path) -> None:
    made = Machine(sd=path)
    assert ask(made.bus.sd, 5) == (IDLE | ILLEGAL, b"")
    # Starting is an application's command: without the one before it, it is none.
    assert ask(made.bus.sd, 41) == (IDLE | ILLEGAL, b"")
    assert [note.text for note in made.notes] == [
        "the SD card was sent command 5, which it does not have here",
        "the SD card was sent command 41, which it does not have here",
    ]


def test_size_and_name(card) -> None:
    _, data = ask(card, 9, 0, 1 + 16 + 2)
    assert data[0] == TOKEN
    csd = data[1:17]
    assert data[17:] == binascii.crc_hqx(csd, 0).to_bytes(2, "big")
    units = int.from_bytes(csd[7:10], "big") & 0x3F_FFFF
    assert (csd[0] >> 6, (units + 1) * 512 * 1024) == (1, len(card.data))
    assert b"k210" in ask(card, 10, 0, 19)[1]


@pytest.mark.parametrize(
    ("size", "words"),
    [(None, "No such file"), (0, "0 bytes are no SD card's image"), (1_000_000, "multiple of 524288")],
)
def test_a_file_that_is_no_card_is_named(size: int | None, words: str, tmp_path: Path) -> None:
    card = tmp_path / "card.img"
    if size is not None:
        card.write_bytes(bytes(size))
    with pytest.raises(EmulatorError, match=words) as error:
        Machine(sd=card)
    assert str(card) in str(error.value)


def test_a_saved_machine_has_its_card_again(path: Path) -> None:
    made = Machine(sd=path)
    ask(made.bus.sd, 0)
    copy = snapshot.load(snapshot.save(made))
    assert ask(copy.bus.sd, 17, 2, 4)[1] == bytes([TOKEN, 2, 0, 0])
