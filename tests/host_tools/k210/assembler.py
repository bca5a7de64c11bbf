"""A tiny assembler for RV64I in machine mode: enough for programs of a few lines that drive one block of the chip.

A line is `label:`, or an instruction with its operands; numbers may be decimal, hexadecimal, negative, or names of
`symbols`. Memory operands are written `offset(register)`. Labels are taken by branches and jumps, and by `la`.
"""

from __future__ import annotations

import re
import struct

from host_tools.k210 import crash

RAM = 0x8000_0000
# Programs begin as firmware of the SDK does: a jump, and the words by which the second hart is let go.
HEADER = 0x18
_REGISTERS = {name: number for number, name in enumerate(crash.REGISTERS)}
_CSRS = {
    "mstatus": 0x300, "mie": 0x304, "mtvec": 0x305, "mepc": 0x341, "mcause": 0x342, "mip": 0x344, "mcycle": 0xB00,
    "minstret": 0xB02, "mhartid": 0xF14,
}  # fmt: skip
_ARITHMETIC = {
    "add": (0, 0), "sub": (0, 0x20), "sll": (1, 0), "xor": (4, 0), "srl": (5, 0), "or": (6, 0), "and": (7, 0),
    "sltu": (3, 0),
}  # fmt: skip
_IMMEDIATE = {"addi": 0, "xori": 4, "ori": 6, "andi": 7, "sltiu": 3}
_LOADS = {"lb": 0, "lh": 1, "lw": 2, "ld": 3, "lbu": 4, "lhu": 5, "lwu": 6}
_STORES = {"sb": 0, "sh": 1, "sw": 2, "sd": 3}
_BRANCHES = {"beq": 0, "bne": 1, "blt": 4, "bge": 5, "bltu": 6, "bgeu": 7}
_CSR_WORDS = {"csrw": 1, "csrs": 2, "csrc": 3}
_FIXED = {"wfi": 0x1050_0073, "mret": 0x3020_0073, "ecall": 0x0000_0073, "nop": 0x13, "unimp": 0xC000_1073}


def assemble(source: str, symbols: dict[str, int] | None = None) -> bytes:
    """A firmware of this program, as it is put into flash; execution begins at its first line."""
    lines = [line.split("#")[0].strip() for line in source.splitlines()]
    expanded = [part for line in lines if line for part in _expand(line, symbols or {})]
    labels, at = {}, HEADER
    for line in expanded:
        if line.endswith(":"):
            labels[line[:-1]] = at
        else:
            at += 4
    words, at = [], HEADER
    for line in expanded:
        if not line.endswith(":"):
            words.append(_encode(line, at, labels, symbols or {}))
            at += 4
    start = struct.pack("<I", _jump(0, HEADER)) + bytes(HEADER - 4)
    return start + struct.pack(f"<{len(words)}I", *words)


def _expand(line: str, symbols: dict[str, int]) -> list[str]:
    """Pseudo-instructions as what they stand for."""
    name, *rest = re.split(r"[\s,]+", line, maxsplit=2)
    if name == "li":
        return _load_number(rest[0], _number(rest[1], symbols))
    if name == "la":
        return [f"auipc {rest[0]}, {rest[1]}", f"addi_label {rest[0]}, {rest[1]}"]
    if name == "j":
        return [f"jal zero, {rest[0]}"]
    if name == "mv":
        return [f"addi {rest[0]}, {rest[1]}, 0"]
    return [line]


def _load_number(register: str, value: int) -> list[str]:
    if -2048 <= value < 2048:
        return [f"addi {register}, zero, {value}"]
    if not 0 <= value < 1 << 32:
        raise ValueError(f"li of {value:#x}: 32 bits at most")
    low = (value & 0xFFF) - (0x1000 if value & 0x800 else 0)
    lines = [f"lui {register}, {(value - low) >> 12 & 0xF_FFFF}", f"addi {register}, {register}, {low}"]
    # lui extends the sign: what is in the upper half goes.
    return [*lines, f"slli {register}, {register}, 32", f"srli {register}, {register}, 32"]


def _number(text: str, symbols: dict[str, int]) -> int:
    return symbols[text] if text in symbols else int(text, 0)


def _jump(register: int, distance: int) -> int:
    bits = distance & 0x1F_FFFE
    placed = (bits >> 20 & 1) << 31 | (bits >> 1 & 0x3FF) << 21 | (bits >> 11 & 1) << 20 | (bits >> 12 & 0xFF) << 12
    return placed | register << 7 | 0x6F


def _encode(line: str, at: int, labels: dict[str, int], symbols: dict[str, int]) -> int:
    name, *operands = re.split(r"[\s,()]+", line.rstrip(")"))
    if name in _FIXED:
        return _FIXED[name]
    if name in _LOADS or name in _STORES:
        return _memory(name, operands, symbols)
    if name in _BRANCHES:
        return _branch(name, operands, labels[operands[2]] - at)
    first = _REGISTERS.get(operands[0], 0)
    if name == "jal":
        return _jump(first, labels[operands[1]] - at)
    if name in ("auipc", "addi_label"):
        return _address(name, first, labels[operands[1]] - at)
    if name in _CSR_WORDS:
        return _CSRS[operands[0]] << 20 | _REGISTERS[operands[1]] << 15 | _CSR_WORDS[name] << 12 | 0x73
    if name == "csrr":
        return _CSRS[operands[1]] << 20 | 2 << 12 | first << 7 | 0x73
    if name == "lui":
        return _number(operands[1], symbols) << 12 | first << 7 | 0x37
    return _arithmetic(name, first, operands, symbols)


def _arithmetic(name: str, first: int, operands: list[str], symbols: dict[str, int]) -> int:
    second = _REGISTERS[operands[1]]
    if name in _ARITHMETIC:
        function, upper = _ARITHMETIC[name]
        return upper << 25 | _REGISTERS[operands[2]] << 20 | second << 15 | function << 12 | first << 7 | 0x33
    value = _number(operands[2], symbols)
    if name in ("slli", "srli"):
        return value << 20 | second << 15 | (1 if name == "slli" else 5) << 12 | first << 7 | 0x13
    if name == "jalr":
        return (value & 0xFFF) << 20 | second << 15 | first << 7 | 0x67
    return (value & 0xFFF) << 20 | second << 15 | _IMMEDIATE[name] << 12 | first << 7 | 0x13


def _memory(name: str, operands: list[str], symbols: dict[str, int]) -> int:
    value, base = _number(operands[1], symbols) & 0xFFF, _REGISTERS[operands[2]]
    register = _REGISTERS[operands[0]]
    if name in _LOADS:
        return value << 20 | base << 15 | _LOADS[name] << 12 | register << 7 | 0x03
    return (value >> 5) << 25 | register << 20 | base << 15 | _STORES[name] << 12 | (value & 31) << 7 | 0x23


def _branch(name: str, operands: list[str], distance: int) -> int:
    bits = distance & 0x1FFE
    upper = (bits >> 12 & 1) << 31 | (bits >> 5 & 0x3F) << 25
    lower = (bits >> 1 & 15) << 8 | (bits >> 11 & 1) << 7
    registers = _REGISTERS[operands[1]] << 20 | _REGISTERS[operands[0]] << 15
    return upper | registers | _BRANCHES[name] << 12 | lower | 0x63


def _address(name: str, register: int, distance: int) -> int:
    """The two halves of `la`; the second one stands 4 bytes behind the first."""
    distance += 4 if name == "addi_label" else 0
    low = (distance & 0xFFF) - (0x1000 if distance & 0x800 else 0)
    if name == "auipc":
        return (distance - low) & 0xFFFF_F000 | register << 7 | 0x17
    return (low & 0xFFF) << 20 | register << 15 | register << 7 | 0x13
