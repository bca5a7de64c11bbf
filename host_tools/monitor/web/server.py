"""The server of the page: binds to this computer only, serves the page's files and the websocket, ends promptly."""

from __future__ import annotations

import asyncio
import errno
import logging
import secrets
import socket
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from conversion.progress import Talk
from host_tools import time_limits
from host_tools.errors import HostToolError
from host_tools.monitor.feed import Feed, Item, Source
from host_tools.monitor.output import Output
from host_tools.monitor.web import guard
from host_tools.monitor.web.client import MOST_CLIENTS, Client
from host_tools.monitor.web.hub import Hub
from host_tools.monitor.web.recording import Recording

ADDRESS = "127.0.0.1"
_LOOPBACK = (ADDRESS, "localhost")
_ALL = "0.0.0.0"
# An address of the documentation's (RFC 5737): what this computer would send from to reach others. Nothing is sent.
_ELSEWHERE = ("192.0.2.1", 9)
PORT = 8017
SOCKET_PATH = "/live"
_PAGE = Path(__file__).with_name("page")
_START = "index.html"
TICK_SECONDS = 0.5
_TOKEN_BYTES = 16
_HUB = web.AppKey("hub", Hub)
# What this computer's mime.types may have wrong, and a browser must have right to run a module.
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


class WebError(HostToolError):
    """A page that cannot be served."""


class Page(Output):
    """The page as an output of the monitor: its server has an event loop of its own, in a thread of its own.

    Each item is handed over and taken there before the next one, so that a loop that has much to do slows the run down
    instead of piling items up; the feed's queue is bounded.
    """

    def __init__(self, port: int, feed: Feed, talk: Talk, record_folder: Path, host: str = ADDRESS) -> None:
        """Serve the page on `host`:`port` (0: a free one, which `talk` names) until close().

        Any other host than this computer alone gets a token, without which nobody is served. `feed` carries out what
        pages order. Recordings that a page starts go to `record_folder`. WebError if the port cannot be had.
        """
        self._token = None if host in _LOOPBACK else secrets.token_urlsafe(_TOKEN_BYTES)
        self._hub = Hub(feed, Recording(record_folder))
        self._next_tick = 0.0
        self._listener = _listen(host, port)
        started: Future[asyncio.AbstractEventLoop] = Future()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, args=(started, talk), name="web page", daemon=True)
        self._thread.start()
        try:
            self._loop = started.result()
        except BaseException:
            self._listener.close()
            raise
        talk(f"the page is at {self._address(host)} (Ctrl-C ends)")

    def _address(self, host: str) -> str:
        """What to open: on this computer, or elsewhere with the token."""
        port = self._listener.getsockname()[1]
        if self._token is None:
            return f"http://{ADDRESS}:{port}"
        return f"http://{_own_address() if host == _ALL else host}:{port}/?{guard.TOKEN}={self._token}"

    def take(self, item: Item) -> None:
        """Tell the tabs, and let them send it."""
        self._there(self._take(item))

    def tick(self, sources: list[Source], now: float) -> None:
        """Now and then: what time alone tells."""
        if now >= self._next_tick:
            self._next_tick = now + TICK_SECONDS
            self._there(self._tick())

    def close(self) -> None:
        """End recording and previews, close all tabs, let the port go: a few seconds at most."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._listener.close()

    def _there(self, work: Coroutine[None, None, None]) -> None:
        """Have the server's loop do something, and wait for it: what it raises is raised here."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _take(self, item: Item) -> None:
        self._hub.take(item)
        await asyncio.sleep(0)

    async def _tick(self) -> None:
        self._hub.tick()

    def _run(self, started: Future[asyncio.AbstractEventLoop], talk: Talk) -> None:
        try:
            asyncio.run(self._serve(started, talk))
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _serve(self, started: Future[asyncio.AbstractEventLoop], talk: Talk) -> None:
        runner = web.AppRunner(
            application(self._hub, self._token),
            access_log=None,
            handle_signals=False,
            shutdown_timeout=time_limits.WEB_END.seconds,
            logger=_logger(talk),
        )
        await runner.setup()
        self._hub.tick()
        try:
            await web.SockSite(runner, self._listener).start()
            started.set_result(asyncio.get_running_loop())
            await self._over.wait()
        finally:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._hub.close(), time_limits.WEB_END.seconds)
            await runner.cleanup()


def _named(host: str, port: int) -> str:
    """As `--web` has it."""
    return str(port) if host in _LOOPBACK else f"{host}:{port}"


def _own_address() -> str:
    """The address under which others reach this computer, as far as it knows itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return socket.gethostname()
        return probe.getsockname()[0]


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OverflowError as error:
        raise WebError(f"--web {port}: is no port; choose one from 1024 to 65535") from error
    except socket.gaierror as error:
        raise WebError(f"--web {host}:{port}: no such computer ({error.strerror}); --web {_ALL}:{port}") from error
    except OSError as error:
        what = {errno.EADDRINUSE: "another program has it", errno.EACCES: "it is for administrators only"}
        if error.errno == errno.EADDRNOTAVAIL:
            raise WebError(
                f"--web {host}:{port}: is no address of this computer; --web {_ALL}:{port} listens on all of them"
            ) from error
        why = what.get(error.errno, error.strerror)
        raise WebError(
            f"port {port} of this computer cannot be had ({why}); choose another: --web {_named(host, port + 1)}"
        ) from error


def application(hub: Hub, token: str | None = None) -> web.Application:
    """The page's files, read once, and the websocket; nothing else is there, whatever path is asked for.

    With a `token` for who knows it, else for this computer only.
    """
    app = web.Application(middlewares=[guard.own_host_only if token is None else guard.token_only(token)])
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
    if len(hub.tabs) >= MOST_CLIENTS:
        raise web.HTTPServiceUnavailable(text=f"{MOST_CLIENTS} tabs look already: close one.\n")
    return await Client(hub).run(request)


class _Relay(logging.Handler):
    """Tells of a failure of the server itself; requests that are no HTTP are not the user's doing."""

    def __init__(self, talk: Talk) -> None:
        super().__init__(logging.ERROR)
        self._talk = talk

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            self._talk(f"the page's server failed: {error or record.getMessage()!r}")


def _logger(talk: Talk) -> logging.Logger:
    logger = logging.Logger("monitor page")
    logger.addHandler(_Relay(talk))
    return logger
