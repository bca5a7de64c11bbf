"""The process that holds a board's serial port while its prompt is used: mpremote's transport, commanded by repl.py.

Usage: python -m host_tools.prompt.worker PORT [WIRING]. Commands on stdin, events on stdout, a JSON
object a line. It ends when stdin does, whatever it is doing: nothing of it outlives the one who started it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport
from serial import SerialException

from host_tools import time_limits
from host_tools.serial_link import BAUD, Heard, Wanted, diagnosis, ports

CTRL_C, ENTER_RAW = b"\x03", b"\r\x01"
FRIENDLY_PROMPT, RAW_PROMPT = b">>> ", b"raw REPL; CTRL-B to exit\r\n>"
# MaixPy waits 200 ms for a Ctrl-C after it has said this. Several, since one that was sent before may wait still.
STARTED = b"init end"
STARTED_TIMES, STARTED_PAUSE = 3, 0.06
# Between two Ctrl-C: a second one takes the first back if a call was still under way, so no fixed rhythm.
PAUSES = (0.4, 0.7, 1.1, 0.5, 1.6, 0.3)
ANSWER_SECONDS = 0.3
QUIET_SECONDS = 0.15
# After this share of the time the board's reset line is pulled, or its user is asked to press the key.
HELP_AFTER = 0.2
# The board's receive ring holds 2 KiB and drops what is more, so no command is longer than that: however slow the
# board is, it has room for one. Bytes of a file or a script in one command, and the length of their Python text.
PIECE_BYTES, MOST_TEXT = 1024, 1600
# Of a file the board gathers so many pieces in its memory, then writes them at once: 17,500 bytes are 288 page programs
# and no erasure then, 672 and 4 in pieces of 1 KiB (MaixPy v0.6.2 on the emulated chip).
GATHERED_PIECES = 32
_WRITE_GATHERED = "f.write(b''.join(b))\nb=[]"
# What a script of ours prints has some hundred KB at most: the list of 16 MiB of flash, block by block.
MOST_PRINTED_BYTES = 4 * 1024 * 1024

Emit = Callable[..., None]


class Holder:
    """The port, and what can be done with it. Events go out through `emit(event, **fields)`."""

    def __init__(self, port: str, wiring: str | None, emit: Emit) -> None:
        self._emit = emit
        self._wiring = wiring
        self._transport = SerialTransport(port, timeout=time_limits.PROMPT_READ.seconds)
        # MicroPython 1.11 has no raw-paste mode; asking for it costs time.
        self._transport.use_raw_paste = False
        self._heard = Heard(port, BAUD, ports.siblings(port))
        self.listening = False

    def stop(self, seconds: float) -> None:
        """Ctrl-C until the raw prompt answers; `silent` with what was heard where it does not within `seconds`."""
        port = self._transport.serial
        port.timeout = 0.05
        began = time.monotonic()
        helped = False
        attempt = 0
        while not self._try_to_stop(PAUSES[attempt % len(PAUSES)]):
            attempt += 1
            passed = time.monotonic() - began
            if passed > seconds:
                # Where nothing but our own keys comes back, there is no board.
                self._heard.echoes = int(bool(self._heard.bytes) and set(self._heard.tail) <= set(CTRL_C + ENTER_RAW))
                self._emit("failed", kind="silent", text=diagnosis.explain(self._heard, Wanted.PROMPT))
                return
            if passed > HELP_AFTER * seconds and not helped:
                helped = True
                self._help()
        port.timeout = time_limits.PROMPT_READ.seconds
        self._transport.enter_raw_repl(soft_reset=False)
        self._emit("done")

    def _try_to_stop(self, pause: float) -> bool:
        """One Ctrl-C, and a look whether the REPL is there."""
        port = self._transport.serial
        port.write(CTRL_C)
        self._listen(pause, FRIENDLY_PROMPT)
        port.write(ENTER_RAW)
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
            data = self._transport.serial.read(max(1, self._transport.serial.in_waiting))
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
            self._transport.serial.write(CTRL_C)
            time.sleep(STARTED_PAUSE)

    def _help(self) -> None:
        """The board does not listen: reset it, if that can be done from here."""
        if self._wiring and ports.pulse_reset(self._transport.serial, self._wiring):
            self._emit("talk", text="the board does not listen to Ctrl-C, so it was reset through DTR and RTS")
        else:
            self._emit("talk", text="the board does not listen to Ctrl-C: press its RESET key now")

    def execute(self, source: str) -> None:
        """Run a script; its lines as they come, then the whole of what it printed."""
        printed, line = bytearray(), bytearray()

        def take(byte: bytes) -> None:
            if byte == b"\x04":
                return
            if len(printed) >= MOST_PRINTED_BYTES:
                raise TransportError(f"the board prints without end, more than {MOST_PRINTED_BYTES} bytes")
            printed.extend(byte)
            line.extend(byte)
            if byte == b"\n":
                self._emit("line", text=_text(line).rstrip("\n"))
                line.clear()

        self._transport.exec_raw_no_follow(self._sent_ahead(source))
        # No limit here: the one who waits has one, and ends this process.
        _, raised = self._transport.follow(None, take)
        if raised:
            raise TransportExecError(bytes(printed), raised.decode(errors="replace"))
        self._emit("done", text=_text(printed))

    def _sent_ahead(self, source: str) -> str:
        """A command that runs a script; a long script is on the board already when this returns."""
        if len(source.encode()) <= MOST_TEXT:
            return source
        self._transport.exec("_parts = []")
        for piece in _pieces(source.encode()):
            self._transport.exec(f"_parts.append({piece!r})")
        return "_parts = b''.join(_parts).decode()\nexec(_parts)\n"

    def put(self, path: str, data: str) -> None:
        """Write a file, `data` in base64; `progress` with each piece's bytes.

        The board gathers pieces before it writes them: SPIFFS programs whole sectors again for each small write.
        """
        self._transport.exec(f"f=open({path!r},'wb')\nb=[]")
        for number, piece in enumerate(_pieces(base64.b64decode(data)), 1):
            self._transport.exec(f"b.append({piece!r})")
            if number % GATHERED_PIECES == 0:
                self._transport.exec(_WRITE_GATHERED)
            self._emit("progress", bytes=len(piece))
        self._transport.exec(f"{_WRITE_GATHERED}\nf.close()")
        self._emit("done")

    def restart(self) -> None:
        """Reset the chip; from then on hear() is to be called, and nothing else but close()."""
        self._transport.exec_raw_no_follow("import machine\nmachine.reset()")
        self._transport.in_raw_repl = False
        self._transport.serial.timeout = 0.05
        self.listening = True
        self._emit("done")

    def hear(self) -> None:
        """Send out what the board says, for a moment."""
        # What fails once would fail for ever.
        self.listening = False
        data = self._transport.serial.read(max(1, self._transport.serial.in_waiting))
        if data:
            self._emit("bytes", data=base64.b64encode(data).decode())
        self.listening = True

    def close(self) -> None:
        """Leave the friendly prompt behind, and end. Not mpremote's close(): its order of DTR and RTS resets boards."""
        with contextlib.suppress(OSError):
            if self._transport.in_raw_repl:
                self._transport.exit_raw_repl()
            self._transport.serial.flush()
        with contextlib.suppress(OSError):
            self._transport.serial.close()
        # Not sys.exit(): the thread that reads stdin still waits.
        os._exit(0)


def _pieces(data: bytes) -> Iterator[bytes]:
    """Pieces whose Python text is short enough: binary bytes take four letters each."""
    start = 0
    while start < len(data):
        size = PIECE_BYTES
        while len(repr(data[start : start + size])) > MOST_TEXT:
            size //= 2
        yield data[start : start + size]
        start += size


def _text(data: bytes) -> str:
    return bytes(data).decode(errors="replace").replace("\r\n", "\n")


def _commands() -> queue.Queue[dict]:
    """The commands that come in; the end of stdin ends the process at once."""
    waiting: queue.Queue[dict] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            waiting.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=read, name="commands", daemon=True).start()
    return waiting


def _obey(holder: Holder, command: dict, emit: Emit) -> None:
    """Carry out one command; what goes wrong becomes an event."""
    try:
        getattr(holder, command.pop("do"))(**command)
    except TransportExecError as error:
        emit("failed", kind="raised", text=error.error_output)
    except TransportError as error:
        emit("failed", kind="confused", text=str(error))
    except (SerialException, OSError) as error:
        emit("failed", kind="lost", text=str(error))


def _own_stdout() -> TextIO:
    """The real stdout, for events alone: mpremote prints, too."""
    events = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout = sys.stderr
    return events


def main() -> None:
    """Obey until stdin ends."""
    # Ctrl-C on the terminal is for the one who started this.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    events = _own_stdout()

    def emit(event: str, **fields: object) -> None:
        events.write(json.dumps({"event": event, **fields}) + "\n")
        events.flush()

    port, wiring = sys.argv[1], (sys.argv[2:] or [None])[0]
    commands = _commands()
    try:
        holder = Holder(port, wiring, emit)
    except (TransportError, SerialException, OSError, ValueError) as error:
        emit("failed", kind="port", text=str(error))
        return
    emit("done")
    while True:
        idle = holder.listening and commands.empty()
        _obey(holder, {"do": "hear"} if idle else commands.get(), emit)


if __name__ == "__main__":
    main()
