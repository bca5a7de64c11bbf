"""Timers, watchdogs, DMA, pins, RTC and engines, by their registers and by programs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from host_tools.k210 import Machine
from host_tools.k210.blocks.addresses import Function
from host_tools.k210.blocks.sha256 import Sha256
from host_tools.k210.blocks.sysctl import SOFT_RESET, WATCHDOG0_RESET
from tests.host_tools.k210.programs import DONE, machine, results, run

COPY = """
    li s0, DMAC
    li t0, 0x80108000
    sd t0, 0x100(s0)
    li t0, RESULTS
    sd t0, 0x108(s0)
    li t0, 15
    sd t0, 0x110(s0)
    li t0, 0x1b00        # items of 8 bytes on both sides
    sd t0, 0x118(s0)
    li t0, 2
    sd t0, 0x180(s0)
    li t0, 0x101
    sd t0, 0x18(s0)
wait:
    ld t0, 0x18(s0)
    andi t0, t0, 1
    bne t0, zero, wait
"""
# Timer 0, channel 0, user mode, an interrupt after 1000 ticks of 13 MHz; the line is number 14 of the PLIC.
TIMER = """
    la t0, handler
    csrw mtvec, t0
    li s0, RESULTS
    li s1, PLIC
    li t0, 1
    sw t0, 56(s1)
    li s2, 0x2000
    add s2, s1, s2
    li t0, 0x4000
    sw t0, 0(s2)
    li s3, 0x200000
    add s3, s1, s3
    li t0, 1
    slli t0, t0, 11
    csrs mie, t0
    li t0, 8
    csrs mstatus, t0
    li s4, TIMER0
    li t0, 999
    sw t0, 0(s4)
    li t0, 3
    sw t0, 8(s4)
wait:
    ld t2, 0(s0)
    beq t2, zero, wait
    j out
handler:
    lw t3, 4(s3)
    sd t3, 0(s0)
    lw t4, 0xa8(s4)
    sd t4, 8(s0)
    lw t4, 0x0c(s4)
    sw t3, 4(s3)
    lw t4, 0xa8(s4)
    sd t4, 16(s0)
    sw zero, 8(s4)
    csrr t4, mcycle
    sd t4, 24(s0)
    mret
out:
"""
WATCHDOG = """
    li s0, SYSCTL
    lw a0, 0x60(s0)
    li s1, RESULTS
    sd a0, 0(s1)
    csrr a1, mcycle
    sd a1, 8(s1)
    andi a1, a0, 4
    bne a1, zero, out
    li s2, WDT0
    li t0, 1
    sw t0, 0(s2)
hang:
    j hang
out:
"""
SOFT = """
    li s0, SYSCTL
    lw a0, 0x60(s0)
    li s1, RESULTS
    sd a0, 0(s1)
    andi a1, a0, 16
    bne a1, zero, out
    li t0, 1
    sw t0, 0x30(s0)
hang:
    j hang
out:
"""
BLINK = """
    li s0, FPIOA
    li t0, 29            # GPIOHS5
    sw t0, 48(s0)        # IO12
    li t0, 30            # GPIOHS6
    sw t0, 64(s0)        # IO16
    li s1, GPIOHS
    li t0, 0x20
    sw t0, 0x08(s1)
    sw t0, 0x0c(s1)
    li s2, RESULTS
wait:
    lw t1, 0(s1)
    andi t1, t1, 0x40
    bne t1, zero, wait
    sw zero, 0x0c(s1)
"""


def test_dma_copies_memory() -> None:
    made = machine(COPY)
    made.memory.store(0x8010_8000, bytes(range(128)))
    made.run(lambda: made.memory.load(DONE, 2) == b"\x0d\x60", seconds=1, real_seconds=60)
    assert made.memory.load(0x8010_0000, 128) == bytes(range(128))


def test_a_timer_interrupts_by_the_plic_until_it_is_cleared() -> None:
    made = run(TIMER)
    claimed, raised, cleared, cycle = results(made, 4)
    assert (claimed, raised, cleared) == (14, 1, 0)
    # 1000 ticks at half of the crystal's clock, which is the CPU's here.
    assert 2000 <= cycle < 2000 + 300


def test_a_watchdog_resets_the_chip_and_says_so() -> None:
    made = run(WATCHDOG)
    assert made.resets == 1
    status, cycle = results(made, 2)
    assert status == WATCHDOG0_RESET
    # 2^16 ticks at half of the crystal's clock, which is the CPU's here.
    assert 1 << 17 <= cycle < (1 << 17) + 200


def test_soft_reset() -> None:
    made = run(SOFT)
    assert made.resets == 1
    assert results(made, 1) == [SOFT_RESET]


def test_a_fed_watchdog_keeps_quiet() -> None:
    made = machine("nop")
    watchdog = made.bus.watchdogs[0]
    watchdog.write(0, 4, 1)
    for _ in range(3):
        made.run_for(0.004)
        watchdog.write(0x0C, 4, 0x76)
    assert made.resets == 0
    made.run_for(0.006)
    assert made.resets == 1


def test_pins_lead_to_where_the_matrix_says() -> None:
    made = machine(BLINK)
    made.run_for(0.0005)
    assert made.pins.level(12) == 1
    assert made.pins.is_function(12, Function.GPIOHS0 + 5)
    made.pins.drive(16, 0)
    made.run_for(0.0005)
    assert made.pins.level(12) == 0


@pytest.mark.parametrize(("pulls", "level"), [(0, 1), (1 << 16, 1), (1 << 17, 0)])
def test_an_input_that_nobody_drives_is_as_it_is_pulled(pulls: int, level: int) -> None:
    made = machine("nop")
    fpioa, gpiohs = made.bus.fpioa, made.bus.gpiohs
    fpioa.write(4 * 12, 4, Function.GPIOHS0 + 5)
    fpioa.write(4 * 12, 4, pulls | Function.GPIOHS0 + 5)
    assert (made.pins.level(12), gpiohs.read(0, 4) >> 5 & 1) == (level, level)
    made.pins.drive(12, 1 - level)
    fpioa.write(4 * 12, 4, Function.GPIOHS0 + 5)
    assert (made.pins.level(12), gpiohs.read(0, 4) >> 5 & 1) == (1 - level, 1 - level)


def test_a_calendar_that_is_set_goes_on() -> None:
    made = machine("nop")
    rtc = made.find(0x5046_0000)[0]
    rtc.write(0x1C, 4, 2)
    rtc.write(0x28, 4, 20)
    rtc.write(0x00, 4, 24 << 20 | 2 << 16 | 28 << 8)
    rtc.write(0x04, 4, 23 << 24 | 59 << 16 | 59 << 10)
    made.run_for(1.5)
    assert rtc.now().isoformat(timespec="seconds") == "2024-02-29T00:00:00"
    assert rtc.read(0x00, 4) == 24 << 20 | 2 << 16 | 29 << 8 | 4


def digest_of(engine: Sha256, text: bytes, announced: Callable[[int], int]) -> bytes:
    """The engine's digest; announced(block) is what is written into its count before that block of the padded text."""
    padded = text + b"\x80" + bytes(-(len(text) + 9) % 64) + (8 * len(text)).to_bytes(8, "big")
    blocks = len(padded) // 64
    engine.write(0x28, 4, announced(0))
    engine.write(0x2C, 4, 0x10001)
    for block in range(blocks):
        engine.write(0x28, 4, min(blocks, announced(block)))
        for at in range(64 * block, 64 * (block + 1), 4):
            engine.write(0x20, 4, int.from_bytes(padded[at : at + 4], "little"))
    return b"".join(engine.read(28 - at, 4).to_bytes(4, "little") for at in range(0, 32, 4))


@pytest.mark.parametrize("text", [b"", b"maix", bytes(range(200))])
def test_sha256(text: bytes) -> None:
    engine = Machine().find(0x502C_0000)[0]
    assert digest_of(engine, text, lambda _: 9999) == hashlib.sha256(text).digest()


def test_sha256_of_a_text_that_grows_and_of_the_next_one() -> None:
    """MaixPy's uhashlib announces one block more with each piece, and begins with two."""
    engine = Machine().find(0x502C_0000)[0]
    for text in (bytes(range(250)) * 3, b"maix" * 100):
        assert digest_of(engine, text, lambda block: block + 2) == hashlib.sha256(text).digest()


def _put_words(engine, offset: int, data: bytes) -> None:
    """Keys and vectors, as the driver writes them: the last word first."""
    for number in range(len(data) // 4):
        end = len(data) - 4 * number
        engine.write(offset + 4 * number, 4, int.from_bytes(data[end - 4 : end], "little"))


def _through(engine, text: bytes) -> bytes:
    out = bytearray()
    for at in range(0, len(text), 4):
        engine.write(0x40, 4, int.from_bytes(text[at : at + 4].ljust(4, b"\0"), "little"))
        while engine.read(0x68, 4):
            out += engine.read(0x60, 4).to_bytes(4, "little")
    return bytes(out[: len(text)])


@pytest.mark.parametrize("mode", ["ecb", "cbc"])
@pytest.mark.parametrize("size", [16, 24, 32])
def test_aes_blocks(mode: str, size: int) -> None:
    key, vector, text = bytes(range(size)), bytes(range(100, 116)), bytes(range(48))
    cipher = Cipher(algorithms.AES(key), modes.ECB() if mode == "ecb" else modes.CBC(vector)).encryptor()
    wanted = cipher.update(text)
    for decrypts in (0, 1):
        engine = Machine().find(0x5045_0000)[0]
        _put_words(engine, 0x00, key[-16:])
        _put_words(engine, 0x84, key[:-16])
        _put_words(engine, 0x18, vector)
        engine.write(0x14, 4, (size // 8 - 2) << 3 | (mode == "cbc"))
        engine.write(0x10, 4, decrypts)
        engine.write(0x64, 4, 1)
        assert _through(engine, wanted if decrypts else text) == (text if decrypts else wanted)


def test_aes_gcm() -> None:
    key, vector, text, beside = bytes(range(16)), bytes(range(12)), bytes(range(37)), b"who sent it."
    sealed = AESGCM(key).encrypt(vector, text, beside)
    engine = Machine().find(0x5045_0000)[0]
    _put_words(engine, 0x00, key)
    _put_words(engine, 0x18, vector)
    engine.write(0x14, 4, 2)
    engine.write(0x34, 4, len(beside) - 1)
    engine.write(0x3C, 4, len(text) - 1)
    engine.write(0x64, 4, 1)
    for at in range(0, len(beside), 4):
        engine.write(0x44, 4, int.from_bytes(beside[at : at + 4], "little"))
    assert _through(engine, text) == sealed[:-16]
    tag = b"".join(engine.read(0x74 + 12 - at, 4).to_bytes(4, "little") for at in range(0, 16, 4))
    assert tag == sealed[-16:]


def test_pwm_says_what_it_makes() -> None:
    timers = Machine().bus.timers[1]
    timers.write(0x14 + 0x00, 4, 6499)
    timers.write(0xB4, 4, 6499)
    assert timers.pwm(1) is None
    timers.write(0x14 + 0x08, 4, 0b1011)
    assert timers.pwm(1) == (1000.0, 0.5)


def test_a_block_that_is_missing_is_named_once() -> None:
    made = run("li s0, FFT\n lw a0, 0(s0)\n lw a0, 8(s0)\n sw a0, 0(s0)")
    named = [note for note in made.notes if "FFT" in note.text]
    assert len(named) == 1
    assert named[0].pc >= 0x8000_0000
