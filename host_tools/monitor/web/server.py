"""The server of the page: binds to this computer only, serves the page's files and the websocket, ends promptly."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from host_tools import limits
from host_tools.errors import HostToolError
from host_tools.monitor.feed import Feed
from host_tools.monitor.items import Item
from host_tools.monitor.web import guard
from host_tools.monitor.web.client import MOST_TABS, Tab
from host_tools.monitor.web.hub import Hub
from host_tools.monitor.web.recording import Recording

ADDRESS = "127.0.0.1"
PORT = 8017
SOCKET_PATH = "/live"
_PAGE = Path(__file__).with_name("page")
_START = "index.html"
TICK_SECONDS = 0.5
# How soon the end is noticed, and how many items are taken from the feed before others have their turn.
_WAIT_SECONDS = 0.1
_ITEMS_AT_ONCE = 50
_HUB = web.AppKey("hub", Hub)
# What this computer's mime.types may have wrong, and a browser must have right to run a module.
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


class WebError(HostToolError):
    """A page that cannot be served."""


def serve(feed: Feed, port: int, over: threading.Event, talk: Callable[[str], None], record_folder: Path) -> None:
    """Serve the page on 127.0.0.1:`port` (0: a free one, which `talk` names) until `over` is set.

    Recordings that a page starts go to `record_folder`. WebError if the port cannot be had.
    """
    listener = _listen(port)
    try:
        asyncio.run(_serve(feed, listener, over, talk, Recording(record_folder)))
    finally:
        listener.close()


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((ADDRESS, port))
    except OverflowError as error:
        raise WebError(f"--web {port}: is no port; choose one from 1024 to 65535") from error
    except OSError as error:
        what = {errno.EADDRINUSE: "another program has it", errno.EACCES: "it is for administrators only"}
        why = what.get(error.errno, error.strerror)
        raise WebError(
            f"port {port} of this computer cannot be had ({why}); choose another: --web {port + 1}"
        ) from error


async def _serve(
    feed: Feed, listener: socket.socket, over: threading.Event, talk: Callable[[str], None], recording: Recording
) -> None:
    hub = Hub(feed, recording)
    runner = web.AppRunner(
        application(hub),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=limits.WEB_END.seconds,
        logger=_logger(talk),
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        talk(f"the page is at http://{ADDRESS}:{listener.getsockname()[1]} (Ctrl-C ends)")
        await _pump(feed, hub, over)
    finally:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(hub.close(), limits.WEB_END.seconds)
        await runner.cleanup()


async def _pump(feed: Feed, hub: Hub, over: threading.Event) -> None:
    """Take items from the feed, whose queue a thread of its own waits at, until it is over."""
    loop = asyncio.get_running_loop()
    ticking = asyncio.create_task(_tick(hub))
    with ThreadPoolExecutor(1, "web feed") as waiting:
        try:
            while not over.is_set() and not ticking.done():
                for item in await loop.run_in_executor(waiting, _take, feed):
                    hub.take(item)
                    # Let the tabs send it, before another takes its place.
                    await asyncio.sleep(0)
                if feed.ended:
                    await asyncio.sleep(_WAIT_SECONDS)
        finally:
            ticking.cancel()
    if ticking.done() and not ticking.cancelled():
        ticking.result()


def _take(feed: Feed) -> list[Item]:
    """What is there; waits a moment for the first."""
    items = [feed.next(_WAIT_SECONDS)]
    while items[-1] is not None and len(items) < _ITEMS_AT_ONCE:
        items.append(feed.next(0))
    return [item for item in items if item is not None]


async def _tick(hub: Hub) -> None:
    while True:
        hub.tick()
        await asyncio.sleep(TICK_SECONDS)


def application(hub: Hub) -> web.Application:
    """The page's files, read once, and the websocket; nothing else is there, whatever path is asked for."""
    app = web.Application(middlewares=[guard.own_host_only])
    app[_HUB] = hub
    app.on_response_prepare.append(guard.add_headers)
    for path in sorted(_PAGE.iterdir()):
        address = "/" if path.name == _START else f"/{path.name}"
        app.router.add_get(address, partial(_file, path.read_bytes(), _TYPES[path.suffix]))
    app.router.add_get(SOCKET_PATH, _socket)
    return app


async def _file(content: bytes, kind: str, request: web.Request) -> web.Response:
    return web.Response(body=content, content_type=kind, charset="utf-8")


async def _socket(request: web.Request) -> web.StreamResponse:
    if not guard.is_own_origin(request.headers.get("Origin"), request.headers["Host"]):
        raise web.HTTPForbidden(text="Only this server's own page may connect.\n")
    hub = request.app[_HUB]
    if len(hub.tabs) >= MOST_TABS:
        raise web.HTTPServiceUnavailable(text=f"{MOST_TABS} tabs look already: close one.\n")
    return await Tab(hub).run(request)


class _Relay(logging.Handler):
    """Tells of a failure of the server itself; requests that are no HTTP are not the user's doing."""

    def __init__(self, talk: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._talk = talk

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            self._talk(f"the page's server failed: {error or record.getMessage()!r}")


def _logger(talk: Callable[[str], None]) -> logging.Logger:
    logger = logging.Logger("monitor page")
    logger.addHandler(_Relay(talk))
    return logger
