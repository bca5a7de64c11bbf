"""What one browser tab has still to get, bounded: a slow tab loses what is stale, and never makes the server wait."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

# Messages that replace nothing (lines of the log, replies): more than a page shows at once.
MOST_KEPT = 200


@dataclass(frozen=True)
class Message:
    """One message, ready to be sent. It replaces one of the same `key` that was not sent yet; with None, none."""

    data: str | bytes
    key: Hashable = None


def message(content: dict, *key: Hashable) -> Message:
    """A message of JSON; `key` as above, in parts."""
    return Message(json.dumps(content, separators=(",", ":")), key or None)


class Outbox:
    """Messages in the order of their coming; `dropped` counts those that were neither sent nor replaced."""

    def __init__(self) -> None:
        self.dropped = 0
        self._waiting: OrderedDict[Hashable, Message] = OrderedDict()
        self._number = 0
        self._filled = asyncio.Event()

    def put(self, new: Message) -> None:
        """Add a message, in the place of the one that it replaces."""
        self._waiting[new.key or self._next_number()] = new
        self._filled.set()

    def _next_number(self) -> int:
        """The key of a message that is kept; the oldest of too many is dropped."""
        self._number += 1
        if self._waiting.pop(self._number - MOST_KEPT, None):
            self.dropped += 1
        return self._number

    async def get(self) -> Message:
        """The next message; waits for one."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return self._waiting.popitem(last=False)[1]

    def __len__(self) -> int:
        return len(self._waiting)
