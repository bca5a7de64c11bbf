"""A board's MicroPython prompt: stopping what runs, running scripts, writing files, resetting.

A process of its own does the work (worker.py), so that no call here can hang: each has a limit, after which that
process is ended. The port stays open from the first Ctrl-C to the last command, since some boards reset when a
port is closed or opened.
"""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import json
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

from conversion import extras, processes
from conversion.progress import SILENT_SECONDS, Talk, silent
from host_tools import time_limits
from host_tools.closing import Closing
from host_tools.errors import LinkError
from host_tools.serial_link import diagnosis, ports

_WORKER = "host_tools.prompt.worker"


class RaisedError(LinkError):
    """The board's Python raised an exception; `raised` is the last line of its traceback."""

    def __init__(self, port: str, raised: str) -> None:
        super().__init__(f"{port}: the board's MicroPython says: {raised}")
        self.raised = raised


def stop_program(port: str, talk: Talk = silent) -> None:
    """Stop whatever runs on the board; LinkError, with what to do, if no prompt answers.

    The board is left at its prompt. A new program starts with the next reset.
    """
    with Prompt(port, talk):
        pass


def execute(port: str, source: str, *, seconds: float, line: Callable[[str], None] | None = None) -> str:
    """Stop what runs, and run a script on the board: what it printed; `line` gets each line of it as it comes.

    RaisedError if it raised, LinkError if the board is not there, does not answer or takes more than `seconds`.
    """
    with Prompt(port) as prompt:
        return prompt.execute(source, seconds=seconds, line=line)


class Prompt(Closing):
    """A board at its prompt, its program stopped. Use it as a context manager, or call close().

    `wiring` is the board's reset wiring (boards.Flash.reset_wiring): where it is known, and the port has DTR and RTS,
    a board that does not listen to Ctrl-C is reset; otherwise `talk` asks for its RESET key.
    """

    def __init__(
        self, port: str, talk: Talk = silent, wiring: str | None = None, stop_seconds: float | None = None
    ) -> None:
        if importlib.util.find_spec("mpremote") is None:
            raise LinkError(f"mpremote is not installed in this Python: {extras.advice('host')}")
        ports.look_at(port)
        self.port = port
        self._talk = talk
        # Whether the line was seen to damage bytes; what was damaged has been repeated.
        self.damages = False
        self._events: queue.Queue[dict] = queue.Queue()
        self._process = processes.start(_WORKER, port, *([wiring] if wiring else []))
        self._reader = threading.Thread(target=self._read_events, name=f"prompt of {port}", daemon=True)
        self._reader.start()
        try:
            self._finish(time_limits.WORKER_START.seconds, "opening it")
            stop = time_limits.STOP.unless(stop_seconds)
            self._ask("stopping the program", stop + time_limits.WORKER_START.seconds, do="stop", seconds=stop)
        except BaseException:
            self._abandon()
            raise

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """A block that was left by an error leaves a board whose program starts again."""
        if kind is None:
            self.close()
        else:
            self._abandon()

    def execute(self, source: str, *, seconds: float, line: Callable[[str], None] | None = None) -> str:
        """Run a script: what it printed, line ends as `\\n`; `line` gets each line as it comes."""
        return self._ask("running a script", seconds, line, do="execute", source=source).get("text", "")

    def put(self, path: str, data: bytes, progress: Callable[[int], None] | None = None) -> None:
        """Write a file at an absolute path; `progress` gets the bytes of each piece that is written."""
        seconds = time_limits.PUT.seconds + time_limits.PUT_A_KIB.seconds * len(data) / 1024
        encoded = base64.b64encode(data).decode()
        for event in self._asked(f"writing {path}", seconds, do="put", path=path, data=encoded):
            if event["event"] == "progress" and progress:
                progress(event["bytes"])

    def restart(self) -> None:
        """Reset the chip. From then on read() gives what it says, and nothing else can be done."""
        self._ask("resetting the board", time_limits.WORKER_START.seconds, do="restart")

    def read(self, seconds: float) -> bytes:
        """What the board has said since restart(): as soon as there is something, b"" after `seconds`."""
        try:
            event = self._events.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            return b""
        if event["event"] == "failed":
            raise self._error(event)
        return base64.b64decode(event.get("data", ""))

    def close(self) -> None:
        """Leave the board at its friendly prompt and let go of the port; no process is left."""
        if self._process.poll() is None:
            with contextlib.suppress(OSError):
                self._send({"do": "close"})
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(time_limits.WORKER_END.seconds)
        self._kill()

    def _abandon(self) -> None:
        """The worker has the board start its program again as soon as its stdin ends, whatever it is doing."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(time_limits.ABANDON.seconds)
        self._kill()

    def _kill(self) -> None:
        processes.end(self._process)
        self._reader.join()
        self._process.stdout.close()

    def _send(self, command: dict) -> None:
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()

    def _ask(self, doing: str, limit: float, line: Callable[[str], None] | None = None, **command: object) -> dict:
        """Have a command carried out; its last event."""
        event: dict = {}
        for event in self._asked(doing, limit, **command):
            if event["event"] == "line" and line:
                line(event["text"])
        return event

    def _asked(self, doing: str, limit: float, **command: object) -> Iterator[dict]:
        """The events of a command, the last one included; LinkError if it fails or takes too long."""
        try:
            self._send(command)
        except OSError as error:
            raise LinkError(f"{self.port}: lost while {doing}; plug the board in and try again") from error
        yield from self._until_done(limit, doing)

    def _finish(self, limit: float, doing: str) -> None:
        for _ in self._until_done(limit, doing):
            pass

    def _until_done(self, limit: float, doing: str) -> Iterator[dict]:
        deadline = time.monotonic() + limit
        told = False
        while True:
            left = deadline - time.monotonic()
            try:
                event = self._events.get(timeout=max(left if told else min(left, SILENT_SECONDS), 0.0))
            except queue.Empty:
                if not told and time.monotonic() < deadline:
                    told = True
                    self._talk(f"{self.port}: waiting for the board ({doing})")
                    continue
                self._abandon()
                if self.damages:
                    raise LinkError(self._damaged(f"no whole answer within {limit:.0f} s while {doing}")) from None
                raise LinkError(
                    f"{self.port}: no answer within {limit:.0f} s while {doing}; press RESET on the board and try again"
                ) from None
            if event["event"] == "failed":
                raise self._error(event)
            if event["event"] == "talk":
                self._talk(event["text"])
            if event["event"] == "damage":
                self.damages = True
                self._talk(f"{self.port}: the line damages bytes; what goes to the prompt is checked, and repeated")
            yield event
            if event["event"] == "done":
                return

    def _read_events(self) -> None:
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):
                self._events.put(json.loads(line))
        self._events.put({"event": "failed", "kind": "lost", "text": "its process ended"})

    def _damaged(self, what: str) -> str:
        return f"{self.port}: the line damages bytes: {what}; {diagnosis.BETTER_LINE}"

    def _error(self, event: dict) -> LinkError:
        kind = event["kind"]
        if kind == "raised":
            return RaisedError(self.port, _last_line(event["text"]))
        if kind == "port":
            return _port_error(self.port, event["text"])
        if kind == "silent":
            return LinkError(event["text"])
        if kind == "damaged":
            return LinkError(self._damaged(event["text"]))
        if kind == "echo":
            return LinkError(f"{self.port}: {diagnosis.ECHO}")
        if kind == "lost":
            return LinkError(
                f"{self.port}: lost the board ({_last_line(event['text'])}): cable, power, or another program on the "
                "port; mend that and run the same command again"
            )
        return LinkError(
            f"{self.port}: {_last_line(event['text'])}; press its reset key and run the same command again"
        )


def _last_line(text: str) -> str:
    return processes.last_words(text, "nothing")


def _port_error(port: str, text: str) -> LinkError:
    """Why a port cannot be opened: ports.open_port() knows, by trying."""
    try:
        ports.open_port(port).close()
    except LinkError as error:
        return error
    return LinkError(f"{port}: cannot be opened ({_last_line(text)}); close other programs that use it and try again")
