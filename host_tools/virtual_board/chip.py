"""The board's life: power, boot, programs, REPL, soft and hard resets; one thread from power-on to the end."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

from host_tools.errors import BoardError
from host_tools.virtual_board import devices as board
from host_tools.virtual_board.clock import Over
from host_tools.virtual_board.devices import Devices
from host_tools.virtual_board.emulation import Emulation
from host_tools.virtual_board.picture_services import CameraServices, ImageServices, LcdServices
from host_tools.virtual_board.process import MicroPython
from host_tools.virtual_board.protocol import Call, ChannelClosedError, Error, RaisedError, Reply
from host_tools.virtual_board.repl import Repl, Run, SoftReset
from host_tools.virtual_board.services import ChipCrashError, ChipResetError, ChipServices
from host_tools.virtual_board.uart import CTRL_C, NO_INTERRUPT

VERSION = "v0.6.3-2-gd8901fd22 on 2024-06-17"
BANNER = f'MicroPython {VERSION}; Sipeed_M1 with kendryte-k210\r\nType "help()" for more information.\r\n'.encode()
# What the chip says before MicroPython runs, and what it says of MicroPython's heap.
POWER_ON_LOG = """\
[MAIXPY] Pll0:freq:806000000
[MAIXPY] Pll1:freq:398666666
[MAIXPY] Pll2:freq:45066666
[MAIXPY] cpu:freq:403000000
[MAIXPY] kpu:freq:398666666
[MAIXPY] Flash:0xef:0x17"""
_HEAP_LOG = "[MaixPy] gc heap={start:#x}-{end:#x}({size})"
_CACHED_RAM = 0x80000000
# How often a program that makes no call is looked at, in seconds.
_POLL = 0.02


class Job(IntEnum):
    """The jobs of modules/_start.py."""

    EXIT = 0
    BOOT = 1
    FILE = 2
    SINGLE = 3
    SOURCE = 4


class Status(IntEnum):
    """How a job ends."""

    DONE = 0
    FAILED = 1
    LEFT = 2


class _ClosedError(Exception):
    """The board is switched off."""


class _DownloadError(Exception):
    """The program ends because the chip was reset into download mode."""


class Chip:
    """Runs until close()."""

    def __init__(self, devices: Devices, log: Path, emulation: Emulation | None = None) -> None:
        """`log` is the file for what the stand-in's MicroPython says; `emulation` runs firmware that is real."""
        self._emulation = emulation
        self._devices = devices
        self._log = log
        self._repl = Repl(BANNER)
        self._services = {
            name: service
            for kind in (ChipServices, CameraServices, LcdServices, ImageServices)
            for name, service in kind(devices).table().items()
        }
        self._python: MicroPython | None = None
        self._waiting: Call | None = None
        self._closing = threading.Event()
        self._reset = threading.Event()
        self._clock = devices.clock
        devices.stirred = self._stirred
        self.failure: str | None = None
        self.heap_free_at_start = 0
        self._thread = threading.Thread(target=self._live, name="chip", daemon=True)

    def start(self) -> None:
        """Switch the power on."""
        self._thread.start()

    def reset(self) -> None:
        """The reset button."""
        self._reset.set()
        self._clock.hear()

    def interrupt(self) -> None:
        """Ctrl-C on the line while a program runs."""
        if self._python is not None:
            self._python.interrupt()
            self._clock.wake()

    def close(self) -> None:
        """Switch the power off."""
        self._closing.set()
        self._clock.stop()
        if self._thread.ident is not None:
            self._thread.join()

    def _live(self) -> None:
        try:
            self._power_on(board.POWER_ON)
            while True:
                self._live_until_reset()
        except _ClosedError:
            pass
        except BoardError as error:
            self.failure = str(error)
            self._devices.tell(self.failure)
        except Exception:  # noqa: BLE001 - a thread's failure, for wait_for() and close() to raise
            self.failure = f"the virtual board failed, which is its own fault: {traceback.format_exc()}"
            self._devices.tell(self.failure)

    def _live_until_reset(self) -> None:
        """From one start of the interpreter to the next."""
        try:
            if self._emulation is not None and self._emulation.chosen:
                self._emulation.run(self._stirred)
                self._look_around()
            else:
                self._session()
        except ChipResetError as reset:
            self._power_on(reset.cause)
        except _DownloadError:
            self._end_python()
            self._power_on(board.POWER_ON)
        except ChipCrashError as crash:
            self._devices.print(str(crash))
            self._hang()
        except ChannelClosedError:
            self._devices.tell(f"MicroPython ended with exit code {self._python.exit_code()}; see {self._log}")
            self._hang()
        finally:
            self._end_python()

    def _power_on(self, cause: int) -> None:
        self._reset.clear()
        self._download()
        self._devices.power_on()
        self._devices.reset_cause = cause
        self._repl.power_off()
        if self._emulation is None or not self._emulation.choose():
            self._devices.print(POWER_ON_LOG.replace("\n", "\r\n"))

    def _download(self) -> None:
        """Wait while the ROM has the line: until a reset finds a firmware in flash."""
        rom = self._devices.rom
        if not rom.active:
            rom.restart()
        while rom.active:
            self._clock.wait(None, lambda: rom.over or self._reset.is_set() or self._closing.is_set())
            if self._closing.is_set():
                raise _ClosedError
            if self._reset.is_set():
                self._reset.clear()
                rom.restart()
            rom.leave()

    def _hang(self) -> None:
        """Do nothing until the reset button."""
        rom = self._devices.rom
        self._clock.wait(None, lambda: rom.active or self._reset.is_set() or self._closing.is_set())
        if self._closing.is_set():
            raise _ClosedError
        self._power_on(board.POWER_ON)

    def _end_python(self) -> None:
        if self._python is not None:
            self._python.stop()
            self._python = None
            self._devices.console.drain()

    def _session(self) -> None:
        """Boot, run boot.py and main.py, then the REPL; returns for a soft reset."""
        devices = self._devices
        start = _CACHED_RAM + devices.hardware.build.image_bytes
        devices.print(_HEAP_LOG.format(start=start, end=start + devices.gc_heap_bytes, size=devices.gc_heap_bytes))
        self._python = MicroPython(devices.folders, devices.gc_heap_bytes, devices.console.output, self._log)
        self._python.watch(devices.console.printed)
        self._waiting, _ = self._serve()
        self.heap_free_at_start = self._waiting.numbers[1]
        if self._program(Job.BOOT, b"") is Status.DONE:
            self._program(Job.FILE, b"boot.py")
            if not self._repl.raw:
                self._program(Job.FILE, b"main.py")
        self._say(self._repl.start())
        while (run := self._read()) is not None:
            _, raised = self._job(Job.SINGLE if run.single else Job.SOURCE, run.source)
            self._say(self._repl.finished(raised))
        for _ in range(devices.models.unload_all(devices.heap)):
            devices.print("kpu_net __del__")
        devices.print("[MaixPy]: soft reboot")

    def _say(self, data: bytes) -> None:
        self._devices.console.write(data)

    def _program(self, job: Job, data: bytes) -> Status:
        """Run a program whose traceback is printed as it comes."""
        status, raised = self._job(job, data)
        if raised:
            self._say(raised)
        return status

    def _read(self) -> Run | None:
        """Let the REPL read until there is something to run; None for a soft reset."""
        while True:
            self._pass(None, self._devices.uart.waiting)
            byte = self._devices.uart.take(1)
            if not byte:
                continue
            echo, wanted = self._repl.feed(byte)
            if echo:
                self._say(echo)
            if isinstance(wanted, SoftReset):
                return None
            if wanted:
                return wanted

    def _job(self, job: Job, data: bytes) -> tuple[Status, bytes]:
        """Have MicroPython do a job; how it ended, and its traceback with the line ends of a UART."""
        uart = self._devices.uart
        uart.interrupt_byte = CTRL_C
        self._python.reply(self._waiting, Reply((int(job),), data))
        self._waiting, raised = self._serve()
        uart.interrupt_byte = NO_INTERRUPT
        self._python.forget_interrupt()
        return Status(self._waiting.numbers[0]), raised.replace(b"\n", b"\r\n")

    def _serve(self) -> tuple[Call, bytes]:
        """Answer requests until MicroPython asks for its next job: that request, and the job's traceback."""
        raised = b""
        while True:
            call = self._python.receive(_POLL)
            self._devices.console.drain()
            self._look_around()
            if call is None:
                self._clock.compute(self._python.busy_seconds, self._devices.watchdog)
            elif call.name == "next":
                return call, raised
            elif call.name == "traceback":
                raised = call.data
                self._python.reply(call, Reply())
            else:
                self._answer(call)

    def _pass(self, until: int | None, over: Over) -> None:
        """Let time pass until a moment or `over()`, but not past what the board cannot pass over."""
        moments = [moment for moment in (until, self._devices.watchdog) if moment is not None]
        self._clock.wait(min(moments, default=None), lambda: bool(over()) or self._stirred())
        self._look_around()

    def _stirred(self) -> bool:
        """Whether something from outside ends what the processor waits for."""
        if self._closing.is_set() or self._reset.is_set() or self._devices.rom.active:
            return True
        return self._python is not None and self._python.interrupted

    def _look_around(self) -> None:
        """Whether the power, the button or the watchdog want something."""
        if self._closing.is_set():
            raise _ClosedError
        if self._reset.is_set():
            raise ChipResetError(board.POWER_ON)
        if self._devices.rom.active:
            raise _DownloadError
        due = self._devices.watchdog
        if due is not None and self._clock.now() >= due:
            raise ChipResetError(board.WATCHDOG)

    def _answer(self, call: Call) -> None:
        self._devices.spend(self._clock.call_us)
        try:
            reply = self._service(call.name)(call.data, *call.numbers)
        except RaisedError as raised:
            if isinstance(raised.what, int):
                self._python.reply(call, Reply((raised.what,)), raised.error)
            else:
                self._python.reply(call, Reply(data=raised.what.encode()), raised.error)
        else:
            self._python.reply(call, reply)

    def _service(self, name: str) -> Callable[..., Reply]:
        if name == "sleep":
            return self._sleep
        if name not in self._services:
            raise RaisedError(Error.NOT_IMPLEMENTED, f"{name}: not on the virtual board")
        return self._services[name]

    def _sleep(self, data: bytes, microseconds: int, *_: int) -> Reply:
        """Wait, or return at once when the program is interrupted."""
        end = self._clock.now() + microseconds
        while self._clock.now() < end and not self._python.interrupted:
            self._pass(end, lambda: False)
        return Reply()
