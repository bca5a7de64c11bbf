"""The flash chip: by a program over SPI3, by its commands, and when power goes away."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools.k210 import EmulatorError, Ended, Machine, NoFirmwareError
from host_tools.k210.parts.spi_flash import SIZE
from tests.host_tools.k210.assembler import assemble
from tests.host_tools.k210.programs import FINISH, SYMBOLS, done, machine, results, run
from tests.patience import HANG_SECONDS

SETUP = """
    li s0, SPI3
    li s2, RESULTS
    li t0, 2
    sw t0, 0x14(s0)
"""
SEND, COMMAND = 1, 3
AT = 0x30_0000


def exchange(data: bytes, wanted: int = 0, store: int | None = None, places: tuple[int, int] = (0, 10)) -> str:
    """One transfer by a controller's registers: bytes out, then bytes in, which are left as words at `store`.

    `places`: where a frame's bits and the mode of transfer stand in its first register, SPI3's here.
    """
    lines = [
        "sw zero, 0x08(s0)", f"li t0, {7 << places[0] | (COMMAND if wanted else SEND) << places[1]}", "sw t0, 0x00(s0)",
        f"li t0, {max(wanted - 1, 0)}", "sw t0, 0x04(s0)", "li t0, 1", "sw t0, 0x08(s0)",
    ]  # fmt: skip
    for byte in data:
        lines += [f"li t0, {byte}", "sw t0, 0x60(s0)"]
    lines += ["li t0, 1", "sw t0, 0x10(s0)"]
    for number in range(wanted):
        label = f"wait{exchange.count}"
        exchange.count += 1
        lines += [f"{label}:", "lw t1, 0x24(s0)", f"beq t1, zero, {label}", "lw t2, 0x60(s0)"]
        lines += [f"sd t2, {8 * (store + number)}(s2)"] if store is not None else []
    return "\n".join([*lines, "sw zero, 0x10(s0)"]) + "\n"


exchange.count = 0


def wait_until_ready() -> str:
    """Read the status until the chip is no longer busy."""
    label = f"busy{exchange.count}"
    exchange.count += 1
    return f"{label}:\n" + exchange(b"\x05", 1) + f"andi t2, t2, 1\n bne t2, zero, {label}\n"


def address(value: int) -> bytes:
    return value.to_bytes(3, "big")


def test_identity() -> None:
    made = run(SETUP + exchange(b"\x9f", 3, 0) + exchange(b"\x90\0\0\0", 2, 3))
    assert results(made, 5) == [0xEF, 0x40, 0x18, 0xEF, 0x17]


def test_erase_program_and_read() -> None:
    """Programming clears bits only; erasing sets them; both take the time of the data sheet."""
    page = bytes(range(1, 9))
    source = SETUP + exchange(b"\x06") + exchange(b"\x20" + address(AT)) + wait_until_ready() + "csrr s5, mcycle\n"
    source += exchange(b"\x06") + exchange(b"\x02" + address(AT) + page) + wait_until_ready() + "csrr s6, mcycle\n"
    source += exchange(b"\x06") + exchange(b"\x02" + address(AT) + b"\x00\xf0") + wait_until_ready()
    source += exchange(b"\x03" + address(AT), 8, 0) + "sd s5, 64(s2)\n sub s6, s6, s5\n sd s6, 72(s2)\n"
    made = machine(source)
    made.flash.put(AT - 4, bytes(4096))
    made.run(lambda: done(made), seconds=5, real_seconds=HANG_SECONDS)
    *read, erased, programmed = results(made, 10)
    assert read == [0, 0, *page[2:]]
    assert made.flash.read(AT - 4, 16) == bytes(6) + page[2:] + b"\xff" * 4
    assert made.flash.read(AT + 4096 - 5, 2) == b"\xff\xff"
    # 26 MHz: 45 ms, 0.4 ms.
    assert 45 * 26_000 <= erased < 46 * 26_000
    assert 4 * 2_600 <= programmed < 5 * 2_600
    assert (made.flash.erases, made.flash.programs) == (1, 2)


def test_nothing_happens_without_a_write_enable() -> None:
    made = machine(SETUP + exchange(b"\x02" + address(AT) + b"\0\0"))
    made.run(lambda: done(made), seconds=5, real_seconds=HANG_SECONDS)
    assert made.flash.read(AT, 2) == b"\xff\xff"
    assert any("write enable" in note.text for note in made.notes)


def test_a_busy_chip_takes_nothing_but_status_reads() -> None:
    source = SETUP + exchange(b"\x06") + exchange(b"\x20" + address(AT)) + exchange(b"\x03" + address(0), 1, 0)
    made = run(source + wait_until_ready() + exchange(b"\x03" + address(0), 1, 1))
    assert results(made, 2) == [0xFF, made.flash.read(0, 1)[0]]


@pytest.mark.parametrize(("part", "programmed"), [(0.0, 0), (0.5, 4), (1.0, 8)])
def test_power_goes_away_in_the_middle_of_a_page(part: float, programmed: int) -> None:
    source = SETUP + exchange(b"\x06") + exchange(b"\x20" + address(AT)) + wait_until_ready()
    source += exchange(b"\x06") + exchange(b"\x02" + address(AT) + bytes(8)) + wait_until_ready()
    made = machine(source)
    made.power_cut(2, part)
    assert made.run(lambda: done(made), seconds=5, real_seconds=HANG_SECONDS) is Ended.POWER_CUT
    assert not made.powered
    assert made.flash.read(AT, 8) == bytes(programmed) + b"\xff" * (8 - programmed)
    with pytest.raises(EmulatorError, match="is off"):
        made.run_for(0.1)
    made.power_on()
    made.run(lambda: done(made), seconds=5, real_seconds=HANG_SECONDS)
    assert made.flash.read(AT, 8) == bytes(8)


def test_what_is_in_flash_is_what_starts(tmp_path: Path) -> None:
    chip = tmp_path / "flash.bin"
    Machine(assemble("li s0, RESULTS\n li a0, 7\n sd a0, 0(s0)" + FINISH, SYMBOLS), flash=chip)
    assert chip.stat().st_size == SIZE
    made = Machine(flash=chip)
    made.power_on()
    made.run(lambda: done(made), seconds=5, real_seconds=HANG_SECONDS)
    assert results(made, 1) == [7]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda image: b"\xff" * 16, "no firmware at flash address 0"),
        (lambda image: b"\x01" + image[1:], "encrypted"),
        (lambda image: image[:20] + bytes([image[20] ^ 1]) + image[21:], "damaged"),
    ],
)
def test_a_rom_that_finds_nothing_to_start_says_why(damage, words: str) -> None:
    made = Machine(assemble("nop"))
    made.flash.put(0, damage(made.flash.read(0, 100)))
    with pytest.raises(NoFirmwareError, match=words):
        made.power_on()


def test_a_file_of_another_size_is_refused_and_stays(tmp_path: Path) -> None:
    wrong = tmp_path / "notes.txt"
    wrong.write_text("mine")
    with pytest.raises(EmulatorError, match=r"notes\.txt: 4 bytes"):
        Machine(flash=wrong)
    assert wrong.read_text() == "mine"
    with pytest.raises(EmulatorError, match="do not fit"):
        Machine().flash.put(SIZE - 1, b"ab")
