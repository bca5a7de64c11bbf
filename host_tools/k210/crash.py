"""What is known when the firmware crashes: the cause, the registers, and the calls that led there."""

from __future__ import annotations

from dataclasses import dataclass

from host_tools.k210.engine.hart import CAUSES, Fault, Hart
from host_tools.k210.engine.memory import Memory

# x0 to x31, by the calling convention.
REGISTERS = (
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
    "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
)  # fmt: skip
_RA, _SP = 1, 2
_MOST_CALLS, _STACK_BYTES = 12, 4096
_JAL, _JALR = 0x6F, 0x67
_COLUMNS = 4


@dataclass(frozen=True)
class Crash:
    """An exception of the guest, in one line and in full."""

    hart: int
    line: str
    report: str

    @classmethod
    def of(cls, hart: Hart, fault: Fault, memory: Memory) -> Crash:
        """Describe a fault while the registers are as it left them."""
        registers = [0, *(hart.register(number) for number in range(1, 32))]
        what = CAUSES.get(fault.cause, f"exception {fault.cause}")
        where = f" ({fault.address:#x})" if fault.address else ""
        calls = calls_of(registers[_RA], registers[_SP], memory)
        line = f"the firmware has crashed: {what}{where} at program counter {fault.pc:#x}, hart {fault.hart}"
        return cls(fault.hart, line, "\n".join((line, *_table(registers), f"called from {_listed(calls)}")))


def calls_of(return_address: int, stack: int, memory: Memory) -> list[int]:
    """Addresses of the calls that led somewhere, the last one first: those whose return address lies on the stack."""
    found = [return_address - 4] if _is_call(return_address, memory) else []
    at = memory.offset(stack, _STACK_BYTES)
    if at < 0:
        return found
    for offset in range(at, at + _STACK_BYTES, 8):
        value = int.from_bytes(memory.data[offset : offset + 8], "little")
        if _is_call(value, memory) and value - 4 not in found[-1:]:
            found.append(value - 4)
            if len(found) == _MOST_CALLS:
                break
    return found


def _is_call(return_address: int, memory: Memory) -> bool:
    """Whether the instruction before an address calls something: jal or jalr with ra, long or compressed."""
    at = memory.offset(return_address - 4, 4)
    if at < 0 or return_address & 1:
        return False
    word = int.from_bytes(memory.data[at : at + 4], "little")
    if word & 0x7F in (_JAL, _JALR) and word >> 7 & 31 == _RA:
        return True
    # c.jalr: 1001 rs1 00000 10, rs1 not 0.
    half = word >> 16
    return half & 0xF07F == 0x9002 and bool(half & 0xF80)


def _table(registers: list[int]) -> list[str]:
    cells = [f"{name:>4} {value:016x}" for name, value in zip(REGISTERS[1:], registers[1:], strict=True)]
    return ["  ".join(cells[first : first + _COLUMNS]) for first in range(0, len(cells), _COLUMNS)]


def _listed(calls: list[int]) -> str:
    return ", ".join(f"{call:#x}" for call in calls) or "nowhere that can be told"
