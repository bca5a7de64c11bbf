"""Between the feed and the open tabs: gives every tab what boards say. Everything here runs in the server's event loop.

Beside the messages of `board_state.py` a page gets

    welcome    keypoints, skeleton, ranges (name: lowest, highest), reply_ms (how long a page waits for a reply)
    recording  on, name, folder, lines, text
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Protocol

from conversion import network
from host_tools import time_limits
from host_tools.monitor.feed import Feed, Item
from host_tools.monitor.web import messages
from host_tools.monitor.web.board_state import BoardState
from host_tools.monitor.web.orders import Orders
from host_tools.monitor.web.outbox import Message, Outbox, message
from host_tools.monitor.web.recording import Recording
from host_tools.serial_link import ErrorCode, Trouble


class Tab(Protocol):
    """An open tab, as far as the hub knows it: what it still has to get, and how it is closed."""

    outbox: Outbox

    async def close(self) -> None:
        """Say goodbye."""


def _welcome() -> Message:
    return message(
        {
            "type": "welcome",
            "keypoints": network.KEYPOINTS,
            "skeleton": network.SKELETON,
            "ranges": {name: [field.low, field.high] for name, field in messages.POSES.items()},
            "reply_ms": round(1000 * time_limits.PAGE_ANSWER.seconds),
        }
    )


class Hub:
    """All boards of a feed, and all tabs that look at them."""

    def __init__(self, feed: Feed, recording: Recording) -> None:
        self.tabs: set[Tab] = set()
        self._feed = feed
        self._recording = recording
        self._orders = Orders(feed)
        self._boards: dict[int, BoardState] = {}
        self._numbers: dict[str, int] = {}

    @property
    def boards(self) -> list[int]:
        """The numbers of the boards."""
        return list(self._boards)

    def take(self, item: Item) -> None:
        """One item of the feed."""
        if item.source not in self._numbers:
            self.look_at_sources()
        self._keep(item)
        number = self._numbers.get(item.source)
        if number is not None:
            self._tell(self._boards[number].take(item.event, item.at))
            if isinstance(item.event, Trouble) and item.event.code == ErrorCode.NO_PREVIEW:
                self._orders.forget_previews(number)

    def _keep(self, item: Item) -> None:
        """Record an item; a full disk ends that, which the pages must know."""
        if self._recording.on:
            self._recording.take(item)
            if not self._recording.on:
                self._tell([self._about_recording()])

    def tick(self) -> None:
        """Now and then: what time alone tells, and questions that are due."""
        self.look_at_sources()
        if self._recording.on:
            self._tell([self._about_recording()])
        if self.tabs:
            for board in self._boards.values():
                self._orders.ask_if_due(board)

    def look_at_sources(self) -> None:
        """A label may have changed since the board has said its name; the boards of a recording come one by one."""
        now = time.monotonic()
        for source in self._feed.sources:
            self._numbers[source.label] = source.number
            board = self._boards.get(source.number)
            if board is None:
                board = self._boards[source.number] = BoardState(source, now)
                self._tell(board.everything(now))
            else:
                self._tell(board.tick(source, now))

    def _tell(self, found: Iterable[Message]) -> None:
        for each in found:
            for tab in self.tabs:
                tab.outbox.put(each)

    def _about_recording(self) -> Message:
        return message({"type": "recording", **self._recording.state()}, "recording")

    def enter(self, tab: Tab) -> None:
        """A tab opens: it gets all there is to know."""
        self.tabs.add(tab)
        now = time.monotonic()
        boards = (each for board in self._boards.values() for each in board.everything(now))
        for each in (_welcome(), self._about_recording(), *boards):
            tab.outbox.put(each)

    def leave(self, tab: Tab) -> None:
        """A tab closes."""
        self.tabs.discard(tab)
        self._orders.forget(tab, self._boards)

    async def carry_out(self, tab: Tab, order: messages.Order) -> None:
        """Do what a page orders; HostToolError says why it cannot be."""
        if order.do == "record":
            self._record(order)
        else:
            await self._orders.carry_out(tab, self._boards[order.board], order)

    def _record(self, order: messages.Order) -> None:
        try:
            if order.values["on"]:
                now = time.monotonic()
                known = (Item(board.label, event, now) for board in self._boards.values() for event in board.known)
                self._recording.start(order.values["name"], known)
            else:
                self._recording.stop()
        finally:
            self._tell([self._about_recording()])

    async def close(self) -> None:
        """End recording and previews, close all tabs."""
        self._recording.stop()
        self._tell([self._about_recording()])
        tabs = tuple(self.tabs)
        for tab in tabs:
            self.leave(tab)
        await asyncio.gather(*(tab.close() for tab in tabs))
        await self._orders.close()
