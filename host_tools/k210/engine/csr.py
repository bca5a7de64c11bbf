"""CSR reads that Unicorn cannot answer, or would answer with the host's time, become loads from page 0.

`csrr rd, mcycle` and its like turn into `ld rd, n(zero)` in the copy of the firmware that lies in RAM. The pages'
devices are in helper.c and slow.py.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

CSR_PAGE, CSR_PAGE_SIZE = 0x0, 0x1000
CYCLE, INSTRET, TIME, MIP, HART, ZERO = 0x100, 0x108, 0x110, 0x118, 0x120, 0x128
# RISC-V privileged specification 1.10: number of the CSR, offset in the page. What identifies the maker is 0.
OFFSETS = {
    0xB00: CYCLE, 0xC00: CYCLE, 0xB02: INSTRET, 0xC02: INSTRET, 0xC01: TIME, 0x344: MIP, 0xF14: HART,
    0xF11: ZERO, 0xF12: ZERO, 0xF13: ZERO,
}  # fmt: skip
# csrrs rd, csr, x0: everything but rd and the CSR's number.
_READ_MASK, _READ = 0x000F_F07F, 0x0000_2073
_LOAD_DOUBLE = 0x0000_3003
_RD = 0xF80


def rewrite(code: memoryview, start: int) -> int:
    """Replace the reads in place from offset `start` on, where instructions begin; how many there were."""
    count = 0
    for at, word in _words(code, start):
        if word & _READ_MASK == _READ and word >> 20 in OFFSETS:
            struct.pack_into("<I", code, at, OFFSETS[word >> 20] << 20 | _LOAD_DOUBLE | word & _RD)
            count += 1
    return count


def _words(code: memoryview, start: int) -> Iterable[tuple[int, int]]:
    """(offset, instruction) of every instruction of 4 bytes."""
    at, end = start, len(code) - 4
    while at <= end:
        if code[at] & 3 == 3:
            yield at, struct.unpack_from("<I", code, at)[0]
            at += 4
        else:
            at += 2
