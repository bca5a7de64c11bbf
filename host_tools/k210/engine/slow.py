"""helper.c once more in Python, for hosts without a C compiler: the same counts and cycles, but far slower.

It does not jump in delay loops: those jumps change nothing but the time that they take on the host.
"""

from __future__ import annotations

import ctypes
from typing import Any

from host_tools.k210.engine import csr, native
from host_tools.k210.engine.memory import RAM, RAM_ALIAS, SIZE

_MIE = 8


class SlowCounter:
    """Counts the instructions of one Unicorn engine; `state.deadline` stops it. As native.FastCounter."""

    def __init__(self, uc: Any, ram_address: int, number: int, clock: native.SharedClock) -> None:
        import unicorn
        from unicorn import riscv_const

        self._mstatus, self._mie = riscv_const.UC_RISCV_REG_MSTATUS, riscv_const.UC_RISCV_REG_MIE
        self._ram = (ctypes.c_uint8 * SIZE).from_address(ram_address)
        self._clock = clock
        self._cache: dict[tuple[int, int], int] = {}
        self.state = native.HartState(low_pc=native.NEVER, number=number, first=int(number == 0))
        uc.hook_add(unicorn.UC_HOOK_BLOCK, self._block)

    def map_csr_page(self, uc: Any, size: int) -> None:
        """Answer the CSR page at address 0."""
        uc.mmio_map(csr.CSR_PAGE, size, self._read_csr, None, self._write_csr, None)

    def _block(self, uc: Any, address: int, size: int, _user: Any) -> None:
        state = self.state
        if state.masked and uc.reg_read(self._mstatus) & _MIE and uc.reg_read(self._mie) & state.mip:
            state.deadline = 0
        if state.count >= state.deadline:
            uc.emu_stop()
            return
        count = self._instructions(address, size)
        state.resumed = 0
        state.count += count
        if state.first:
            self._clock.first_count = state.count
        state.last_pc = address
        state.low_pc, state.high_pc = min(state.low_pc, address), max(state.high_pc, address)

    def _instructions(self, address: int, size: int) -> int:
        known = self._cache.get((address, size))
        if known is None:
            base = next((base for base in (RAM, RAM_ALIAS) if base <= address < base + SIZE), None)
            known = size // 4 if base is None else self._counted(address - base, size)
            self._cache[address, size] = known
        return known

    def _counted(self, offset: int, size: int) -> int:
        at = count = 0
        while at < size and offset + at + 2 <= SIZE:
            at += 4 if self._ram[offset + at] & 3 == 3 else 2
            count += 1
        return count

    def _now(self) -> int:
        clock = self._clock
        return clock.first_count * clock.numerator // clock.denominator + clock.skipped

    def _read_csr(self, _uc: Any, offset: int, _size: int, _user: Any) -> int:
        state = self.state
        if offset & 4:
            return state.latch >> 32
        if offset == csr.CYCLE:
            value = self._now()
        elif offset == csr.TIME:
            value = self._now() // 50
        else:
            values = {csr.INSTRET: state.count, csr.MIP: state.mip, csr.HART: state.number, csr.ZERO: 0}
            value = values.get(offset, -1)
        if value < 0:
            value = 0
            state.wild = state.wild or state.last_pc
        state.latch = value
        return value & 0xFFFF_FFFF

    def _write_csr(self, _uc: Any, _offset: int, _size: int, _value: int, _user: Any) -> None:
        self.state.wild = self.state.wild or self.state.last_pc
