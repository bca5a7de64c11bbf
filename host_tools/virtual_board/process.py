"""A real MicroPython in a process of its own, that can be interrupted and never outlives its board."""

from __future__ import annotations

import importlib.util
import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from conversion import extras
from host_tools.errors import BoardError
from host_tools.virtual_board import protocol
from host_tools.virtual_board.protocol import Call, Error, HostChannel, Reply

MODULES = Path(__file__).with_name("modules")
# What the stand-ins themselves take, and the memory that on the board lies outside of MicroPython's heap: the firmware
# is left with what MaixPy's own heap would give it (a test measures that).
STAND_IN_BYTES = 1415 * 1024
# The unix MicroPython is a module of this Python. If the board's thread ends, however it ends, so does its process.
# MicroPython's own handler of SIGINT raises wherever the signal strikes, even in the garbage collector. This other
# signal does what a board's interrupt does: it leaves an exception for the interpreter to find between instructions.
_LAUNCHER = """
import ctypes, signal, sys
import micropython_run
libc = ctypes.CDLL(None)
libc.prctl(1, signal.SIGKILL)
libc.signal(signal.SIGUSR1, ctypes.CDLL(micropython_run.__file__).mp_sched_keyboard_interrupt)
sys.exit(micropython_run.run_main(sys.argv[1:]))
"""
# A program that makes no call for so long is interrupted by a signal.
_SIGNAL_AFTER = 0.05
# Only a machine that hangs takes so long to end a process that was killed.
_END_LIMIT = 60.0


@dataclass(frozen=True)
class Folders:
    """Where the board's file systems lie on the host."""

    flash: Path
    card: Path | None = None
    card_delay_ms: int = 0


class MicroPython:
    """One run of the interpreter, from power or soft reset to the next."""

    def __init__(self, folders: Folders, gc_heap_bytes: int, output: int, log: Path) -> None:
        """`output` is the file descriptor that takes what programs print; `log` the file for what they should not."""
        ours, theirs = protocol.socket_pair()
        command = [
            *(sys.executable, "-I", "-c", _LAUNCHER, "micropython"),
            *("-X", f"heapsize={gc_heap_bytes + STAND_IN_BYTES}"),
            *(str(MODULES / "_start.py"), str(theirs.fileno()), str(MODULES), str(folders.flash)),
            *(str(folders.card or "-"), str(folders.card_delay_ms), str(gc_heap_bytes)),
        ]
        with theirs, log.open("ab") as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, pass_fds=[theirs.fileno()], cwd="/"
            )
        self._channel = HostChannel(ours)
        self._poll = select.poll()
        self._number = ours.fileno()
        self._poll.register(self._number, select.POLLIN)
        self._asked_at = 0.0
        self._lock = threading.Lock()
        self._in_call = False
        self._interrupted_at: float | None = None

    def watch(self, printed: int) -> None:
        """Have receive() return for something to read from this file descriptor as well."""
        self._poll.register(printed, select.POLLIN)

    def receive(self, timeout: float) -> Call | None:
        """The next request, None after `timeout` seconds without; interrupts a program that makes none."""
        call = None
        if self._channel.ahead or self._number in dict(self._poll.poll(1000 * timeout)):
            call = self._channel.receive(timeout)
        if call is not None:
            self._asked_at = self._processor_seconds()
        with self._lock:
            self._in_call = call is not None
            due = self._interrupted_at is not None and time.monotonic() - self._interrupted_at > _SIGNAL_AFTER
            if due and not self._in_call:
                self._interrupted_at = None
                self._process.send_signal(signal.SIGUSR1)
        return call

    def reply(self, call: Call, reply: Reply, error: Error | None = None) -> None:
        """Answer a request. An interrupt that came meanwhile is raised as the call returns, as on the board."""
        with self._lock:
            interrupt = self._interrupted_at is not None and error is None
            if interrupt:
                self._interrupted_at = None
            self._in_call = False
        self._channel.reply(call, reply, error, interrupt)

    def interrupt(self) -> None:
        """Ctrl-C, from any thread. As on the board a second one, while the first waits for a call, cancels it."""
        with self._lock:
            waiting = self._interrupted_at is not None
            self._interrupted_at = None if waiting and self._in_call else time.monotonic()

    @property
    def busy_seconds(self) -> float:
        """How long it has computed since its last request, in seconds of this machine's processor."""
        return self._processor_seconds() - self._asked_at

    def _processor_seconds(self) -> float:
        try:
            # Linux: the number of another process's clock.
            return time.clock_gettime(~self._process.pid << 3 | 2)
        except OSError:
            # It has just ended, which the next receive() finds.
            return self._asked_at

    def forget_interrupt(self) -> None:
        """The program that was to be interrupted has ended."""
        with self._lock:
            self._interrupted_at = None

    @property
    def interrupted(self) -> bool:
        """Whether an interrupt waits."""
        return self._interrupted_at is not None

    def stop(self) -> int | None:
        """End the process; its exit code."""
        self._process.kill()
        code = self._process.wait(_END_LIMIT)
        self._channel.close()
        return code

    def exit_code(self) -> int | None:
        """The exit code of a process that has hung up."""
        try:
            return self._process.wait(_END_LIMIT)
        except subprocess.TimeoutExpired:
            return None


def demand_micropython() -> None:
    """BoardError where there is no MicroPython to be the board's."""
    if importlib.util.find_spec("micropython_run") is None:
        raise BoardError(f"the virtual board's MicroPython is not installed: {extras.advice('board')}")
