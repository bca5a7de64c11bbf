"""The tests' own assembler against encodings that the RISC-V specification and GNU as give."""

from __future__ import annotations

import struct

import pytest

from tests.host_tools.k210.assembler import HEADER, assemble


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("addi a0, zero, -1", 0xFFF00513),
        ("add a0, a1, a2", 0x00C58533),
        ("sub t0, t1, t2", 0x407302B3),
        ("lui s0, 0x80000", 0x80000437),
        ("ld a5, 8(sp)", 0x00813783),
        ("sw a0, -4(s0)", 0xFEA42E23),
        ("sd ra, 40(sp)", 0x02113423),
        ("slli a0, a0, 32", 0x02051513),
        ("csrr a0, mcycle", 0xB0002573),
        ("csrs mie, a1", 0x3045A073),
        ("jalr zero, ra, 0", 0x00008067),
        ("wfi", 0x10500073),
    ],
)
def test_instructions(line: str, word: int) -> None:
    assert struct.unpack_from("<I", assemble(line), HEADER)[0] == word


def test_branches_and_jumps_go_both_ways() -> None:
    code = assemble("back:\n nop\n beq a0, a1, back\n bne a0, zero, on\n nop\non:\n jal ra, back")
    assert struct.unpack_from("<5I", code, HEADER)[1:3] == (0xFEB50EE3, 0x00051463)
    assert struct.unpack_from("<I", code, HEADER + 16)[0] == 0xFF1FF0EF
