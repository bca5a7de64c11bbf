"""Who may talk to the server: pages that it has sent itself, to a browser on this computer, and nobody else.

The server listens on 127.0.0.1 only. That keeps other computers out, but not other pages in the user's own browser:
one may open a websocket to any address (so the Origin must be this server's own), or have its own name resolve to
127.0.0.1 ("DNS rebinding", so the Host must be a name of this computer). The port may be any, for who looks through an
SSH tunnel.

Where it was asked to listen for other computers, too, who knows the token in the address that the monitor printed may
talk to it, and nobody else, from wherever: a cookie takes its place, so that it does not stay in the address bar.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable

from aiohttp import web

TOKEN = "token"
# A Host that may stand in a header: a name or address, and a port.
_PLAIN = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?")
_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]{1,5})?", re.IGNORECASE)


def is_own_host(host: str | None) -> bool:
    """Whether a Host header names this computer."""
    return host is not None and _HOST.fullmatch(host) is not None


def is_own_origin(origin: str | None, host: str) -> bool:
    """Whether an Origin header is of a page of this server, which was asked for as `host`."""
    return origin is not None and origin.lower() == f"http://{host.lower()}"


@web.middleware
async def own_host_only(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse requests under any other name."""
    if not is_own_host(request.headers.get("Host")):
        raise web.HTTPForbidden(text="This page is for this computer only: open http://127.0.0.1 and its port.\n")
    return await handler(request)


def token_only(token: str) -> Callable:
    """A middleware that refuses requests without the token, in the address or as the cookie that it leaves."""

    @web.middleware
    async def with_token(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if _is(request.query.get(TOKEN), token):
            answer = web.HTTPFound("/")
            answer.set_cookie(TOKEN, token, httponly=True, samesite="Lax")
            raise answer
        if not _is(request.cookies.get(TOKEN), token):
            raise web.HTTPForbidden(text="Open the address that the monitor printed, with its token.\n")
        return await handler(request)

    return with_token


def _is(given: str | None, token: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(errors="replace"), token.encode())


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """What the browser must keep the page to: everything from here, nothing inline, in nobody's frame."""
    host = request.headers.get("Host")
    # Older Safari does not count a websocket of the same host as 'self'.
    socket = f" ws://{host}" if host and _PLAIN.fullmatch(host) else ""
    response.headers.update(
        {
            "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            f"connect-src 'self'{socket}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-store",
        }
    )
