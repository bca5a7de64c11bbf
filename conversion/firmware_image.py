"""Recognises K210 firmware by its content: the entry code, how much of it there must be, and what the image says it is.

What the builds of MaixPy have in common, seen on four of v0.6.2: the chip starts at the first byte, which jumps to a
start routine; that sets the trap vector, points gp at the middle of the small data and tp behind everything, and jumps
to a function that clears the bss. The bss begins where the file ends, or one alignment of 64 bytes behind it: so the
code itself says how long the file has to be.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# RISC-V unprivileged ISA, chapter "RV32/64G Instruction Set Listings", and its "C" extension.
_AUIPC, _OP_IMM, _JAL, _SYSTEM = 0x17, 0x13, 0x6F, 0x73
_ADDI = 0
_CSRRW, _CSRRS = 1, 2
_GP = 3
_MTVEC, _MHARTID = 0x305, 0xF14
# The linker's psABI: __global_pointer$ lies 0x800 behind the start of the small data, as far as a load reaches.
_GP_REACH = 0x800
# Alignment of sections in the images seen.
_ALIGNMENT = 64
# The start routine of the images seen has 0x120 bytes; the function behind it says where the bss begins at once.
_START_BYTES = 0x400
_INIT_BYTES = 64
# K210 datasheet, memory map: 6 MiB of general SRAM at 0x80000000, cached; the ROM loads firmware to its beginning.
RAM_ADDRESS, RAM_BYTES = 0x8000_0000, 6 * 1024 * 1024
# Tables of a program hold addresses of its own functions: some 6,000 in the smallest image seen.
_BIG_PROGRAM, _LEAST_ADDRESSES = 64 * 1024, 64

# What kflash writes before a firmware, and behind it; the flag says that the ROM has to decrypt it.
FLASH_HEADER = struct.Struct("<BI")
DIGEST_BYTES = 32
_ENCRYPTED = 0x01
# Bits of entropy a byte: the images seen have 7.3 or less.
_NOISE_BITS = 7.9

# What an image that this project made for its tests says of itself: it has an entry, but no program.
TEST_IMAGE = b"posenet-maix test image"
_BANNER = re.compile(rb"MicroPython (v[\w.+-]{1,60}) on ([\d-]{10}); ([\w .-]{1,40}) with ([\w-]{1,20})\r\n")
_MICROPYTHON = b"micropython"
# What only some builds hold, by what it brings.
_PARTS = (
    (b"FreeRTOS", "threads"),
    (b"only support kmodel V3/V4", "kmodel V4"),
    (b"ide_mode", "IDE support"),
    (b"lv_theme", "LVGL"),
)
_ESP32_MAGIC, _ESP_MOST_SEGMENTS = 0xE9, 16
_UF2_MAGIC = struct.pack("<2I", 0x0A324655, 0x9E5D5157)
_DFU_PREFIX, _DFU_SUFFIX = b"DfuSe", b"UFD"
_INTEL_HEX = re.compile(rb":[0-9A-Fa-f]{10,}\r?\n:")
# ARMv7-M: a vector table begins with the stack's end, in RAM, and the reset handler, an odd address.
_ARM_RAM, _ARM_CODE = range(0x2000_0000, 0x2100_0000), range(0, 0x1100_0000)


@dataclass(frozen=True)
class Firmware:
    """A program for the K210. `version`, `date` and `board` are "" where the image does not tell them.

    `start` is the offset of the start routine that the entry code jumps to; `bytes_needed` is the least length that the
    entry code asks for, 0 where it could not be read from it; `linked_to_ram` says that its tables hold
    addresses of the RAM that the ROM loads it to (or that it is small).
    """

    size: int
    start: int
    bytes_needed: int
    linked_to_ram: bool
    micropython: bool
    test_image: bool
    version: str
    date: str
    board: str
    parts: tuple[str, ...]

    @property
    def missing_bytes(self) -> int:
        """How many bytes a file that was cut short lacks at least."""
        return max(0, self.bytes_needed - self.size)

    def __str__(self) -> str:
        if self.test_image:
            return "a test image of this project"
        if not self.micropython:
            return "a K210 program without MicroPython"
        parts = f" ({', '.join(self.parts)})" if self.parts else ""
        told = f" {self.version} of {self.date} for {self.board}" if self.version else ""
        return f"MicroPython{told}{parts}"


def recognise(data: bytes) -> Firmware | None:
    """The K210 program in `data`, whole or cut short; None if it does not begin with a K210's entry code."""
    needed, start = _bytes_needed(data), _jump(data, 0)
    if needed is None or start is None:
        return None
    banner = _BANNER.search(data)
    version, date, board = (banner[number].decode() for number in (1, 2, 3)) if banner else ("", "", "")
    return Firmware(
        size=len(data),
        start=start,
        bytes_needed=needed,
        linked_to_ram=len(data) < _BIG_PROGRAM or _addresses_in_ram(data) >= _LEAST_ADDRESSES,
        micropython=_MICROPYTHON in data.lower(),
        test_image=TEST_IMAGE in data,
        version=version,
        date=date,
        board=board,
        parts=tuple(name for mark, name in _PARTS if mark in data),
    )


def other_processor(data: bytes) -> str | None:
    """What a firmware for something else is, in words; None for what is not known as one."""
    if data.startswith(_UF2_MAGIC):
        return "a UF2 file, for boards that appear as a drive (RP2040 and others)"
    if data.startswith(_DFU_PREFIX) or data[-8:-5] == _DFU_SUFFIX:
        return "a DFU file, for STM32 boards (OpenMV and others)"
    if _INTEL_HEX.match(data):
        return "an Intel HEX file, for microcontrollers of other kinds"
    if len(data) >= 8 and data[0] == _ESP32_MAGIC and 0 < data[1] <= _ESP_MOST_SEGMENTS:
        return "a firmware for an ESP32 or ESP8266"
    if len(data) >= 8:
        stack, reset = struct.unpack_from("<2I", data)
        if stack in _ARM_RAM and reset in _ARM_CODE and reset & 1:
            return "a firmware for an ARM microcontroller (STM32, RP2040 and others)"
    return None


@dataclass(frozen=True)
class OutOfFlash:
    """What a firmware is in a flash chip, where kflash has put it; `flags` are the ROM's."""

    flags: int
    firmware: bytes

    @property
    def encrypted(self) -> bool:
        """Whether the ROM decrypts it with the key of its own chip."""
        return bool(self.flags & _ENCRYPTED)


def out_of_flash(data: bytes) -> OutOfFlash | None:
    """The firmware in a file that was read out of a flash: flags, length, firmware, SHA-256 of these; else None."""
    flags, length = FLASH_HEADER.unpack(data[: FLASH_HEADER.size].ljust(FLASH_HEADER.size, b"\0"))
    body, digest = data[:-DIGEST_BYTES], data[-DIGEST_BYTES:]
    if len(data) != FLASH_HEADER.size + length + DIGEST_BYTES or hashlib.sha256(body).digest() != digest:
        return None
    return OutOfFlash(flags, body[FLASH_HEADER.size :])


def is_scrambled(data: bytes) -> bool:
    """Whether a large file is as even as noise, as encrypted and packed ones are and programs are not."""
    if len(data) < _BIG_PROGRAM:
        return False
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    shares = counts[counts > 0] / len(data)
    return float(-(shares * np.log2(shares)).sum()) > _NOISE_BITS


def make_test_image(program: bytes = b"") -> bytes:
    """An image with a K210's entry code and no program: what tests write in place of a MaixPy. `program` is appended.

    It waits for ever: `j` over a word, `la gp`, `csrw mtvec`, `csrr a0, mhartid`, `j .`.
    """
    code = struct.pack(
        "<H6x6I",
        0xA021,  # c.j 8
        (_GP << 7) | _AUIPC,
        (_GP << 15) | (_GP << 7) | _OP_IMM,
        (5 << 7) | _AUIPC,
        (_MTVEC << 20) | (5 << 15) | (_CSRRW << 12) | _SYSTEM,
        (_MHARTID << 20) | (_CSRRS << 12) | (10 << 7) | _SYSTEM,
        _JAL,
    )
    return code + TEST_IMAGE + b" (MicroPython)\0" + program


def _addresses_in_ram(data: bytes) -> int:
    """How many 64-bit words of an image are addresses inside it, were it loaded to the beginning of RAM."""
    words = np.frombuffer(data, "<u8", len(data) // 8)
    return int(((words >= RAM_ADDRESS) & (words < RAM_ADDRESS + len(data))).sum())


def _bytes_needed(data: bytes) -> int | None:
    """The length that the entry code asks for, 0 where it does not say; None if it is no entry code of a K210."""
    start = _jump(data, 0)
    if start is None or not 0 < start < _START_BYTES:
        return None
    vector = hart = False
    global_pointer = target = None
    for address, word in _instructions(data, start, _START_BYTES):
        if word & 0x7F == _SYSTEM:
            vector |= word >> 20 == _MTVEC and (word >> 12) & 7 == _CSRRW
            hart |= word >> 20 == _MHARTID
        elif (pair := _address_pair(data, address)) and pair[0] == _GP:
            global_pointer = pair[1]
        elif hart and (target := _jump(data, address)) is not None:
            break
    if not (vector and hart):
        return None
    if global_pointer is None or target is None:
        return 0
    # Where the bss is out of gp's reach, the small data is at least begun.
    bss = _bss_start(data, target, global_pointer)
    return max(0, (bss - _ALIGNMENT if bss is not None else global_pointer - _GP_REACH))


def _bss_start(data: bytes, function: int, global_pointer: int) -> int | None:
    """The first address that a function takes relative to gp, which in an image's first function begins the bss."""
    for _, word in _instructions(data, function, _INIT_BYTES):
        if word & 0xFF07F == (_GP << 15) | _OP_IMM and (word >> 12) & 7 == _ADDI:
            return global_pointer + _signed(word >> 20, 12)
    return None


def _instructions(data: bytes, start: int, count: int) -> Iterator[tuple[int, int]]:
    """Offset and word of each instruction in `count` bytes from an offset on; compressed ones as they stand."""
    end = min(start + count, len(data) - 4)
    while 0 <= start < end:
        (word,) = struct.unpack_from("<I", data, start)
        yield start, word
        start += 4 if word & 3 == 3 else 2


def _jump(data: bytes, offset: int) -> int | None:
    """Where an unconditional jump at an offset leads (as an offset), without a link; None if there is none."""
    if not 0 <= offset <= len(data) - 4:
        return None
    (word,) = struct.unpack_from("<I", data, offset)
    if word & 0xFFF == _JAL:
        bits = (word >> 31) << 20 | ((word >> 12) & 0xFF) << 12 | ((word >> 20) & 1) << 11 | ((word >> 21) & 0x3FF) << 1
        return offset + _signed(bits, 21)
    if word & 0xE003 == 0xA001:
        order = (11, 4, 9, 8, 10, 6, 7, 3, 2, 1, 5)
        bits = sum(((word >> (12 - place)) & 1) << bit for place, bit in enumerate(order))
        return offset + _signed(bits, 12)
    return None


def _address_pair(data: bytes, offset: int) -> tuple[int, int] | None:
    """Register and target (as an offset) of an `auipc` and the `addi` behind it on the same register."""
    if not 0 <= offset <= len(data) - 8:
        return None
    upper, lower = struct.unpack_from("<2I", data, offset)
    register = (upper >> 7) & 31
    same = (lower >> 15) & 31 == register and (lower >> 7) & 31 == register
    if upper & 0x7F != _AUIPC or lower & 0x707F != _OP_IMM or not same:
        return None
    return register, offset + _signed(upper >> 12, 20) * 4096 + _signed(lower >> 20, 12)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value
