"""One tab of a browser: its websocket, what it still has to get, and the orders that come from it."""

from __future__ import annotations

import asyncio

from aiohttp import WSMsgType, web

from host_tools import time_limits
from host_tools.errors import HostToolError
from host_tools.monitor.web import messages
from host_tools.monitor.web.hub import Hub
from host_tools.monitor.web.messages import BadOrderError
from host_tools.monitor.web.outbox import Outbox, message

MOST_CLIENTS = 12
MOST_ORDERS = 16
# A browser that answers no ping for so long is gone, or sleeps; its page connects again by itself.
_HEARTBEAT_SECONDS = 20.0


class Client:
    """Serves one websocket from run() until it closes, or close() is called."""

    def __init__(self, hub: Hub) -> None:
        self.outbox = Outbox()
        self._hub = hub
        self._orders: set[asyncio.Task] = set()
        self._socket = web.WebSocketResponse(
            max_msg_size=messages.MAX_BYTES,
            heartbeat=_HEARTBEAT_SECONDS,
            timeout=time_limits.WEB_END.seconds,
            compress=False,
        )

    async def run(self, request: web.Request) -> web.WebSocketResponse:
        """Talk until the other side goes."""
        await self._socket.prepare(request)
        self._hub.enter(self)
        sender = asyncio.create_task(self._send())
        try:
            async for said in self._socket:
                if said.type is not WSMsgType.TEXT:
                    await self._socket.close(code=1003, message=b"text only")
                    break
                self._take(said.data)
        finally:
            self._hub.leave(self)
            for task in (sender, *self._orders):
                task.cancel()
        return self._socket

    async def _send(self) -> None:
        """Send one message after another; a slow browser makes this wait, and the outbox forget."""
        try:
            while True:
                data = (await self.outbox.get()).data
                await (self._socket.send_bytes(data) if isinstance(data, bytes) else self._socket.send_str(data))
        except ConnectionError:
            # The reader of the same socket notices, and ends.
            return

    def _take(self, text: str) -> None:
        try:
            order = messages.parse(text, self._hub.boards)
        except BadOrderError as error:
            self._reply(error.number, str(error))
            return
        if len(self._orders) >= MOST_ORDERS:
            self._reply(order.number, "too much at once: wait for the answers")
            return
        task = asyncio.create_task(self._carry_out(order))
        self._orders.add(task)
        task.add_done_callback(self._orders.discard)

    async def _carry_out(self, order: messages.Order) -> None:
        try:
            await self._hub.carry_out(self, order)
        except HostToolError as error:
            self._reply(order.number, str(error))
        else:
            self._reply(order.number, None)

    def _reply(self, number: int | None, fault: str | None) -> None:
        self.outbox.put(message({"type": "reply", "id": number, "ok": fault is None, "text": fault or ""}))

    async def close(self) -> None:
        """Say goodbye; a browser that does not answer in time is cut off with the server's sockets."""
        await self._socket.close(code=1001, message=b"the monitor ends")
