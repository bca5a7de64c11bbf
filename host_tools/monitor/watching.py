"""The monitor command as a function: opens what was asked for, runs a session, closes everything."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from host_tools.monitor import terminal
from host_tools.monitor.feed import Feed
from host_tools.monitor.frame_processing import Seer
from host_tools.monitor.items import Item, Note
from host_tools.monitor.lines import JsonLines, PlainLines
from host_tools.monitor.output import Output
from host_tools.monitor.record import Recorder
from host_tools.monitor.session import Limits, Session, Tapped
from host_tools.monitor.snapshot import SnapshotKeeper
from host_tools.serial_link import ports

Talk = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What was asked for: the options of `monitor`, see its help."""

    ports: tuple[str, ...] = ()
    baud: int | None = None
    as_json: bool = False
    web: int | None = None
    record: Path | None = None
    replay: Path | None = None
    speed: float | None = None
    snapshot: Path | None = None
    frames: int | None = None
    seconds: float | None = None
    smooth: bool = False
    ids: bool = False
    mqtt: str | None = None

    @property
    def limits(self) -> Limits:
        """A snapshot alone is of the first frame."""
        alone = self.snapshot and not self.seconds and not self.frames and not self.as_json and self.web is None
        return Limits(1 if alone else self.frames, self.seconds)


def watch(request: Request, over: threading.Event, talk: Talk) -> None:
    """Run until the end that was asked for, or `over`; then one line about it to `talk`.

    HostToolError for everything that is in the way. A reader of stdout that goes away ends the run, too.
    """
    with ExitStack() as parts:
        keeper = SnapshotKeeper(request.snapshot) if request.snapshot else None
        recorder = parts.enter_context(closing(Recorder(request.record, time.monotonic()))) if request.record else None
        feed = parts.enter_context(_feed(request))
        view = parts.enter_context(closing(_view(request, talk)))
        outputs = [view, *([keeper] if keeper else [])]
        if request.mqtt:
            outputs.append(parts.enter_context(closing(_publisher(request.mqtt, view))))
        session = Session(feed, outputs, request.limits, Seer(request.smooth, request.ids), recorder)
        try:
            _run(request, feed, session, over, talk)
        except BrokenPipeError:
            _forget_stdout()
            return
        if keeper:
            keeper.write()
        parts.close()
        talk(session.summary)


def _feed(request: Request) -> Feed:
    if request.replay:
        return Feed.replay(request.replay, 1.0 if request.speed is None else request.speed)
    return Feed(ports.choose_all(request.ports), baud=request.baud)


def _view(request: Request, talk: Talk) -> Output:
    if request.as_json:
        return JsonLines(sys.stdout, talk)
    if request.web is not None:
        return Output()
    console = Console(highlight=False)
    return terminal.Terminal(console) if terminal.fits(console) else PlainLines(sys.stdout, talk)


def _publisher(url: str, view: Output) -> Output:
    from host_tools.monitor.publish import Publisher

    return Publisher(url, lambda text: view.event(Item("mqtt", Note(text), time.monotonic())))


def _run(request: Request, feed: Feed, session: Session, over: threading.Event, talk: Talk) -> None:
    if request.web is None:
        session.run(over)
        return
    from host_tools.monitor import web

    tapped = Tapped(feed, session, over)
    web.serve(tapped, request.web, over, talk, Path.cwd())
    tapped.check()


def _forget_stdout() -> None:
    """Nobody reads it any more: what is left in its buffer must not raise again at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
