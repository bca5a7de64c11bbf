"""The monitor command as a function: opens what was asked for, runs a session, closes everything."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from conversion import command_line
from conversion.progress import Talk
from host_tools.monitor import sources, terminal
from host_tools.monitor.feed import Feed, Item, Note
from host_tools.monitor.frame_processing import FrameProcessor
from host_tools.monitor.output import Output
from host_tools.monitor.record import Recorder
from host_tools.monitor.session import Limits, Session
from host_tools.monitor.snapshot import SnapshotKeeper
from host_tools.monitor.text_output import JsonFrames, PlainText
from host_tools.serial_link import FASTEST, link_note, ports


@dataclass(frozen=True)
class MonitorOptions:
    """What was asked for: the options of `monitor`, see its help."""

    ports: tuple[str, ...] = ()
    baud: int | None = None
    as_json: bool = False
    # Host and port.
    web: tuple[str, int] | None = None
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


def watch(options: MonitorOptions, over: threading.Event, talk: Talk) -> None:
    """Run until the end that was asked for, or `over`; then one line about it to `talk`.

    HostToolError for everything that is in the way. A reader of stdout that goes away ends the run, too.
    """
    with ExitStack() as parts:
        keeper = SnapshotKeeper(options.snapshot) if options.snapshot else None
        recorder = parts.enter_context(closing(Recorder(options.record, time.monotonic()))) if options.record else None
        feed = parts.enter_context(_feed(options, talk))
        view = parts.enter_context(closing(_view(options, talk)))
        # What was recorded can be replayed even if another output fails at it.
        outputs = [output for output in (recorder, view, keeper) if output]
        if options.mqtt:
            outputs.append(parts.enter_context(closing(_publisher(options.mqtt, view))))
        if options.web is not None:
            outputs.append(parts.enter_context(closing(_page(options.web, feed, talk))))
        session = Session(feed, outputs, options.limits, FrameProcessor(options.smooth, options.ids))
        try:
            session.run(over)
        except BrokenPipeError:
            command_line.forget_stdout()
            return
        written = [keeper.write()] if keeper else []
        parts.close()
        for line in [*written, *([recorder.summary] if recorder else [])]:
            talk(line)
        talk(session.summary)


def _feed(options: MonitorOptions, talk: Talk) -> Feed:
    if options.replay:
        return sources.of_recording(options.replay, 1.0 if options.speed is None else options.speed)
    chosen = ports.choose_all(options.ports)
    link_note.tell(chosen, talk)
    return sources.of_ports(chosen, baud=options.baud or FASTEST)


def _view(options: MonitorOptions, talk: Talk) -> Output:
    if options.as_json:
        return JsonFrames(sys.stdout, talk)
    if options.web is not None:
        return Output()
    console = Console(highlight=False)
    return terminal.Terminal(console) if terminal.fits(console) else PlainText(sys.stdout, talk)


def _publisher(url: str, view: Output) -> Output:
    from host_tools.monitor.publish import Publisher

    return Publisher(url, lambda text: view.event(Item("mqtt", Note(text), time.monotonic())))


def _page(place: tuple[str, int], feed: Feed, talk: Talk) -> Output:
    from host_tools.monitor import web

    host, port = place
    return web.Page(port, feed, talk, Path.cwd(), host)
