"""What a tab has still to get stays small, whatever comes, and the newest of everything is in it."""

from __future__ import annotations

import asyncio
import json

from hypothesis import given
from hypothesis import strategies as st

from host_tools.monitor.web.outbox import MOST_KEPT, Message, Outbox, message
from tests.patience import HANG_SECONDS

KEYS = (("frame", 0), ("frame", 1), ("board", 0))


def drained(outbox: Outbox) -> list[Message]:
    """All that waits."""

    async def get_all() -> list[Message]:
        return [await outbox.get() for _ in range(len(outbox))]

    return asyncio.run(get_all())


@given(st.lists(st.none() | st.sampled_from(KEYS), max_size=3 * MOST_KEPT))
def test_it_is_bounded_and_keeps_what_is_newest(keys: list[tuple | None]) -> None:
    outbox = Outbox()
    for number, key in enumerate(keys):
        outbox.put(Message(str(number), key))
    assert len(outbox) <= MOST_KEPT + len(KEYS)
    found = [int(each.data) for each in drained(outbox)]
    lines = [number for number, key in enumerate(keys) if key is None]
    assert [number for number in found if keys[number] is None] == lines[-MOST_KEPT:]
    assert outbox.dropped == max(0, len(lines) - MOST_KEPT)
    for key in KEYS:
        newest = [number for number, each in enumerate(keys) if each == key][-1:]
        assert [number for number in found if keys[number] == key] == newest


def test_it_waits_for_something() -> None:
    async def wait() -> str | bytes:
        outbox = Outbox()
        waiting = asyncio.create_task(outbox.get())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        outbox.put(message({"a": 1}))
        return (await asyncio.wait_for(waiting, HANG_SECONDS)).data

    assert json.loads(asyncio.run(wait())) == {"a": 1}
