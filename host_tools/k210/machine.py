"""The whole board with its K210: put together, powered, run, reset, cut off, saved and brought back."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

from host_tools.k210 import boot, crash, wiring
from host_tools.k210.blocks.clint import HARTS
from host_tools.k210.bus import Bus
from host_tools.k210.chip import Chip
from host_tools.k210.engine.clock import CYCLES_PER_INSTRUCTION, Clock
from host_tools.k210.engine.hart import Hart
from host_tools.k210.engine.memory import Memory
from host_tools.k210.errors import CrashError, EmulatorError, WaitError
from host_tools.k210.kpu import sums
from host_tools.k210.notes import Notes
from host_tools.k210.parts.image_sensor import Scene
from host_tools.k210.requirements import require
from host_tools.k210.statistics import Statistics

# Instructions of a turn of hart 0 while hart 1 has nothing to do, and of each hart while both work.
_SLICE, SHARED_SLICE, _SPINNING_SLICE = 100_000, 5_000, 400
# g_wake_up[1] of the SDK's entry code: the flag by which hart 0 lets hart 1 go.
_WAKE_WORD = 0x10
# After a crash the firmware prints what it knows of it; then nothing more comes.
_LAST_WORDS_SECONDS = 0.25
# Real time is looked at once in so many slices.
_LOOK_SLICES = 16


class Ended(Enum):
    """Why a run has ended."""

    UNTIL = "what was waited for has come"
    STOPPED = "somebody stopped it"
    POWER_CUT = "the power was cut"


class Machine(Chip):
    """A board. It is off until `power_on`; `run` lets it work.

    `serial` is the REPL's UART, `lcd` None on boards without, `flash` the flash chip, `clock` the emulated time.
    """

    def __init__(
        self,
        firmware: bytes | None = None,
        *,
        flash: Path | bytes | None = None,
        board: str = wiring.DEFAULT_BOARD,
        camera: Scene | None = None,
        sd: Path | None = None,
        cycles_per_instruction: Fraction | float = CYCLES_PER_INSTRUCTION,
        time_model: sums.TimeModel = sums.cycles,
        camera_rate: Fraction | int = 30,
        stop_at_unmodelled: bool = False,
    ) -> None:
        """`firmware` (a .bin as published) is put into flash at address 0, as kflash does; without it whatever is in
        `flash` is started. `camera` is what the sensor looks at, a picture with a gradient where None."""
        require()
        self.wiring = wiring.of(board)
        self.clock = Clock(cycles_per_instruction)
        self.memory = Memory()
        self.notes = Notes()
        self._stop_at_unmodelled = stop_at_unmodelled
        self.bus = Bus(self, flash, camera, sd, time_model, Fraction(camera_rate))
        # Made when the chip starts, anew each time: an engine keeps translated code.
        self.harts: list[Hart] = []
        self.firmware = b""
        self.powered = False
        self.resets = 0
        self._restart_reason: int | None = None
        self._stopping = False
        self._crash: crash.Crash | None = None
        self._crash_until = 0
        self.statistics = Statistics()
        # Called between slices: terminals and whoever else lives in real time.
        self.pollers: list[Callable[[], None]] = []
        self._connect()
        if firmware is not None:
            boot.put(self.flash, firmware)

    def _connect(self) -> None:
        """Tie together what a saved machine does not keep."""
        self.clock.interrupt_slice = self._end_slice
        self.clock.on_wait = self._wait
        self.flash.on_cut = self._cut_power
        for hart in self.harts:
            hart.on_run = self._running

    # --- the parts that users touch ------------------------------------------------------------------------------

    @property
    def serial(self) -> Any:
        """The UART of the REPL: feed(bytes), on_sent, baud, byte_cycles, overruns."""
        return self.bus.uarths

    @property
    def flash(self) -> Any:
        """The flash chip: data, read, put, programs, erases."""
        return self.bus.flash

    @property
    def lcd(self) -> Any:
        """The LCD: picture(), pictures; None on a board without one."""
        return self.bus.lcd

    @property
    def kpu(self) -> Any:
        """The KPU: layers, busy_microseconds."""
        return self.bus.kpu

    def look_at(self, scene: Scene) -> None:
        """Turn the camera to another scene."""
        for sensor in self.bus.dvp.sensors:
            sensor.scene = scene

    # --- power ---------------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """Begin as after power was connected; NoFirmwareError where the ROM would wait for a download."""
        self.memory.clear()
        self.bus.power_on()
        self._start()
        self.powered = True

    def power_off(self) -> None:
        """Take power away at once."""
        self.powered = False
        self._stopping = True

    def power_cut(self, operation: int, done: float = 0.5) -> None:
        """Cut the power at a flash operation (1 is the next program or erase), when that share of it is done."""
        from host_tools.k210.parts.spi_flash import Cut

        if operation < 1 or not 0 <= done <= 1:
            raise EmulatorError(f"power cut at operation {operation}, {done} of it done: from 1 on, and 0 to 1")
        self.flash.cut = Cut(operation, done)

    def _cut_power(self) -> None:
        self.powered = False
        self._end_slice()

    def reset(self, reason: int | None = None) -> None:
        """What the board's reset key does, or the chip itself for a reason; it takes effect in the next slice."""
        from host_tools.k210.blocks.sysctl import PIN_RESET

        self._restart_reason = PIN_RESET if reason is None else reason
        self._end_slice()

    def _start(self) -> None:
        """Load the firmware and let hart 0 begin with it."""
        self._restart_reason = None
        self._crash = None
        self.clock.forget()
        self.bus.reset()
        self.firmware = boot.load(self.flash, self.memory)
        counts = [hart.state.count for hart in self.harts]
        self.harts = [Hart(number, self.memory, self.clock, self.bus.regions) for number in range(HARTS)]
        for hart, count in zip(self.harts, counts, strict=False):
            hart.state.count = count
        self._current = self.harts[0]
        self._connect()
        self.clock.set_hertz(self.sysctl.cpu_hertz)
        self.statistics.attach(self.harts[0])

    # --- running -------------------------------------------------------------------------------------------------

    def run(
        self,
        until: Callable[[], bool] | None = None,
        *,
        seconds: float | None = None,
        real_seconds: float | None = None,
    ) -> Ended:
        """Run until until() is true, or stop(). WaitError when it has not come within so many emulated or real
        seconds; CrashError when the firmware has crashed. Between slices until() is asked, some thousand times a
        second."""
        if not self.powered:
            raise EmulatorError("the emulated board is off; switch it on first")
        self._stopping = False
        last = self.clock.nanoseconds + int((seconds or 0) * 1e9)
        real_last = time.monotonic() + (real_seconds or 0)
        slices = 0
        while not (until and until()):
            if self._stopping:
                return Ended.STOPPED
            if seconds is not None and self.clock.nanoseconds >= last:
                raise WaitError(f"nothing came in {seconds:g} s of the emulated board's time")
            slices += 1
            if real_seconds is not None and not slices % _LOOK_SLICES and time.monotonic() > real_last:
                raise WaitError(f"nothing came in {real_seconds:g} s of real time; the host may be busy")
            self.step()
            if not self.powered:
                return Ended.POWER_CUT
        return Ended.UNTIL

    def run_for(self, seconds: float) -> Ended:
        """Run for so long of the emulated board's time."""
        last = self.clock.cycles + self.clock.cycles_of(seconds)
        # An event, so that a slice ends there.
        self.clock.at(last, self._end_slice, keep=True)
        return self.run(lambda: self.clock.cycles >= last)

    def stop(self) -> None:
        """End the run that is under way, after its slice."""
        self._stopping = True
        self._end_slice()

    def step(self) -> None:
        """One slice of each hart, and what is due by its end."""
        if self._restart_reason is not None:
            self._restart()
        first, second = self.harts
        for poll in self.pollers:
            poll()
        first.take_interrupt()
        if second.started:
            second.take_interrupt()
        now = self.clock.cycles
        second_idle = second.idle(now) or second.spinning
        self.clock.shared.may_skip = int(second_idle)
        length = self._slice(second_idle)
        if first.idle(now):
            self._pass_idle_time(now, length)
        else:
            first.run(length)
            self.statistics.look(self.clock)
        self._run_second(second, now, length)
        self.clock.run_due()
        self._look_for_faults()
        if self._pending_error is not None:
            error, self._pending_error = self._pending_error, None
            raise error

    def _cycles(self, instructions: int) -> int:
        shared = self.clock.shared
        return instructions * shared.numerator // shared.denominator

    def _instructions(self, cycles: int) -> int:
        shared = self.clock.shared
        return cycles * shared.denominator // shared.numerator

    def _slice(self, idle: bool) -> int:
        """Instructions of hart 0 until the next event at most."""
        shared = self.clock.shared
        cycles = self.clock.until_next(self._cycles(_SLICE if idle else SHARED_SLICE))
        return max(1, -(-cycles * shared.denominator // shared.numerator))

    def _pass_idle_time(self, now: int, length: int) -> None:
        """Hart 0 has nothing to do: time passes to the next event, or as far as hart 1 comes meanwhile."""
        cycles = self._cycles(length)
        if self.harts[0].sleeps_until > now:
            cycles = min(cycles, self.harts[0].sleeps_until - now)
        self.clock.skip(max(1, cycles))

    def _run_second(self, second: Hart, now: int, length: int) -> None:
        if not second.started:
            second.started = bool(self.bus.clint.msip[1]) or any(self.memory.data[_WAKE_WORD : _WAKE_WORD + 8])
            return
        if second.waiting:
            return
        if second.sleeps_until > now:
            # It wakes up within the slice: what is left of it is its own.
            length = self._instructions(self.clock.cycles - second.sleeps_until)
        elif second.spinning:
            length = min(length, _SPINNING_SLICE)
        if length <= 0:
            return
        ahead = second.run(length) - length
        if ahead > _SPINNING_SLICE:
            # It waited for a line (idle_spi.h), longer than its slice.
            second.sleeps_until = self.clock.cycles + self._cycles(ahead)
        second.look_if_spinning()

    def _wait(self, cycle: int) -> None:
        """The hart that is polling sleeps: at once where nobody else works, else in its next slices."""
        hart = self._current
        if hart is None or (not hart.number and self.clock.shared.may_skip):
            self.clock.pass_to(cycle)
        else:
            hart.sleeps_until = cycle
            hart.end_slice()
            if hart is not self.harts[0]:
                # Hart 0 may have far to go in one slice: it ends where the other one wakes up.
                self.clock.at(cycle, hart.end_slice)

    def _restart(self) -> None:
        reason = self._restart_reason
        self.resets += 1
        self._start()
        self.sysctl.reset_status = reason

    # --- crashes -------------------------------------------------------------------------------------------------

    def _look_for_faults(self) -> None:
        for hart in self.harts:
            if hart.state.wild:
                self.notes.add("memory at address 0 was used: a null pointer", hart.state.wild, self.clock.seconds)
                hart.state.wild = 0
            if hart.fault is not None:
                fault, hart.fault = hart.fault, None
                if self._crash is None:
                    self._crash = crash.Crash.of(hart, fault, self.memory)
                    self._crash_until = self.clock.cycles + self.clock.cycles_of(_LAST_WORDS_SECONDS)
                elif not hart.pc:
                    self._crash_until = 0
        if self._crash is not None and (self.clock.cycles >= self._crash_until or not self.harts[self._crash.hart].pc):
            found, self._crash = self._crash, None
            said = self.serial.last_words or "nothing"
            raise CrashError(found.line, f"{found.report}\nthe firmware's last words: {said}")

    # --- saving --------------------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "pollers": [], "statistics": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.statistics = Statistics()
        for hart in self.harts:
            hart.restore()
        self._connect()
        if self.harts:
            self.statistics.attach(self.harts[0])
