"""`--web HOST:PORT`: for others than this computer, with the token alone, which the printed address has."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import aiohttp
import click
import pytest

from host_tools.monitor import web
from host_tools.monitor.monitor_command import DEFAULT_WEB_HOST, WebPlace
from host_tools.monitor.web import server
from tests.host_tools.monitor.web import fake
from tests.host_tools.monitor.web.browser import Browser

# Loopback to the system, to the server an address like any other.
HOST = "127.0.0.2"


class Shared:
    """A page for others: `address` without the token, `token`, what was talked."""

    def __init__(self, folder: Path) -> None:
        self.talked: list[str] = []
        self.page = web.Page(0, fake.FakeFeed(), self.talked.append, folder, HOST)
        found = re.fullmatch(
            r"the page is at (http://127\.0\.0\.2:\d+)/\?token=([\w-]{22}) \(Ctrl-C ends\)", *self.talked
        )
        self.address, self.token = found.groups()


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    made = Shared(tmp_path)
    with closing(made.page):
        yield made


def answers(visit: Callable) -> object:
    """What a visitor sees, with an empty jar of cookies that takes those of addresses, too."""

    async def run() -> object:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            return await visit(session)

    return asyncio.run(run())


@pytest.mark.parametrize("path", ["/", "/main.js", "/live", "/?token=", "/?token=wrong", "/?token=%F0%9F%98%80"])
def test_without_the_token_nothing_is_served(shared: Shared, path: str) -> None:
    async def visit(session: aiohttp.ClientSession) -> tuple[int, str]:
        async with session.get(shared.address + path) as answer:
            return answer.status, await answer.text()

    assert answers(visit) == (403, "Open the address that the monitor printed, with its token.\n")


def test_with_the_token_the_page_and_its_websocket_are_there_and_the_address_loses_it(shared: Shared) -> None:
    async def visit(session: aiohttp.ClientSession) -> None:
        async with session.get(f"{shared.address}/?token={shared.token}") as answer:
            assert answer.status == 200
            assert str(answer.url) == f"{shared.address}/"
            assert "<main" in await answer.text()
            assert f"ws://{shared.address.removeprefix('http://')}" in answer.headers["Content-Security-Policy"]
        (cookie,) = session.cookie_jar
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
        async with session.get(f"{shared.address}/main.js") as answer:
            assert answer.status == 200
        headers = {"Origin": shared.address}
        async with session.ws_connect(f"{shared.address}/live", headers=headers) as live:
            assert (await live.receive_json())["type"] == "welcome"
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await session.ws_connect(f"{shared.address}/live", headers={"Origin": "http://elsewhere"})

    answers(visit)


def test_each_run_has_a_token_of_its_own(shared: Shared, tmp_path: Path) -> None:
    other = Shared(tmp_path)
    other.page.close()
    assert other.token != shared.token


def test_a_browser_opens_the_printed_address(shared: Shared, browser: Browser) -> None:
    with browser.open(f"{shared.address}/?token={shared.token}", 390, 800) as tab:
        tab.wait_for("document.querySelectorAll('.panel').length === 1")
        assert tab.evaluate("location.href") == f"{shared.address}/"
        assert tab.complaints == []


def test_an_address_that_is_not_this_computers_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(
        server.WebError, match=r"--web 192\.0\.2\.1:0: is no address of this computer; --web 0\.0\.0\.0"
    ):
        web.Page(0, fake.FakeFeed(), print, tmp_path, "192.0.2.1")


def test_on_all_addresses_this_computers_own_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_own_address", lambda: "192.168.1.20")
    talked: list[str] = []
    with closing(web.Page(0, fake.FakeFeed(), talked.append, tmp_path, "0.0.0.0")):
        assert talked[0].startswith("the page is at http://192.168.1.20:")
        assert "/?token=" in talked[0]


def test_this_computers_address_is_a_name_or_numbers() -> None:
    assert socket.gethostbyname(server._own_address())


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("8017", (DEFAULT_WEB_HOST, 8017)),
        ("0", (DEFAULT_WEB_HOST, 0)),
        ("0.0.0.0:8017", ("0.0.0.0", 8017)),
        ("my-pc.local:9000", ("my-pc.local", 9000)),
        (":9000", (DEFAULT_WEB_HOST, 9000)),
    ],
)
def test_a_place_is_a_port_or_a_host_and_a_port(value: str, place: tuple[str, int]) -> None:
    assert WebPlace().convert(value, None, None) == place


@pytest.mark.parametrize("value", ["", "x", "host", "host:", "65536", "1.2.3.4:99999", "::1:80", "-1", "٣"])
def test_what_is_no_place_is_one_clear_line(value: str) -> None:
    with pytest.raises(click.BadParameter, match="must be a port from 0 to 65535, or an address and a port"):
        WebPlace().convert(value, None, None)
