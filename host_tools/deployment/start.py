"""What a board says after a reset, until its program runs, has an error, or is not there."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from host_tools import limits
from host_tools.errors import BoardError, LinkError
from host_tools.prompt.repl import Prompt
from host_tools.serial_link import Decoder, Event, Hello, Print, Reply, Trouble, remedies

_MEMORY = re.compile(r"posenet: memory in KiB: (.*)")
_TRACEBACK = "Traceback (most recent call last)"
_RAISED = re.compile(r"^[A-Za-z_.]+(Error|Exception|Interrupt|Exit)\b.*")
_PROMPT = b">>> "
_TAIL = 64


@dataclass
class Started:
    """What was heard: the last HELLO, the program's own line about memory, and the first error that it reported."""

    hello: Hello | None = None
    memory: str | None = None
    trouble: Trouble | None = None
    prints: list[str] = field(default_factory=list)

    @property
    def runs(self) -> bool:
        """Whether the program takes frames."""
        return self.trouble is None and self.hello is not None and self.hello.source >= 0

    @property
    def warning(self) -> str | None:
        """What the program complains of, with the remedy."""
        if self.trouble is None:
            return None
        remedy = remedies.remedy(self.trouble.code)
        return f"the program reports: {self.trouble.text}" + (f" ({remedy})" if remedy else "")


def watch(prompt: Prompt, seconds: float | None = None) -> Started:
    """Reset the board and listen until its program runs or reports an error.

    BoardError if it ends with a traceback, or another program runs; LinkError if nothing is heard of it in time.
    """
    prompt.restart()
    started, decoder, tail = Started(), Decoder(), b""
    seconds = limits.PROGRAM_START.unless(seconds)
    deadline = time.monotonic() + seconds
    while not (started.runs or started.trouble) and time.monotonic() < deadline:
        data = prompt.read(0.5)
        tail = (tail + data)[-_TAIL:]
        for event in decoder.feed(data, time.monotonic()):
            _take(started, event)
        if tail.endswith(_PROMPT):
            raise BoardError(f"{prompt.port}: {_ended(started.prints)}")
    if not started.hello and not started.trouble:
        last = f"; its last words: {started.prints[-1]!r}" if started.prints else ""
        raise LinkError(
            f"{prompt.port}: the files are there, but the program did not report within {seconds:.0f} s{last}; press "
            "RESET, then look with `monitor`"
        )
    return started


def _take(started: Started, event: Event | Reply) -> None:
    if isinstance(event, Hello):
        started.hello = event
    elif isinstance(event, Trouble):
        started.trouble = started.trouble or event
    elif isinstance(event, Print):
        if match := _MEMORY.search(event.text):
            started.memory = match[1]
        started.prints.append(event.text)


def _ended(prints: list[str]) -> str:
    """Why MicroPython's prompt is there instead of the program."""
    errors = [line for line in prints if _RAISED.match(line)]
    if any(_TRACEBACK in line for line in prints) and errors:
        return (
            f"the program ended with {errors[-1]!r}; deploy again, and if that does not help, report it with the "
            "output of `monitor`"
        )
    return "MicroPython's prompt came instead of the program: main.py does not start it"
