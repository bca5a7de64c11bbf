"""One RISC-V core of the K210: a Unicorn engine on the shared memory, with machine-mode traps made by hand.

What is known of Unicorn 2.1.4 here: emu_stop inside an MMIO callback runs the access again, so a slice is ended by its
deadline only; mip.MEIP cannot be written, so traps are entered by writing the trap registers; an access of 64 bits to
MMIO comes as two of 32, low half first. Interrupts must be taken exactly where the guest sets mstatus.MIE.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from host_tools.k210.engine import csr, native, slow
from host_tools.k210.engine.clock import Clock
from host_tools.k210.engine.memory import RAM, RAM_ALIAS, SIZE, Memory

MSIP, MTIP, MEIP = 1 << 3, 1 << 7, 1 << 11
_BY_PRIORITY = (11, 3, 7)
_INTERRUPT = 1 << 63
_MIE, _MPIE, _MPP = 0x8, 0x80, 0x1800
ECALL_FROM_USER, ECALL_FROM_MACHINE = 8, 11
CAUSES = {
    0: "misaligned fetch", 1: "fetch from where there is no memory", 2: "illegal instruction", 3: "breakpoint",
    4: "misaligned load", 5: "load from where there is nothing", 6: "misaligned store",
    7: "store to where there is nothing",
}  # fmt: skip
# A hart whose blocks lie within so many bytes, and whose registers stay, has nothing to do.
_SPIN_BYTES = 64


class Device(Protocol):
    """Registers on the bus."""

    def read(self, offset: int, width: int) -> int:
        """Value of `width` bytes."""

    def write(self, offset: int, width: int, value: int) -> None:
        """Take `width` bytes."""


@dataclass(frozen=True)
class Fault:
    """An exception of the guest that is no system call."""

    hart: int
    cause: int
    pc: int
    address: int


class Hart:
    """Registers live in the engine; `pc` is where it goes on."""

    def __init__(self, number: int, memory: Memory, clock: Clock, regions: list[tuple[int, int, Device]]) -> None:
        self.number, self._memory, self._clock, self._regions = number, memory, clock, regions
        # Stopped by wfi; in a loop that changes nothing; polling for what comes at a cycle.
        self.waiting = self.spinning = False
        self.sleeps_until = 0
        self.started = number == 0
        self.pc = RAM
        self.fault: Fault | None = None
        # Called at the beginning of each slice.
        self.on_run: Callable[[Hart], None] = _nothing
        self._registers: Any = None
        self.build()

    def build(self) -> None:
        """Make the engine; also after a saved machine has come back."""
        from unicorn import UC_ARCH_RISCV, UC_HOOK_INTR, UC_HOOK_MEM_INVALID, UC_MODE_RISCV64, Uc
        from unicorn import riscv_const as names

        self._names = names
        self.uc = uc = Uc(UC_ARCH_RISCV, UC_MODE_RISCV64)
        for base in (RAM, RAM_ALIAS):
            uc.mem_map_ptr(base, SIZE, 7, self._memory.address)
        counter = native.FastCounter if native.library() else slow.SlowCounter
        self.counter = counter(uc, self._memory.address, self.number, self._clock.shared)
        self.state = self.counter.state
        self._engine = native.Engine(uc, names.UC_RISCV_REG_PC)
        self._callbacks: list[Any] = []
        self._error: BaseException | None = None
        self.counter.map_csr_page(uc, csr.CSR_PAGE_SIZE)
        for base, size, device in self._regions:
            self._map(base, size, device)
        uc.hook_add(UC_HOOK_INTR, self._exception)
        uc.hook_add(UC_HOOK_MEM_INVALID, self._invalid)
        self._cause: int | None = None
        self._bad_address = 0

    def _map(self, base: int, size: int, device: Device) -> None:
        map_native = getattr(device, "map_native", None)
        if map_native and map_native(self, base, size):
            return

        state, harmless = self.state, getattr(device, "reads_harmlessly", False)

        def read(_uc: Any, offset: int, width: int, _user: Any) -> int:
            if not harmless:
                state.touched = 1
            try:
                return device.read(offset, width) & (1 << 8 * width) - 1
            except BaseException as error:  # noqa: BLE001 - raised again when the engine has returned
                self._fail(error)
                return 0

        def write(_uc: Any, offset: int, width: int, value: int, _user: Any) -> None:
            state.touched = 1
            try:
                device.write(offset, width, value)
            except BaseException as error:  # noqa: BLE001 - raised again when the engine has returned
                self._fail(error)

        self._callbacks.append(self._engine.map(base, size, read, write))

    def _fail(self, error: BaseException) -> None:
        """A device has failed, which is the emulator's fault."""
        self._error = self._error or error
        self.end_slice()

    # --- what a saved machine keeps of it -----------------------------------------------------------------------

    def _kept_registers(self) -> list[int]:
        names = self._names
        general = range(names.UC_RISCV_REG_X1, names.UC_RISCV_REG_X31 + 1)
        floating = range(names.UC_RISCV_REG_F0, names.UC_RISCV_REG_F31 + 1)
        special = [getattr(names, f"UC_RISCV_REG_{name}") for name in (
            "MSTATUS", "MIE", "MTVEC", "MSCRATCH", "MEPC", "MCAUSE", "MTVAL", "FCSR", "MCOUNTEREN", "MEDELEG",
            "MIDELEG",
        )]  # fmt: skip
        return [*general, *special, *floating]

    def __getstate__(self) -> dict[str, Any]:
        engine = {"uc", "counter", "state", "_names", "_engine", "_callbacks", "on_run"}
        state = {name: value for name, value in self.__dict__.items() if name not in engine}
        state["saved"] = [self.uc.reg_read(register) for register in self._kept_registers()]
        state["counts"] = {name: getattr(self.state, name) for name in native.KEPT}
        return state

    def restore(self) -> None:
        """Finish what unpickling began, once memory and clock are back."""
        saved, counts = self.__dict__.pop("saved"), self.__dict__.pop("counts")
        self.on_run = _nothing
        self.build()
        for register, value in zip(self._kept_registers(), saved, strict=True):
            self.uc.reg_write(register, value)
        for name, value in counts.items():
            setattr(self.state, name, value)

    # --- running ------------------------------------------------------------------------------------------------

    def register(self, number: int) -> int:
        """x1 to x31, and x0."""
        return self.uc.reg_read(self._names.UC_RISCV_REG_X0 + number)

    def end_slice(self) -> None:
        """Stop at the next block, so that events and interrupts are looked at."""
        self.state.deadline = 0

    def run(self, instructions: int) -> int:
        """Run about so many instructions: to the end of the block that reaches them; how many they were."""
        state = self.state
        begin = state.count
        state.deadline = begin + instructions
        self.on_run(self)
        self._cause = None
        self._emulate()
        while state.rolled_back:
            self.pc = self.counter.roll_back()
            if state.count < state.deadline:
                self._emulate()
        if self._cause is not None:
            self._take_exception(self._cause)
        elif state.count < state.deadline:
            self.waiting = True
        return state.count - begin

    def _emulate(self) -> None:
        status = self._engine.run(self.pc)
        if status:
            self._cause = self._cause_of(status)
        self.pc = self._engine.pc
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _exception(self, uc: Any, cause: int, _user: Any) -> None:
        self._cause, self._bad_address = cause, 0
        uc.emu_stop()

    def _invalid(self, _uc: Any, _access: int, address: int, _size: int, _value: int, _user: Any) -> bool:
        self._bad_address = address
        return False

    def _cause_of(self, status: int) -> int:
        import unicorn.unicorn_const as const

        fetch = (const.UC_ERR_FETCH_UNMAPPED, const.UC_ERR_FETCH_PROT)
        write = (const.UC_ERR_WRITE_UNMAPPED, const.UC_ERR_WRITE_PROT)
        if status in fetch:
            return 1
        if status in (const.UC_ERR_INSN_INVALID, const.UC_ERR_EXCEPTION):
            self._bad_address = 0
            return 2
        return 7 if status in write else 5

    def _take_exception(self, cause: int) -> None:
        if cause in (ECALL_FROM_USER, ECALL_FROM_MACHINE):
            # The engine is behind the instruction already; everything here runs in machine mode.
            self.pc -= 4
            self.trap(ECALL_FROM_MACHINE)
            return
        self.fault = Fault(self.number, cause, self.pc, self._bad_address)
        self.uc.reg_write(self._names.UC_RISCV_REG_MTVAL, self._bad_address)
        self.trap(cause)

    def idle(self, cycle: int) -> bool:
        """Whether it has nothing to do at that cycle."""
        return not self.started or self.waiting or self.sleeps_until > cycle

    def set_pending(self, mip: int) -> None:
        """Interrupts that are pending, bits of mip; what is new ends the slice."""
        if mip & ~self.state.mip:
            self.end_slice()
        self.state.mip = mip

    def take_interrupt(self) -> None:
        """Enter the trap handler for the most urgent interrupt that is pending and enabled, if any."""
        mip = self.state.mip
        self.state.masked = int(mip != 0)
        ready = mip and mip & self.uc.reg_read(self._names.UC_RISCV_REG_MIE)
        if not ready:
            return
        self.waiting, self.sleeps_until = False, 0
        if self.uc.reg_read(self._names.UC_RISCV_REG_MSTATUS) & _MIE:
            self.trap(_INTERRUPT | next(bit for bit in _BY_PRIORITY if ready >> bit & 1))

    def trap(self, cause: int) -> None:
        """Enter the machine-mode trap handler."""
        uc, names = self.uc, self._names
        self.state.touched = 1
        status = uc.reg_read(names.UC_RISCV_REG_MSTATUS)
        status = status & ~(_MPP | _MPIE | _MIE) | _MPP | (status & _MIE) << 4
        uc.reg_write(names.UC_RISCV_REG_MSTATUS, status)
        uc.reg_write(names.UC_RISCV_REG_MEPC, self.pc)
        uc.reg_write(names.UC_RISCV_REG_MCAUSE, cause)
        self.pc = uc.reg_read(names.UC_RISCV_REG_MTVEC) & ~3

    def look_if_spinning(self) -> None:
        """Note whether the last slice stayed in one small loop and left all registers as they were."""
        state, names = self.state, self._names
        small = state.high_pc - state.low_pc < _SPIN_BYTES
        general = list(range(names.UC_RISCV_REG_X1, names.UC_RISCV_REG_X31 + 1))
        registers = list(self.uc.reg_read_batch(general)) if small else None
        self.spinning = small and registers == self._registers
        self._registers = registers
        state.low_pc, state.high_pc = native.NEVER, 0


def _nothing(_hart: Hart) -> None:
    pass
