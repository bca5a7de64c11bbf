"""The process that holds a board's serial port while its prompt is used, commanded by repl.py.

Usage: python -m host_tools.prompt.worker PORT [WIRING]. Commands on stdin, events on stdout, a JSON
object a line. It ends when stdin does, whatever it is doing: nothing of it outlives the one who started it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport
from serial import Serial, SerialException

from conversion import processes
from host_tools import time_limits
from host_tools.prompt.exchange import CTRL_C, RAW_PROMPT, Exchange, ExchangeError, pieces
from host_tools.serial_link import BAUD, Heard, Wanted, diagnosis, ports

ENTER_RAW, LEAVE_RAW = b"\r\x01", b"\r\x02"
FRIENDLY_PROMPT = b">>> "
# MaixPy waits 200 ms for a Ctrl-C after it has said this. Several, since one that was sent before may wait still.
STARTED = b"init end"
STARTED_TIMES, STARTED_PAUSE = 3, 0.06
# Between two Ctrl-C: a second one takes the first back if a call was still under way, so no fixed rhythm.
PAUSES = (0.4, 0.7, 1.1, 0.5, 1.6, 0.3)
ANSWER_SECONDS = 0.3
QUIET_SECONDS = 0.15
CLOSE_SECONDS = 1.0
# So often only our own keys may come back before it is said.
ECHOED_TRIES = 2
# After this share of the time the board's reset line is pulled, or its user is asked to press the key.
HELP_AFTER = 0.2
# Of a file the board gathers so many pieces in its memory, then writes them at once: 17,500 bytes are 288 page programs
# and no erasure then, 672 and 4 in pieces of 1 KiB (MaixPy v0.6.2 on the emulated chip).
GATHERED_PIECES = 32
_WRITE_GATHERED = "f.write(taken())"
# Typed by who goes away in the middle of something: out of whatever the board is in, and its program starts again.
_ABANDON = CTRL_C + CTRL_C + LEAVE_RAW + b"\r\nimport machine\r\nmachine.reset()\r\n"
_ABANDON_SECONDS = 0.5
# What a board reads is over when it has read it: short reads, so that it is seen as it comes.
_READ_SECONDS = 0.05

Emit = Callable[..., None]


class Holder:
    """The port, and what can be done with it. Events go out through `emit(event, **fields)`."""

    def __init__(self, port: str, wiring: str | None, emit: Emit) -> None:
        self._emit = emit
        self._wiring = wiring
        self._transport = SerialTransport(port, BAUD, timeout=_READ_SECONDS)
        # Its own exchange of commands is not used (exchange.py says why), nor its close(), whose order of DTR and RTS
        # resets boards, nor enter_raw_repl(), whose limits know nothing of slow boards.
        self._port = self._transport.serial
        if isinstance(self._port, Serial):
            # What nobody takes must have an end.
            self._port.write_timeout = time_limits.WRITE.seconds
        self._exchange = Exchange(self._port, self._tell_damage)
        self._heard = Heard(port, BAUD, ports.siblings(port))
        self._stopping = False
        self.listening = False

    def _tell_damage(self) -> None:
        self._emit("damage")

    def stop(self, seconds: float) -> None:
        """Ctrl-C until the raw prompt answers; `silent` with what was heard where it does not within `seconds`."""
        self._stopping = True
        began = time.monotonic()
        helped = False
        attempt = 0
        while not self._try_to_stop(PAUSES[attempt % len(PAUSES)]):
            attempt += 1
            passed = time.monotonic() - began
            # Where nothing but our own keys comes back, again and again, there is no board.
            only_keys = bool(self._heard.bytes) and set(self._heard.tail) <= set(CTRL_C + ENTER_RAW)
            if passed > seconds or (only_keys and attempt >= ECHOED_TRIES):
                self._heard.echoes = int(only_keys)
                self._stopping = not only_keys
                self._emit("failed", kind="silent", text=diagnosis.explain(self._heard, Wanted.PROMPT))
                return
            if passed > HELP_AFTER * seconds and not helped:
                helped = True
                self._help()
        self._transport.in_raw_repl, self._stopping = True, False
        self._emit("done")

    def _try_to_stop(self, pause: float) -> bool:
        """One Ctrl-C, and a look whether the REPL is there."""
        self._port.write(CTRL_C)
        self._listen(pause, FRIENDLY_PROMPT)
        self._port.write(ENTER_RAW)
        if not self._listen(ANSWER_SECONDS, RAW_PROMPT):
            return False
        # What was typed ahead may bring more prompts.
        while self._listen(QUIET_SECONDS, RAW_PROMPT):
            pass
        return self._heard.tail.endswith(RAW_PROMPT)

    def _listen(self, seconds: float, wanted: bytes) -> bool:
        """Whether what comes within `seconds` ends like this. A board that starts meanwhile is interrupted in time."""
        deadline = time.monotonic() + seconds
        fresh = bytearray()
        while time.monotonic() < deadline:
            data = self._port.read(max(1, self._port.in_waiting))
            fresh += data
            self._heard.add(data)
            if data and STARTED in fresh[-len(data) - len(STARTED) :]:
                self._interrupt_start()
                fresh.clear()
            if fresh.endswith(wanted):
                return True
        return False

    def _interrupt_start(self) -> None:
        for _ in range(STARTED_TIMES):
            self._port.write(CTRL_C)
            time.sleep(STARTED_PAUSE)

    def _help(self) -> None:
        """The board does not listen: reset it, if that can be done from here."""
        if self._wiring and ports.pulse_reset(self._port, self._wiring):
            self._emit("talk", text="the board does not listen to Ctrl-C, so it was reset through DTR and RTS")
        else:
            self._emit("talk", text="the board does not listen to Ctrl-C: press its RESET key now")

    def execute(self, source: str) -> None:
        """Run a script; its lines as they come, then the whole of what it printed."""
        printed = self._exchange.run(source, lambda line: self._emit("line", text=line))
        self._emit("done", text=printed)

    def put(self, path: str, data: str) -> None:
        """Write a file, `data` in base64; `progress` with each piece's bytes.

        The board gathers pieces before it writes them: SPIFFS programs whole sectors again for each small write.
        """
        self._exchange.run(f"f=open({path!r},'wb')")
        for number, piece in enumerate(pieces(base64.b64decode(data)), 1):
            self._exchange.give(piece)
            if number % GATHERED_PIECES == 0:
                self._exchange.run(_WRITE_GATHERED)
            self._emit("progress", bytes=len(piece))
        self._exchange.run(f"{_WRITE_GATHERED}\nf.close()")
        self._emit("done")

    def restart(self) -> None:
        """Reset the chip; from then on hear() is to be called, and nothing else but close()."""
        heard = self._exchange.begin_reset()
        self._transport.in_raw_repl = False
        self.listening = True
        self._emit("done")
        self._emit("bytes", data=base64.b64encode(heard).decode())

    def hear(self) -> None:
        """Send out what the board says, for a moment."""
        # What fails once would fail for ever.
        self.listening = False
        data = self._port.read(max(1, self._port.in_waiting))
        if data:
            self._emit("bytes", data=base64.b64encode(data).decode())
        self.listening = True

    def abandon(self) -> None:
        """Nobody waits any more for what was begun: have the board's program start again, if its prompt was reached."""
        if not (self._transport.in_raw_repl or (self._stopping and self._heard.bytes)):
            return
        with contextlib.suppress(OSError):
            self._port.write(_ABANDON)
            # The system sends the rest; no longer than this, since somebody may wait for the end of this process.
            time.sleep(_ABANDON_SECONDS)

    def close(self) -> None:
        """Leave the friendly prompt behind, and end."""
        with contextlib.suppress(OSError):
            if self._transport.in_raw_repl:
                self._transport.exit_raw_repl()
                # What is closed too early may lose what has not left yet.
                self._listen(CLOSE_SECONDS, FRIENDLY_PROMPT)
        with contextlib.suppress(OSError):
            self._port.close()
        # Not sys.exit(): the thread that reads stdin still waits.
        os._exit(0)


def _commands(at_end: Callable[[], None]) -> queue.Queue[dict]:
    """The commands that come in; after the end of stdin `at_end` is called and the process ends."""
    waiting: queue.Queue[dict] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            waiting.put(json.loads(line))
        at_end()
        os._exit(0)

    threading.Thread(target=read, name="commands", daemon=True).start()
    return waiting


def _obey(holder: Holder, command: dict, emit: Emit) -> None:
    """Carry out one command; what goes wrong becomes an event."""
    try:
        getattr(holder, command.pop("do"))(**command)
    except ExchangeError as error:
        emit("failed", kind=error.kind, text=str(error))
    except (SerialException, OSError) as error:
        emit("failed", kind="lost", text=str(error))


def _own_stdout() -> TextIO:
    """The real stdout, for events alone."""
    events = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout = sys.stderr
    return events


def main() -> None:
    """Obey until stdin ends."""
    # Ctrl-C on the terminal, and its end, are for the one who started this.
    processes.leave_terminal()
    events = _own_stdout()

    def emit(event: str, **fields: object) -> None:
        events.write(json.dumps({"event": event, **fields}) + "\n")
        events.flush()

    port, wiring = sys.argv[1], (sys.argv[2:] or [None])[0]
    try:
        holder = Holder(port, wiring, emit)
    except (TransportError, SerialException, OSError, ValueError) as error:
        emit("failed", kind="port", text=str(error))
        return
    commands = _commands(holder.abandon)
    emit("done")
    while True:
        idle = holder.listening and commands.empty()
        _obey(holder, {"do": "hear"} if idle else commands.get(), emit)


if __name__ == "__main__":
    main()
