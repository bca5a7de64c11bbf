"""Makes events of the bytes that come from a board, and counts; knows of no port, so recordings go through it too."""

from __future__ import annotations

import re
from collections.abc import Iterator

from conversion.outside.text import printable
from host_tools.serial_link import events
from host_tools.serial_link.blocks import Blocks, MissingChunks
from host_tools.serial_link.events import (
    Absurd,
    Announcement,
    BlockLost,
    Chunk,
    Event,
    Hello,
    OtherProtocol,
    Print,
    Reply,
    Restarted,
    SelfTest,
    Trouble,
)
from host_tools.serial_link.limits import Throttle
from host_tools.serial_link.sentences import Frame, Frames, Reader, Sentence
from host_tools.serial_link.statistics import Statistics

# What MicroPython's prompt makes of a sentence of ours, which it takes for Python: no error of the board's.
_PROMPT_SAYS = (
    re.compile(r"Traceback \(most recent call last\):"),
    re.compile(r'  File "<stdin>", line \d+'),
    re.compile(r"SyntaxError: .*"),
)
# What is told of in words, a line each.
_TOLD = (Hello, OtherProtocol, Restarted, Trouble, SelfTest, BlockLost)


class Decoder:
    """One board's line. `hello` is the last Hello; `echoes` counts sentences of our `own` that came back.

    `unsure`: frame numbers began anew without a Hello, so the board should be asked for one.

    `seconds` in the methods is any clock; it only has to go forward.
    """

    def __init__(self) -> None:
        self.hello: Hello | None = None
        self.own: Sentence | None = None
        self.echoes = 0
        self.unsure = False
        self.statistics = Statistics()
        self._reader = Reader()
        self._frames = Frames()
        self._blocks = Blocks(self.statistics)
        self._throttle = Throttle()
        self._absurd = 0
        # How much of _PROMPT_SAYS has come behind an echo; all of it: nothing is expected.
        self._prompt_said = len(_PROMPT_SAYS)
        self._last_frame: int | None = None

    @property
    def boards_sentences(self) -> int:
        """How many sentences came, without our own."""
        return self.statistics.sentences - self.echoes

    def feed(self, data: bytes, seconds: float) -> list[Event | Reply]:
        """What these bytes complete, in the order of the line."""
        self.statistics.bytes += len(data)
        found: list[Event | Reply] = []
        for sentence in self._reader.feed(data):
            found += self._prints()
            self.statistics.sentences += 1
            found += (event for event in self._said(sentence, seconds) if self._is_no_storm(event, seconds))
        found += self._prints()
        self._count()
        return found

    def _is_no_storm(self, event: Event | Reply, seconds: float) -> bool:
        return not isinstance(event, _TOLD) or self._throttle.lets_through(type(event), seconds)

    def due(self, seconds: float) -> tuple[list[BlockLost], MissingChunks | None]:
        """What is to be done by now: see `Blocks.due`."""
        return self._blocks.due(seconds)

    def forget_block(self, reason: str) -> list[BlockLost]:
        """The board will not send the rest of the block."""
        return self._blocks.forget(reason)

    def interrupted(self) -> list[BlockLost]:
        """The line was cut: half a line, frame or block will not go on."""
        self._reader.drop()
        self._frames.drop()
        self._count()
        return self._blocks.forget("the port was lost")

    def cut(self) -> None:
        """The line goes on at another speed: what has begun will not end, and what comes may be an end."""
        self._reader.drop()

    def _said(self, sentence: Sentence, seconds: float) -> Iterator[Event | Reply]:
        if sentence == self.own:
            self.echoes += 1
            self._prompt_said = 0
            return
        frame = self._frames.add(sentence)
        if frame is not None:
            self._number(frame)
            yield frame
        event = events.read(sentence)
        if isinstance(event, Absurd):
            self._absurd += 1
        elif isinstance(event, Announcement):
            yield from self._blocks.announce(event, seconds)
        elif isinstance(event, Chunk):
            yield from self._chunk(event, seconds)
        elif event is not None:
            if isinstance(event, Hello):
                yield from self._greeted(event)
            yield event

    def _chunk(self, chunk: Chunk, seconds: float) -> Iterator[Event]:
        try:
            yield from self._blocks.add(chunk, seconds)
        except ValueError:
            self._absurd += 1

    def _greeted(self, hello: Hello) -> Iterator[Event]:
        """Another boot number: all that was half there belongs to the last life of the program."""
        before, self.hello, self.unsure = self.hello, hello, False
        if before is None or before.boot == hello.boot:
            return
        self.statistics.restarts += 1
        self._frames.drop()
        self._last_frame = None
        yield from self._blocks.restart()
        yield Restarted(hello)

    def _number(self, frame: Frame) -> None:
        """Counts frames, and numbers that were left out; numbers begin anew after a restart."""
        last, self._last_frame = self._last_frame, frame.number
        self.statistics.frames += 1
        if last is None:
            return
        self.statistics.missed += max(0, frame.number - last - 1)
        self.unsure = self.unsure or frame.number <= last

    def _prints(self) -> list[Print]:
        lines, self._reader.text = self._reader.text, []
        return [Print(printable(line)) for line in lines if not self._is_of_prompt(line)]

    def _is_of_prompt(self, line: str) -> bool:
        """Whether a line is the next one that the prompt says to a sentence of ours."""
        if self._prompt_said == len(_PROMPT_SAYS):
            return False
        found = _PROMPT_SAYS[self._prompt_said].fullmatch(line) is not None
        self._prompt_said = self._prompt_said + 1 if found else len(_PROMPT_SAYS)
        return found

    def _count(self) -> None:
        statistics, frames = self.statistics, self._frames
        statistics.damaged = self._reader.damaged + self._reader.cut
        statistics.torn = frames.torn
        statistics.throttled = self._throttle.held_back
        statistics.absurd = frames.absurd - frames.misplaced + self._absurd
