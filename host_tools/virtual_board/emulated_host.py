"""A host in the emulated board's own time: what `monitor` says to a board, at moments that no busy computer moves.

The tools' own Link lives in real time, of which an emulated board needs a varying multiple: it would ask several times
as often as at a real board. What is said here is what a monitor with its defaults says; a test compares both.
"""

from __future__ import annotations

from collections.abc import Callable

from host_tools.errors import BoardError
from host_tools.k210 import Machine, WaitError
from host_tools.serial_link import CHANGE_SECONDS, PING_SECONDS, RATES, Decoder, Event, Hello, Reply, sentences

# Of the board's time, and of real time for that.
_ANSWER_SECONDS, _REAL_SECONDS = 10.0, 600.0


class EmulatedHost:
    """Who is at the other end of a machine's line; it only listens until `attach`. `events` are what it has heard."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.events: list[Event | Reply] = []
        self._decoder = Decoder()
        self._line = bytearray()
        self._id = 0
        machine.serial.on_sent = self._take

    def _take(self, data: bytes) -> None:
        self._line += data
        if data.endswith(b"\n"):
            self.events += self._decoder.feed(bytes(self._line), self.machine.clock.seconds)
            self._line.clear()

    @property
    def hello(self) -> Hello | None:
        """The last Hello that came."""
        return self._decoder.hello

    def wait(self, until: Callable[[], bool], seconds: float) -> None:
        """Run the board until something is so; WaitError, with what it said last, after so many seconds of its time."""
        try:
            self.machine.run(until, seconds=seconds, real_seconds=_REAL_SECONDS)
        except WaitError as error:
            said = " | ".join(self.machine.serial.last_words.splitlines()) or "nothing"
            raise WaitError(f"{error}; the board's last words: {said}") from error

    def attach(self) -> None:
        """Greet the board, raise the line to the first of the tools' rates, and keep it up from now on."""
        self.ask("HELLO")
        self.ask("BAUD", RATES[0])
        self.machine.run_for(CHANGE_SECONDS)
        self.ask("PING")
        self._keep_up()
        self.ask("SETTINGS")

    def ask(self, kind: str, *fields: int | None) -> int:
        """Send a sentence and wait for its reply's value; BoardError where the board refuses."""
        begin, number = len(self.events), self._send(kind, *fields)

        def reply() -> Reply | None:
            found = (event for event in self.events[begin:] if isinstance(event, Reply) and event.id == number)
            return next(found, None)

        self.wait(lambda: reply() is not None, _ANSWER_SECONDS)
        answer = reply()
        if answer.status:
            raise BoardError(f"the board answers {kind} with: {answer.text}")
        return answer.value

    def _send(self, kind: str, *fields: int | None) -> int:
        self._id += 1
        self.machine.serial.feed(sentences.made(kind, self._id, *fields))
        return self._id

    def _keep_up(self) -> None:
        clock = self.machine.clock
        clock.after(clock.cycles_of(PING_SECONDS), self._ping)

    def _ping(self) -> None:
        self._send("PING")
        self._keep_up()
