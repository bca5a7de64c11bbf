"""Emulated boards for host tools: a machine in a thread behind a pseudo-terminal, and a prompt without either."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from host_tools.closing import Closing
from host_tools.k210 import EmulatorError, Machine
from host_tools.prompt.repl import RaisedError
from tests.host_tools.k210.states import PatientSession
from tests.host_tools.k210.terminal import Terminal


class HostsPace:
    """Lets a machine's time stand still a second after the host's last byte, unless the host is said to wait.

    Programs take a host for gone that is silent for some seconds of theirs. A busy computer must not look like that.
    """

    SILENCE_SECONDS = 1.0
    LOOK_SECONDS = 0.001

    def __init__(self, machine: Machine, over: Callable[[], bool]) -> None:
        """`over()`: nothing holds the machine any more. What feeds it is among its pollers already."""
        self._machine, self._over = machine, over
        self._feeding = list(machine.pollers)
        self._heard = machine.clock.seconds
        self._waits = 0
        machine.pollers.append(self._poll)

    @contextmanager
    def host_waits(self) -> Iterator[None]:
        """Within it time passes: the host is there and listens."""
        self._waits += 1
        try:
            yield
        finally:
            self._waits -= 1
            self._heard = self._machine.clock.seconds

    def _poll(self) -> None:
        now = self._machine.clock.seconds
        while True:
            if self._machine.serial.waiting:
                self._heard = now
            if self._waits or self._over() or now <= self._heard + self.SILENCE_SECONDS:
                return
            time.sleep(self.LOOK_SECONDS)
            for feed in self._feeding:
                feed()


class OnLine(Closing):
    """A machine that is on, and runs; `port` is what a host tool opens. The port goes when its power is cut."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._over = threading.Event()
        self._terminal = Terminal(machine)
        self.port = self._terminal.path
        self.pace = HostsPace(machine, self._over.is_set)
        self.failure: EmulatorError | None = None
        self._thread = threading.Thread(target=self._run, name="emulated board", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.machine.run(self._over.is_set)
        except EmulatorError as error:
            self.failure = error
        finally:
            self._terminal.close()

    def close(self) -> None:
        """Take it off the line, switched on; EmulatorError if it had failed."""
        self._over.set()
        self._thread.join()
        self.machine.pollers.clear()
        if self.failure is not None:
            raise self.failure


class InProcessPrompt:
    """What FlashFolder asks of a prompt, on a machine at its raw prompt, which this process runs step by step: no port.

    Where the power is cut meanwhile, WaitError says so.
    """

    port = "emulated board"

    def __init__(self, session: PatientSession) -> None:
        self.session = session

    def execute(self, source: str, *, seconds: float, line: Callable[[str], None] | None = None) -> str:
        """Run a script: what it printed."""
        output, error = self.session.attempt(source)
        if error:
            raise RaisedError(self.port, error.strip().splitlines()[-1])
        return output.replace("\r\n", "\n")

    def put(self, path: str, data: bytes, progress: Callable[[int], None] | None = None) -> None:
        """Write a file."""
        self.execute(f"f=open({path!r},'wb')\nf.write({data!r})\nf.close()", seconds=0)
        if progress:
            progress(len(data))
