"""What a page shows of one board: its state, kept from the board's events, and the messages that tell of it.

board      board (its number), label, port, state, text, reachable, restarted, hello, settings, picture (width and
           height as people stand in it), no_previews (why there are none, and what helps)
frame      board, at (seconds), frame, t_ms, stages_us, fps, computed, poses [{score, keypoints, id, colour, smooth}],
           windows [[x, y, width, height] in pixels of the picture]
link       board, fps, statistics (of this side), stats (of the board)
log        board, kind (print, error, link), text, time (seconds since 1970)
no_preview board: it has ended its previews
picture    binary: {type, board, frame} as JSON, a line feed, the JPEG
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, replace

from host_tools.monitor import event_format
from host_tools.monitor.feed import Note, Source
from host_tools.monitor.people import People
from host_tools.monitor.rates import Rates
from host_tools.monitor.smoothing import Smoother
from host_tools.monitor.web.outbox import Message, message
from host_tools.monitor.windows import outlines
from host_tools.serial_link import ErrorCode, events, no_previews, sentences

LOG_LINES = 100
_LONGEST_LINE = 600
# A board at its slowest gives a frame in less than this; what is longer is worth a word.
SILENT_SECONDS = 4.0
RESTARTED_SECONDS = 8.0
_NEVER = -float("inf")
_JPEG = b"\xff\xd8"
# What `state` of STATS (firmware/README.md) says of a board that takes no frames.
_HALTED = {2: "paused", 3: "retrying", 4: "receiving"}


class BoardState:
    """One board as the page shows it. Methods that take something in return the messages that it gives."""

    def __init__(self, source: Source, now: float) -> None:
        self.number = source.number
        self.settings: events.Settings | None = None
        # True until the board was asked for what it does not say unasked.
        self.greeting_due = True
        self._source = source
        self._hello = source.hello
        self._stats: events.Stats | None = None
        self._halted = self._trouble = ""
        self._lost: str | None = None
        self._restarted_at = self._frame_at = _NEVER
        self._since = now
        self._log: deque[Message] = deque(maxlen=LOG_LINES)
        self._rates, self._people, self._smoother = Rates(), People(), Smoother()
        self._told: dict = {}

    @property
    def label(self) -> str:
        """The board's name as the feed has it now."""
        return self._source.label

    @property
    def reachable(self) -> bool:
        """Whether asking the board has a point: it is there, and no recording."""
        return self._lost is None and self._source.alive and self._source.statistics is not None

    @property
    def known(self) -> list[events.Event]:
        """What a recording that begins now must know of the board."""
        return [event for event in (self._hello, self.settings) if event is not None]

    def take(self, event: events.Event | Note, at: float) -> list[Message]:
        """One event of the board, at a time of time.monotonic."""
        handler = _HANDLERS.get(type(event))
        found = handler(self, event, at) if handler else []
        kind = _LOG_KINDS.get(type(event))
        if kind is not None:
            found = [*found, self._say(kind, event_format.of(event) or "")]
        return [*found, *self._if_changed(at)]

    def tick(self, source: Source, now: float) -> list[Message]:
        """Now and then: what the feed knows of the source, and what only time tells."""
        self._source = source
        self._hello = source.hello or self._hello
        return [*self._if_changed(now), self._link(now)]

    def everything(self, now: float) -> list[Message]:
        """What a page that has just been opened needs."""
        return [self._board(now), self._link(now), *self._log]

    def _if_changed(self, now: float) -> list[Message]:
        content = self._content(now)
        if content == self._told:
            return []
        self._told = content
        return [self._board(now)]

    def _board(self, now: float) -> Message:
        return message({"type": "board", **self._content(now)}, "board", self.number)

    def _content(self, now: float) -> dict:
        state, text = self._state(now)
        return {
            "board": self.number,
            "label": self._source.label,
            "port": self._source.port,
            "state": state,
            "text": text,
            "reachable": self.reachable,
            "restarted": now - self._restarted_at < RESTARTED_SECONDS,
            "hello": asdict(self._hello) if self._hello else None,
            "settings": asdict(self.settings) if self.settings else None,
            "picture": list(self._hello.picture) if self._hello else None,
            "no_previews": no_previews(self._hello.preview_missing) if self._hello else "",
        }

    def _state(self, now: float) -> tuple[str, str]:
        """The one word for how the board is (words.js of the page has them all), and what there is to say about it."""
        if not self._source.alive:
            return "ended", self._lost or ""
        if self._lost is not None:
            return "lost", self._lost
        if now - self._frame_at < SILENT_SECONDS and not self._halted:
            return "running", ""
        return self._state_without_frames(now)

    def _state_without_frames(self, now: float) -> tuple[str, str]:
        if self._hello is None:
            return "waiting", self._trouble
        if now - self._since < SILENT_SECONDS and not self._trouble and not self._halted:
            return "starting", ""
        if not self._hello.width:
            return "no_model", self._trouble
        if self._halted:
            return self._halted, self._trouble if self._halted == "retrying" else ""
        return "silent", self._trouble

    def _link(self, now: float) -> Message:
        content = {
            "type": "link",
            "board": self.number,
            "fps": round(self._rates.arriving(now), 2),
            "statistics": asdict(self._source.statistics) if self._source.statistics else None,
            "stats": asdict(self._stats) if self._stats else None,
        }
        return message(content, "link", self.number)

    def _say(self, kind: str, text: str) -> Message:
        line = message(
            {"type": "log", "board": self.number, "kind": kind, "text": text[:_LONGEST_LINE], "time": int(time.time())}
        )
        self._log.append(line)
        return line

    def _frame(self, frame: sentences.Frame, at: float) -> list[Message]:
        self._frame_at = at
        source = replace(self._source, hello=self._hello)
        frame = source.upright(frame)
        self._rates.add(at, frame)
        # It runs, which the next STATS would say seconds later.
        self._halted = self._trouble = ""
        ids = self._people.identify(frame.poses, frame.t_ms)
        smooth = frame.poses
        if not (self.settings and self.settings.smooth):
            # Once is enough: here where the board does not.
            smooth = self._smoother.smooth(frame.poses, ids, frame.t_ms, source.size)
        content = {**frame.to_dict(self._source.label), "type": "frame", "board": self.number, "at": round(at, 3)}
        for pose, person, colour, smoothed in zip(content["poses"], ids, self._people.colours, smooth, strict=True):
            pose.update(id=person, colour=colour, smooth=[list(keypoint) for keypoint in smoothed.keypoints])
        content["windows"] = outlines(frame.windows, source.size, bool(self._hello and self._hello.turned))
        content["fps"] = round(self._rates.arriving(at), 2)
        content["computed"] = round(self._rates.computed(at), 2)
        return [message(content, "frame", self.number)]

    def _picture(self, block: events.Block, at: float) -> list[Message]:
        if block.kind != "JPEG" or not block.data.startswith(_JPEG):
            return []
        head = json.dumps({"type": "picture", "board": self.number, "frame": block.frame})
        return [Message(head.encode() + b"\n" + block.data, ("picture", self.number))]

    def _greeted(self, hello: events.Hello, at: float) -> list[Message]:
        self.greeting_due |= self._hello is None
        self._hello = hello
        return []

    def _restarted(self, event: events.Restarted, at: float) -> list[Message]:
        self._hello, self._stats, self.settings = event.hello, None, None
        self._halted = self._trouble = ""
        self._restarted_at = self._since = at
        self._frame_at = _NEVER
        self.greeting_due = True
        return []

    def _settled(self, settings: events.Settings, at: float) -> list[Message]:
        self.settings = settings
        return []

    def _measured(self, stats: events.Stats, at: float) -> list[Message]:
        self._stats = stats
        self._halted = _HALTED.get(stats.state, "")
        return [self._link(at)]

    def _explained(self, event: events.Trouble | events.OtherProtocol | Note, at: float) -> list[Message]:
        self._trouble = (event_format.of(event) or "")[:_LONGEST_LINE]
        if isinstance(event, events.Trouble) and event.code == ErrorCode.NO_PREVIEW:
            return [message({"type": "no_preview", "board": self.number}, "no_preview", self.number)]
        return []

    def _noted(self, note: Note, at: float) -> list[Message]:
        """A note tells why a board is silent that has not said who it is."""
        return self._explained(note, at) if self._hello is None else []

    def _went(self, event: events.Lost, at: float) -> list[Message]:
        self._lost, self._frame_at = event.reason, _NEVER
        return []

    def _came(self, event: events.Found, at: float) -> list[Message]:
        self._lost, self._halted, self._since = None, "", at
        self.greeting_due = True
        return []


_HANDLERS: dict[type, Callable[..., list[Message]]] = {
    sentences.Frame: BoardState._frame,
    events.Block: BoardState._picture,
    events.Hello: BoardState._greeted,
    events.Restarted: BoardState._restarted,
    events.Settings: BoardState._settled,
    events.Stats: BoardState._measured,
    events.Trouble: BoardState._explained,
    events.OtherProtocol: BoardState._explained,
    Note: BoardState._noted,
    events.Lost: BoardState._went,
    events.Found: BoardState._came,
}
_LOG_KINDS = {
    events.Print: "print",
    events.Trouble: "error",
    events.OtherProtocol: "error",
    events.Restarted: "link",
    events.SelfTest: "link",
    events.Lost: "link",
    events.Found: "link",
    events.BlockLost: "link",
    Note: "link",
}
