"""The board's side of a verification: is it ready, with which model; pause it, ask for runs, and leave it as it was."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from conversion.kpu.posenet import Heads
from conversion.progress import Talk
from host_tools import time_limits
from host_tools.errors import BoardError, LinkError, VerificationError
from host_tools.serial_link import (
    OLDER_PROGRAM,
    RUNS,
    STATES,
    Block,
    BlockLost,
    Digest,
    Event,
    Frame,
    Hello,
    Link,
    MissingPortError,
    Pose,
    Restarted,
    SelfTest,
    Settings,
    Stats,
    Trouble,
    remedy,
)
from host_tools.verification import replay
from host_tools.verification.model import Model
from host_tools.verification.replay import Replay

Told = TypeVar("Told", Settings, Stats)

_PAUSED = STATES.index("paused")
_STARTING = STATES.index("starting")
_WAITING = STATES.index("waiting after an error")
_ASK_AGAIN_SECONDS = 1.0
# Runs are asked for again when their sentences arrive damaged. A line that corrupts one byte in a thousand brings a
# frame of three people through once in three times.
_RUNS = 10
_POLL_SECONDS = 0.25


@dataclass(frozen=True)
class Run:
    """What a board sent of one run: the frame's number, its poses, the heads' checksums, the heads where asked for; of
    a frame that took several runs, or smoothing, those of the last one, and what to recompute it from."""

    frame: int
    poses: tuple[Pose, ...]
    crc32: int
    by_head: dict[str, int]
    heads: Heads | None = None
    self_test: SelfTest | None = None
    replay: Replay | None = None


class Session:
    """A board that runs the model to be verified. Make it with `opened`."""

    def __init__(self, link: Link, model: Model, hello: Hello) -> None:
        self.link = link
        self.model = model
        self.hello = hello
        self.settings = _told(link, "SETTINGS", Settings)

    def run(self, kind: str, *fields: int, heads: bool) -> Run:
        """Ask for a run (RUN, HEADS, SELFTEST) until one has arrived whole, with its heads if they come with it.

        LinkError where the line does not let one through or the board refuses, BoardError for what it reports instead.
        """
        quiet = (time_limits.DRAWING if kind == "SELFTEST" else time_limits.RUN_SILENCE).seconds
        for _ in range(_RUNS):
            number = self.link.ask(kind, *fields)
            run = self._collected(number, heads, kind == "SELFTEST", quiet)
            if run is not None:
                return run
        counted = self.link.statistics
        raise LinkError(
            f"{self.link.port}: of {_RUNS} runs none has arrived whole ({counted.damaged} damaged lines so far); take "
            "another cable, no hub, or a lower --baud"
        )

    def _collected(self, number: int, heads: bool, self_test: bool, quiet: float) -> Run | None:
        """The sentences of frame `number`; None if some are lost."""
        wanted = {Frame, Digest} | ({Block} if heads else set()) | ({SelfTest} if self_test else set())
        got: dict[type, Event] = {}
        last = wanted & {Block} or wanted & {SelfTest} or {Digest}
        for event in self._events(quiet):
            if isinstance(event, Stats) and event.frames >= number and not heads:
                # The run is over, and everything about it was sent before this.
                return None
            if _frame_of(event) != number:
                continue
            if isinstance(event, BlockLost):
                return None
            got[type(event)] = event
            if wanted <= set(got):
                return self._assembled(number, got)
            if type(event) in last:
                return None
        return None

    def _assembled(self, number: int, got: dict[type, Event]) -> Run:
        digest, block = got[Digest], got.get(Block)
        heads = replayed = None
        if block is not None:
            if block.kind == RUNS:
                replayed = replay.read(self.model, block.data, got[Frame].windows)
                heads = replayed and replayed.runs[-1]
            else:
                heads = self.model.split(block.data)
            if heads is None:
                raise VerificationError(
                    f"the board's heads have {len(block.data)} bytes, those of {self.model.path.name} another number; "
                    "its device card is not this model's: run `deploy`"
                )
        return Run(number, got[Frame].poses, digest.heads, digest.by_head, heads, got.get(SelfTest), replayed)

    def _events(self, quiet: float) -> Iterator[Event]:
        """Events as they come, until the line has been silent for so many seconds."""
        begin = heard = time.monotonic()
        received = self.link.statistics.bytes
        while time.monotonic() - heard < quiet and time.monotonic() - begin < time_limits.RUN.seconds:
            for event in self.link.poll(_POLL_SECONDS):
                self._check(event)
                yield event
            if self.link.statistics.bytes != received:
                received, heard = self.link.statistics.bytes, time.monotonic()

    def _check(self, event: Event) -> None:
        """Errors for events after which there is nothing to be verified."""
        if isinstance(event, Restarted):
            raise self.restarted()
        if isinstance(event, Trouble) and event.keeps_from_frames:
            raise BoardError(_reported(self.link, event))

    def check_boot(self) -> None:
        """LinkError if the board's program has started again since the session began."""
        for event in self.link.poll(0):
            self._check(event)
        if self.link.hello is not None and self.link.hello.boot != self.hello.boot:
            raise self.restarted()

    def restarted(self) -> LinkError:
        """The error for a board that started again in between."""
        return LinkError(
            f"{self.link.port}: the board has restarted during the verification; run it again, and if that happens "
            "again look at its power supply"
        )


@contextlib.contextmanager
def opened(link: Link, model: Model, talk: Talk) -> Iterator[Session]:
    """Greet a board, check that it runs `model`, pause it; whatever happens, it goes on afterwards if it ran before.

    LinkError or BoardError say what is wrong.
    """
    _wait_until_ready(link, talk)
    paused_before = _told(link, "STATS", Stats).state == _PAUSED
    try:
        link.ask("PAUSE")
        # What came before the answer is old: it may be the greeting of an earlier start.
        link.poll(0)
        hello = link.greet()
        check_model(hello, model)
        session = Session(link, model, hello)
        if session.settings.share is None:
            talk(OLDER_PROGRAM)
        yield session
    except MissingPortError:
        # Nobody is there any more to be told to go on; a board that was unplugged starts anew.
        paused_before = True
        raise
    finally:
        if not paused_before:
            _resume(link, talk)


def _resume(link: Link, talk: Talk) -> None:
    try:
        link.ask("RESUME", tries=time_limits.RESUME)
    except LinkError:
        talk("the board could not be told to go on: press its reset key if it stands still")


def check_model(hello: Hello, model: Model) -> None:
    """BoardError unless the board's device card names this very kmodel."""
    if (hello.kmodel_sha256, hello.kmodel_bytes) == (model.sha256, len(model.data)):
        return
    width, height = model.size
    raise BoardError(
        f"the board runs a kmodel of {hello.width}x{hello.height}, {hello.kmodel_bytes} bytes, sha256 "
        f"{_short(hello.kmodel_sha256)}; {model.path} is of {width}x{height}, {len(model.data)} bytes, sha256 "
        f"{_short(model.sha256)}: name the board's own with --model, or run `flash` and `deploy` with this one"
    )


def _short(sha256: str | None) -> str:
    return f"{sha256[:16]}…" if sha256 else "unknown"


def _wait_until_ready(link: Link, talk: Talk) -> None:
    """Wait for a board that starts, wake one that waits after an error; BoardError says why one takes no frames."""
    if _takes_frames(link.greet()):
        return
    state = _told(link, "STATS", Stats).state
    link.poll(0)
    if state == _WAITING:
        link.ask("RESUME")
    elif state == _STARTING:
        talk("the board is starting")
    # The program tries again at once when told to; then it says what is wrong, if it did not just do so.
    trouble = _awaited(link, (time_limits.VERIFY_TROUBLE if state == _WAITING else time_limits.VERIFY_START).seconds)
    if trouble is not None:
        raise BoardError(_reported(link, trouble))


def _awaited(link: Link, seconds: float) -> Trouble | None:
    """None once the board takes frames, or the error that keeps it from it; BoardError where it says neither."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        link.ask("HELLO")
        for event in _events_within(link, _ASK_AGAIN_SECONDS):
            if isinstance(event, Hello) and _takes_frames(event):
                return None
            if isinstance(event, Trouble) and event.keeps_from_frames:
                return event
    raise BoardError(
        f"{link.port}: the board's program runs, but takes no frames: it has no kmodel, or no camera; its LCD and "
        "`monitor` say which. Run `flash` and `deploy`, check the camera's cable"
    )


def _events_within(link: Link, seconds: float) -> Iterator[Event]:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        yield from link.poll(left)


def _takes_frames(hello: Hello) -> bool:
    return hello.kmodel_bytes > 0 and hello.source >= 0


def _reported(link: Link, trouble: Trouble) -> str:
    return f"{link.port}: the board reports error {trouble.code}: {trouble.text}; {remedy(trouble.code)}".rstrip("; ")


def _told(link: Link, kind: str, event: type[Told]) -> Told:
    """What the board tells when asked, asked again where its sentence was lost."""
    for _ in range(time_limits.TELL.times):
        link.poll(0)
        link.ask(kind)
        with contextlib.suppress(LinkError):
            return link.wait_for(event, time_limits.TELL.seconds)
    raise LinkError(f"{link.port}: the board answers, but its {kind} does not arrive; take another cable, or no hub")


def _frame_of(event: Event) -> int | None:
    if isinstance(event, Frame):
        return event.number
    return event.frame if isinstance(event, Digest | Block | BlockLost | SelfTest) else None
