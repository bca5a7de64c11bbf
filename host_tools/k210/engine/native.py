"""Binds helper.c: compiled once into the user's cache folder, or replaced by slow.py without a C compiler."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from conversion.cache import cache_dir
from host_tools.k210.engine.memory import SIZE

NEVER = 2**64 - 1
# The variable that names another C compiler, as everywhere; empty for none.
COMPILER = "CC"
_SOURCE = Path(__file__).with_name("helper.c")
_PARTS = (
    "helper.c", "pure_code.h", "delay_loop_state.h", "delay_loops.h", "idle_loop_state.h", "idle_loops.h", "idle_spi.h",
)  # fmt: skip
_FLAGS = ("-O2", "-shared", "-fPIC")
_COMPILER_SECONDS = 60
_HOOK_BLOCK = 8  # UC_HOOK_BLOCK of unicorn.h

# LOOP_BLOCKS and LOOP_STACK of delay_loop_state.h.
_LOOP_BLOCKS = _LOOP_STACK = 1024
# IDLE_BLOCKS, IDLE_PATIENCE and IDLE_REGISTERS of idle_loop_state.h.
_IDLE_BLOCKS = _IDLE_PATIENCE = 64
_IDLE_REGISTERS = 32

_u64, _pointer = ctypes.c_uint64, ctypes.c_void_p
_NO_END = 0xFFFF_FFFF_FFFF_FFFF
# uc_cb_mmio_read_t and uc_cb_mmio_write_t of unicorn.h.
_READ = ctypes.CFUNCTYPE(_u64, _pointer, _u64, ctypes.c_uint, _pointer)
_WRITE = ctypes.CFUNCTYPE(None, _pointer, _u64, ctypes.c_uint, _u64, _pointer)


class SharedClock(ctypes.Structure):
    """`struct clock` of helper.c."""

    _fields_ = [(name, _u64) for name in (
        "skipped", "numerator", "denominator", "next_event", "may_skip", "first_count",
    )]  # fmt: skip


class LoopState(ctypes.Structure):
    """`struct loop` of helper.c."""

    _fields_ = [
        *((name, _u64) for name in (
            "pc", "step", "count", "turns", "state", "length", "at", "jump", "falling", "jumped", "saved",
            "saved_count", "saved_sp", "saved_read",
        )),
        ("path", _u64 * _LOOP_BLOCKS), ("stack", ctypes.c_uint8 * (2 * _LOOP_STACK)),
    ]  # fmt: skip


class IdleLoopState(ctypes.Structure):
    """`struct idle_loop` of helper.c."""

    _fields_ = [
        *((name, _u64) for name in (
            "head", "state", "patience", "count", "deadline", "touched", "stack_at", "length",
        )),
        ("registers", _u64 * _IDLE_REGISTERS), ("path", _u64 * _IDLE_BLOCKS),
        ("stack", ctypes.c_uint8 * (2 * _LOOP_STACK)),
    ]  # fmt: skip


class HartState(ctypes.Structure):
    """`struct hart` of helper.c."""

    _fields_ = [
        ("count", _u64), ("deadline", _u64), ("ram", _pointer), ("cache", _pointer), ("profile", _pointer),
        ("stop", _pointer), ("reg_read", _pointer), ("mstatus", _u64), ("mie", _u64), ("masked", _u64),
        ("last_pc", _u64),
        ("low_pc", _u64), ("high_pc", _u64), ("number", _u64), ("mip", _u64), ("latch", _u64), ("wild", _u64),
        ("marks", _pointer), ("marked", _u64), ("resumed", _u64), ("first", _u64), ("touched", _u64),
        ("rolled_back", _u64), ("stack_pointer", _u64), ("context_save", _pointer),
        ("context", _pointer), ("clock", _pointer), ("first_register", _u64), ("reg_read_batch", _pointer),
        ("loop", LoopState), ("idle", IdleLoopState),
    ]  # fmt: skip


class IdleSpiState(ctypes.Structure):
    """`struct idle_spi` of helper.c."""

    _fields_ = [
        ("registers", ctypes.c_uint32 * 1024), ("waiting", ctypes.c_uint32), ("sent", ctypes.c_uint32),
        ("cpu_hertz", _u64), ("spi_hertz", _u64),
    ]  # fmt: skip


class _IdlePort(ctypes.Structure):
    """`struct idle_port` of helper.c."""

    _fields_ = [("spi", _pointer), ("hart", _pointer)]


# What of a hart's state a saved machine keeps; the rest are addresses of this process.
KEPT = ("count", "deadline", "masked", "last_pc", "low_pc", "high_pc", "mip", "latch", "wild", "resumed")


@cache
def library() -> ctypes.CDLL | None:
    """helper.c, compiled; None where that is not possible."""
    source = b"".join(_SOURCE.with_name(part).read_bytes() for part in _PARTS)
    name = hashlib.sha256(source + " ".join(_FLAGS).encode()).hexdigest()[:16]
    path = cache_dir() / "k210" / f"helper-{name}.so"
    try:
        if not path.is_file() and not _compile(path):
            return None
        return ctypes.CDLL(str(path))
    except OSError:
        return None


def _compile(path: Path) -> bool:
    named = os.environ.get(COMPILER)
    compiler = shutil.which(named if named is not None else "cc")
    if not compiler:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        command = [compiler, *_FLAGS, "-o", str(made), str(_SOURCE)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_COMPILER_SECONDS)
        except (subprocess.SubprocessError, OSError):
            return False
        made.replace(path)
    return True


class Engine:
    """What is asked of Unicorn so often that its binding takes longer than the answer."""

    def __init__(self, uc: Any, pc: int) -> None:
        from unicorn.unicorn_py3.unicorn import uclib

        # Not let go of Python's lock: every access to a device would have to get it back.
        library = ctypes.PyDLL(uclib._name)
        library.uc_emu_start.argtypes = _pointer, _u64, _u64, _u64, ctypes.c_size_t
        self._library, self._handle, self._pc_register = library, uc._uch, pc
        library.uc_reg_read.argtypes = _pointer, ctypes.c_int, _pointer
        self._pc = _u64()

    def run(self, start: int) -> int:
        """Run from an address until something stops it: Unicorn's status, 0 where all is well."""
        return self._library.uc_emu_start(self._handle, start, _NO_END, 0, 0)

    @property
    def pc(self) -> int:
        """The program counter."""
        self._library.uc_reg_read(self._handle, self._pc_register, ctypes.byref(self._pc))
        return self._pc.value

    def map(self, base: int, size: int, read: Callable[..., int], write: Callable[..., None]) -> tuple[Any, Any]:
        """Map registers that Python answers: read(engine, offset, width, None), write(engine, offset, width, value,
        None), which must not raise. What comes back must live as long as the engine."""
        callbacks = _READ(read), _WRITE(write)
        status = self._library.uc_mmio_map(
            self._handle, _u64(base), ctypes.c_size_t(size),
            ctypes.cast(callbacks[0], _pointer), None, ctypes.cast(callbacks[1], _pointer), None,
        )  # fmt: skip
        assert status == 0, f"uc_mmio_map: {status}"
        return callbacks


class FastCounter:
    """Counts the instructions of one Unicorn engine; `state.deadline` stops it."""

    def __init__(self, uc: Any, ram_address: int, number: int, clock: SharedClock) -> None:
        from unicorn import riscv_const
        from unicorn.unicorn_py3 import unicorn as binding

        self._binding, self._library = binding, library()
        self._cache = (ctypes.c_uint32 * (SIZE // 2))()
        self._clock = clock
        # What C functions are given must not be freed.
        self._ports: list[_IdlePort] = []
        self.state = HartState(
            ram=ram_address,
            cache=ctypes.addressof(self._cache),
            stop=ctypes.cast(binding.uclib.uc_emu_stop, _pointer).value,
            reg_read=ctypes.cast(binding.uclib.uc_reg_read, _pointer).value,
            mstatus=riscv_const.UC_RISCV_REG_MSTATUS,
            mie=riscv_const.UC_RISCV_REG_MIE,
            low_pc=NEVER,
            number=number,
            first=int(number == 0),
            stack_pointer=riscv_const.UC_RISCV_REG_X2,
            context_save=ctypes.cast(binding.uclib.uc_context_save, _pointer).value,
            clock=ctypes.addressof(clock),
            first_register=riscv_const.UC_RISCV_REG_X1,
            reg_read_batch=ctypes.cast(binding.uclib.uc_reg_read_batch, _pointer).value,
            idle=IdleLoopState(head=NEVER, patience=_IDLE_PATIENCE),
        )
        self._uc = uc
        context = _pointer()
        status = binding.uclib.uc_context_alloc(uc._uch, ctypes.byref(context))
        assert status == 0, f"uc_context_alloc: {status}"
        self.state.context = context
        status = binding.uclib.uc_hook_add(
            uc._uch, ctypes.byref(_u64()), ctypes.c_int(_HOOK_BLOCK),
            ctypes.cast(self._library.k210_block, _pointer), ctypes.cast(ctypes.byref(self.state), _pointer),
            _u64(1), _u64(0),
        )  # fmt: skip
        assert status == 0, f"uc_hook_add: {status}"

    def roll_back(self) -> int:
        """Put the registers back to before a jump in time that was too long; where to go on."""
        self.state.rolled_back = 0
        self._binding.uclib.uc_context_restore(self._uc._uch, _pointer(self.state.context))
        return self.state.loop.pc

    def __del__(self) -> None:
        self._binding.uclib.uc_context_free(_pointer(self.state.context))

    def map_csr_page(self, uc: Any, size: int) -> None:
        """Let C answer the CSR page at address 0."""
        self.map(uc, 0, size, self._library.k210_csr_read, self._library.k210_csr_write, self.state)

    def map_idle_spi(self, uc: Any, base: int, size: int, state: IdleSpiState) -> None:
        """Let C answer an SPI controller that has nothing on its bus."""
        port = _IdlePort(spi=ctypes.addressof(state), hart=ctypes.addressof(self.state))
        self._ports.append(port)
        self.map(uc, base, size, self._library.k210_idle_spi_read, self._library.k210_idle_spi_write, port)

    def map(self, uc: Any, base: int, size: int, read: Any, write: Any, state: ctypes.Structure) -> None:
        """Map registers that C functions answer."""
        user = ctypes.cast(ctypes.byref(state), _pointer)
        status = self._binding.uclib.uc_mmio_map(
            uc._uch, _u64(base), ctypes.c_size_t(size), ctypes.cast(read, _pointer), user,
            ctypes.cast(write, _pointer), user,
        )  # fmt: skip
        assert status == 0, f"uc_mmio_map: {status}"
