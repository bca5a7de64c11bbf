"""Who connects to the server: as the page does, or as a stranger."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import aiohttp

from tests.host_tools.monitor.web.serving import Served
from tests.patience import HANG_SECONDS

PATIENCE = HANG_SECONDS


class Client:
    """A websocket like the page's."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._kept: list[dict] = []

    async def next(self, kind: str, **fields: object) -> dict:
        """The next message of a type with these fields, of those that came meanwhile too."""
        return await asyncio.wait_for(self._next({"type": kind, **fields}), PATIENCE)

    async def _next(self, fields: dict) -> dict:
        for number, message in enumerate(self._kept):
            if fields.items() <= message.items():
                return self._kept.pop(number)
        while True:
            said = await self.socket.receive()
            if said.type is aiohttp.WSMsgType.BINARY:
                continue
            assert said.type is aiohttp.WSMsgType.TEXT, said
            message = json.loads(said.data)
            if fields.items() <= message.items():
                return message
            self._kept.append(message)

    async def order(self, **what: object) -> dict:
        """Send an order; its reply."""
        await self.socket.send_json({"id": 1, **what})
        return await self.next("reply", id=1)


def talk(served: Served, conversation: Callable[..., Awaitable[None]], tabs: int = 1, **headers: str) -> None:
    """Connect as the page does, or with other headers, and talk."""

    async def run() -> None:
        own = {"Origin": served.address, **headers}
        async with aiohttp.ClientSession() as session:
            sockets = [await session.ws_connect(f"{served.address}/live", headers=own) for _ in range(tabs)]
            await conversation(*map(Client, sockets))
            await asyncio.gather(*(each.close() for each in sockets))

    asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is true."""

    async def wait() -> None:
        while not condition():
            await asyncio.sleep(0.02)

    await asyncio.wait_for(wait(), PATIENCE)


def get(served: Served, path: str, **headers: str) -> tuple[int, dict, str]:
    """Status, headers and text of an answer."""

    async def run() -> tuple[int, dict, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(served.address + path, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status, dict(answer.headers), await answer.text()

    return asyncio.run(run())
