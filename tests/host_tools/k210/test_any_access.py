"""Whatever a guest does to registers, the host goes on: no access is a crash of the emulator, at no block or part."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.k210 import EmulatorError, Machine
from host_tools.k210.parts.sd_card import SdCard
from tests.host_tools.k210.programs import machine


@cache
def board() -> Machine:
    """A board for all examples, so that registers also meet what others have left."""
    return machine("nop", finish=True)


def named(base: int, device: object) -> str:
    """A region in words: what it is, and where."""
    return f"{getattr(device, 'name', type(device).__name__.lower())} {base:#x}"


REGIONS = {named(base, device): (base, size) for base, size, device in Machine().bus.regions}
VALUES = st.one_of(
    st.integers(0, 2**64 - 1), st.sampled_from((0, 1, 3, 0x101, 0x303, 0x8000_0000, 0x4000_0000, 0x8010_0000))
)
WIDTHS = st.sampled_from((1, 2, 4, 8))
# Nearly all registers are among the first; the others of large blocks (PLIC, KPU) lie anywhere.
NUMBERS = st.one_of(st.integers(0, 64), st.integers(0, 0x400), st.integers(0, 0x20_0000))
ACCESS = st.tuples(NUMBERS, WIDTHS, st.one_of(st.none(), VALUES))


def access(made: Machine, base: int, size: int, number: int, width: int, value: int | None) -> None:
    device, _ = made.find(base)
    offset = number * width % size
    if value is None:
        answer = device.read(offset, width)
        assert 0 <= answer < 1 << 8 * width
    else:
        device.write(offset, width, value & (1 << 8 * width) - 1)


def go_on(made: Machine) -> None:
    """Let it run; it may have reset or crashed itself, and can be switched on again."""
    try:
        made.run_for(0.0002)
    except EmulatorError:
        if not made.powered:
            made.power_on()
        made.power_on()


def access_a_block(region: str, accesses: list) -> None:
    for each in accesses:
        access(board(), *REGIONS[region], *each)
    go_on(board())


@pytest.mark.parametrize("region", REGIONS)
@settings(max_examples=8)
@given(st.lists(ACCESS, min_size=1, max_size=30))
def test_no_access_to_a_block_stops_the_host(region: str, accesses: list) -> None:
    access_a_block(region, accesses)


@pytest.mark.soak
@pytest.mark.parametrize("region", REGIONS)
@settings(max_examples=200)
@given(st.lists(ACCESS, min_size=1, max_size=30))
def test_no_access_to_a_block_stops_the_host_ever(region: str, accesses: list) -> None:
    access_a_block(region, accesses)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(sorted(REGIONS.values())), ACCESS), min_size=1, max_size=60))
def test_no_access_to_registers_stops_the_host(accesses: list) -> None:
    """Blocks in any order: what one does may depend on what another was told."""
    for region, each in accesses:
        access(board(), *region, *each)
    go_on(board())


# Bytes that parts know as commands are frequent among them.
BYTES = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from((0x01, 0x05, 0x06, 0x20, 0x2A, 0x2B, 0x2C, 0x36, 0x52, 0xD8, 0x40, 0x58, 0x59)).map(
            lambda command: bytes([command, 0, 0, 0, 9, 1])
        ),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=100)
@given(BYTES, st.integers(0, 600), st.booleans())
def test_no_bytes_to_the_lcd_stop_the_host(pieces: list[bytes], wanted: int, data: bool) -> None:
    lcd = board().lcd
    for number, piece in enumerate(pieces):
        board().pins.drive(lcd.wiring.data_command, int(data) ^ number & 1)
        assert len(lcd.transfer(piece, wanted)) == wanted
    assert lcd.picture().shape == (240, 320, 3)


@settings(max_examples=100)
@given(BYTES, st.integers(0, 600))
def test_no_bytes_to_the_flash_chip_stop_the_host(pieces: list[bytes], wanted: int) -> None:
    flash = board().flash
    for piece in pieces:
        assert len(flash.transfer(piece, wanted)) == wanted
        flash._busy_until = 0
    assert len(flash.data) == 16 * 1024 * 1024


@cache
def card(folder: Path) -> SdCard:
    path = folder / "card.img"
    path.write_bytes(bytes(1024 * 1024))
    return Machine(sd=path).bus.sd


@settings(max_examples=100)
@given(pieces=BYTES, wanted=st.integers(0, 1200))
def test_no_bytes_to_the_sd_card_stop_the_host(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], wanted: int
) -> None:
    found = card(tmp_path_factory.getbasetemp())
    for piece in pieces:
        assert len(found.transfer(piece, wanted)) == wanted
    assert len(found.data) == 1024 * 1024


@settings(max_examples=100)
@given(st.lists(st.one_of(st.none(), st.integers(0, 255)), max_size=30), st.sampled_from((0x21, 0x30, 0x34, 0x3C)))
def test_no_bytes_on_the_two_wire_bus_stop_the_host(bytes_: list[int | None], address: int) -> None:
    """Also to boards' power chip; None is a read."""
    made = _with_power_chip()
    for pin in (28, 41):
        made.bus.fpioa.write(4 * pin, 4, 126)
    made.bus.dvp.write(0x10, 4, 0)
    made.bus.dvp.write(0x10, 4, 0x10000)
    i2c = made.bus.i2c[0]
    i2c.write(0x04, 4, address)
    for byte in bytes_:
        i2c.write(0x10, 4, 0x100 if byte is None else byte)
        assert 0 <= i2c.read(0x10, 4) <= 0xFF
    assert made.bus.dvp.sensors[0].frame(0, 32, 16).shape == (16, 32, 3)


@cache
def _with_power_chip() -> Machine:
    return Machine(board="m5stickv")
