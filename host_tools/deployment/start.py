"""What a board says after a reset, until its program runs, has an error, or is not there."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from host_tools import time_limits
from host_tools.errors import BoardError, LinkError
from host_tools.prompt.repl import Prompt
from host_tools.serial_link import (
    BAUD,
    Decoder,
    Event,
    Heard,
    Hello,
    OtherProtocol,
    Print,
    Reply,
    Trouble,
    Wanted,
    diagnosis,
    ports,
    remedies,
)

_MEMORY = re.compile(r"posenet: memory in KiB: (.*)")
_HEAP = re.compile(r"posenet: (MicroPython's heap (?:is set to|stays) .*?)(?:: resetting)?$")


@dataclass
class Started:
    """What was heard: the last HELLO, the program's own lines about memory and about a change of MicroPython's heap
    (after which it starts again), and the first error that it reported."""

    hello: Hello | None = None
    memory: str | None = None
    heap: str | None = None
    trouble: Trouble | None = None

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

    BoardError if MicroPython's prompt comes instead, or a program of another protocol; LinkError if nothing is heard of
    it in time. Each says what came instead.
    """
    prompt.restart()
    seconds = time_limits.PROGRAM_START.unless(seconds)
    started, decoder, heard = Started(), Decoder(), Heard(prompt.port, BAUD, ports.siblings(prompt.port))
    deadline = time.monotonic() + seconds
    while not (started.runs or started.trouble) and time.monotonic() < deadline:
        data = prompt.read(0.5)
        heard.add(data)
        for event in decoder.feed(data, time.monotonic()):
            _take(started, heard, event)
        if heard.other_protocol or diagnosis.ends_at_prompt(heard.tail):
            raise BoardError(diagnosis.explain(heard, Wanted.START))
    if not started.hello and not started.trouble:
        heard.damaged = decoder.statistics.damaged
        raise LinkError(
            f"{prompt.port}: the files are there, but the program did not report within {seconds:.0f} s: "
            f"{diagnosis.reason(heard, Wanted.START)}"
        )
    return started


def _take(started: Started, heard: Heard, event: Event | Reply) -> None:
    if isinstance(event, Hello):
        started.hello = event
    elif isinstance(event, Trouble):
        started.trouble = started.trouble or event
    elif isinstance(event, OtherProtocol):
        heard.other_protocol = event
    elif isinstance(event, Print):
        if match := _MEMORY.search(event.text):
            started.memory = match[1]
        if match := _HEAP.search(event.text):
            started.heap = match[1]
