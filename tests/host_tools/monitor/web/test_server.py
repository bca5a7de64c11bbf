"""The server against what is not its own page: strangers, nonsense, slow readers; and how it begins and ends."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from host_tools import time_limits
from host_tools.errors import LinkError
from host_tools.monitor import replay, web
from host_tools.monitor.feed import Item
from host_tools.monitor.frame_processing import FrameProcessor
from host_tools.monitor.session import Limits, Session
from host_tools.monitor.web import client as tab
from host_tools.monitor.web import hub as hubs
from host_tools.monitor.web import messages, orders, server
from host_tools.monitor.web.outbox import MOST_KEPT
from host_tools.monitor.web.recording import Recording
from host_tools.serial_link.sentences import Frame
from tests.host_tools.monitor import actors
from tests.host_tools.monitor.web import fake
from tests.host_tools.monitor.web.clients import PATIENCE, Client, get, talk, until
from tests.host_tools.monitor.web.serving import Served
from tests.patience import exactly


@pytest.fixture
def feed() -> fake.FakeFeed:
    return fake.FakeFeed()


@pytest.fixture
def page(served: Callable, feed: fake.FakeFeed) -> Iterator[Served]:
    return served(feed)


def test_the_page_and_its_parts_are_there_and_may_load_nothing_else(page: Served) -> None:
    status, headers, text = get(page, "/")
    assert status == 200
    assert "<main" in text
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert get(page, "/main.js")[1]["Content-Type"] == "text/javascript; charset=utf-8"
    assert get(page, "/style.css")[1]["Content-Type"] == "text/css; charset=utf-8"


def test_it_listens_on_this_computer_only(page: Served) -> None:
    # Another of the loopback's addresses: a server on all addresses would answer.
    with pytest.raises(OSError, match=r"."):
        socket.create_connection(("127.0.0.2", page.port), 2)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "[::1]", "", "localhost:x"]
)
def test_another_host_name_gets_nothing(page: Served, host: str) -> None:
    """A page whose name was made to resolve to this computer."""
    status, _, text = get(page, "/", Host=host.format(port=page.port))
    assert status == 403
    assert "<main" not in text


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:9", "localhost"])
def test_names_of_this_computer_are_taken(page: Served, host: str) -> None:
    """With any port: it may be that of an SSH tunnel."""
    assert get(page, "/", Host=host.format(port=page.port))[0] == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://localhost:{port}",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1",
        "file://",
    ],
)
def test_a_websocket_of_another_page_is_refused(page: Served, origin: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        talk(page, lambda client: client.next("welcome"), Origin=origin.format(port=page.port))
    assert caught.value.status == 403


def test_a_websocket_without_origin_is_refused(page: Served) -> None:
    status, _, _ = get(page, "/live", Connection="Upgrade", Upgrade="websocket")
    assert status == 403


@pytest.mark.parametrize(
    "path",
    ["/../server.py", "/%2e%2e/server.py", "//etc/passwd", "/index.html/..", "/page/", "/recordings/", "/style.css%00"],
)
def test_there_is_nothing_else(page: Served, path: str) -> None:
    with socket.create_connection(("127.0.0.1", page.port), PATIENCE) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert line.recv(4096).split()[1] in (b"404", b"400")


def test_what_is_no_http_does_no_harm(page: Served) -> None:
    for nonsense in (
        b"\x16\x03\x01\x02\x00\xff\xff\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost\r\n\r\n",
        b"\0" * 9999,
    ):
        with socket.create_connection(("127.0.0.1", page.port), PATIENCE) as line:
            line.sendall(nonsense)
            line.shutdown(socket.SHUT_WR)
            line.recv(4096)
    assert get(page, "/")[0] == 200
    assert len(page.talked) == 1


@pytest.mark.parametrize(
    "said", ["{", "[]", '{"id": 4, "do": "reset", "board": 0}', '{"id": 4, "do": "pause", "board": 9}']
)
def test_a_wrong_order_is_answered_and_the_connection_stays(page: Served, feed: fake.FakeFeed, said: str) -> None:
    async def conversation(client: Client) -> None:
        await client.socket.send_str(said)
        reply = await client.next("reply")
        assert not reply["ok"]
        assert reply["text"]
        assert (await client.order(do="pause", board=0))["ok"]

    talk(page, conversation)
    assert ("maix_bit", "PAUSE", ()) in feed.asked


@pytest.mark.parametrize(("said", "code"), [(b"\0\1", 1003), ("x" * (messages.MAX_BYTES + 1), 1009)])
def test_what_is_no_text_or_too_long_ends_the_connection(page: Served, said: str | bytes, code: int) -> None:
    async def conversation(client: Client) -> None:
        await (client.socket.send_bytes(said) if isinstance(said, bytes) else client.socket.send_str(said))
        while (await client.socket.receive(PATIENCE)).type is aiohttp.WSMsgType.TEXT:
            pass
        assert client.socket.close_code == code

    talk(page, conversation)
    talk(page, lambda client: client.next("welcome"))


def test_a_refusal_of_the_board_is_told_in_its_words(page: Served, feed: fake.FakeFeed) -> None:
    feed.answer = fake.refusing("POSES", 3, "the self-test is running")

    async def conversation(client: Client) -> None:
        reply = await client.order(do="poses", board=0, root_score=100)
        assert not reply["ok"]
        assert "the self-test is running" in reply["text"]

    talk(page, conversation)


def test_a_board_that_does_not_answer_or_goes_is_told_of(
    page: Served, feed: fake.FakeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_limits, "WEB_ANSWER", exactly(0.2))
    feed.answer = lambda label, kind, fields: None if kind == "PAUSE" else 0

    async def conversation(client: Client) -> None:
        assert "has not answered PAUSE" in (await client.order(do="pause", board=0))["text"]
        feed.say(fake.events.Lost("the cable was pulled"))
        await client.next("board", state="lost")
        assert "not there" in (await client.order(do="pause", board=0))["text"]

    talk(page, conversation)


def test_too_many_orders_at_once_are_refused(page: Served, feed: fake.FakeFeed) -> None:
    feed.answer = lambda label, kind, fields: None

    async def conversation(client: Client) -> None:
        for number in range(tab.MOST_ORDERS + 1):
            await client.socket.send_json({"id": number, "do": "pause", "board": 0})
        assert "too much at once" in (await client.next("reply", id=tab.MOST_ORDERS))["text"]

    talk(page, conversation)


def test_too_many_tabs_are_refused(page: Served) -> None:
    async def conversation(*_: Client) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await asyncio.to_thread(talk, page, lambda client: client.next("welcome"))
        assert caught.value.status == 503

    talk(page, conversation, tabs=tab.MOST_CLIENTS)


def test_previews_are_sent_as_long_as_any_tab_wants_them(page: Served, feed: fake.FakeFeed) -> None:
    async def conversation(first: Client, second: Client) -> None:
        await first.order(do="preview", board=0, on=True, quality=40)
        await second.order(do="preview", board=0, on=True, quality=60)
        await first.order(do="preview", board=0, on=False, quality=40)
        assert feed.asked_for("PREVIEW") == [(orders.PREVIEW_MS, 40), (orders.PREVIEW_MS, 60)]
        # A board that has started again has forgotten them.
        feed.say(fake.events.Restarted(fake.hello(boot=8)))
        await until(lambda: len(feed.asked_for("PREVIEW")) == 3)
        await second.socket.close()
        await until(lambda: len(feed.asked_for("PREVIEW")) == 4)
        assert feed.asked_for("PREVIEW")[2:] == [(orders.PREVIEW_MS, 60), (0,)]

    talk(page, conversation, tabs=2)


def test_a_recording_holds_what_came_and_who_was_there(page: Served, feed: fake.FakeFeed, tmp_path: Path) -> None:
    frames = list(actors.walking(5))

    async def conversation(client: Client) -> None:
        assert (await client.next("recording"))["on"] is False
        assert (await client.order(do="record", on=True, name="squats"))["ok"]
        assert (await client.next("recording", on=True))["name"] == "squats.jsonl"
        again = await client.order(do="record", on=True, name="other")
        assert "already" in again["text"]
        feed.say(*frames, fake.events.Print("hello"))
        await client.next("log", text="hello")
        assert (await client.order(do="record", on=False, name=None))["ok"]
        assert "squats.jsonl" in (await client.next("recording", on=False))["text"]
        assert "exists already" in (await client.order(do="record", on=True, name="squats"))["text"]

    talk(page, conversation)
    read = [(label, event) for _, label, event in replay.read(tmp_path / "recordings" / "squats.jsonl")]
    assert {label for label, _ in read} == {"maix_bit"}
    events = [event for _, event in read]
    assert events[0] == fake.hello()
    assert [event for event in events if isinstance(event, Frame)] == frames
    assert fake.events.Print("hello") in events


def test_nothing_is_written_beside_the_folder(page: Served, tmp_path: Path) -> None:
    async def conversation(client: Client) -> None:
        for name in ("../escaped", "/tmp/escaped", "a/../../escaped", "..\\escaped"):
            assert not (await client.order(do="record", on=True, name=name))["ok"]

    talk(page, conversation)
    assert not list(tmp_path.rglob("*escaped*"))
    assert not (tmp_path / "recordings").exists()


def test_a_recording_that_is_under_way_is_ended_with_the_server(served: Callable, tmp_path: Path) -> None:
    feed = fake.FakeFeed()
    page = served(feed)
    talk(page, lambda client: client.order(do="record", on=True, name="last"))
    page.end()
    assert next(replay.read(tmp_path / "recordings" / "last.jsonl"))[2] == fake.hello()


def test_a_slow_reader_gets_fewer_frames_and_holds_nobody_up(tmp_path: Path) -> None:
    """Two tabs: one takes what comes, the other does not read at all while 60 MB go by."""
    rounds = 3 * MOST_KEPT
    picture = fake.events.Block("JPEG", b"\xff\xd8" + bytes(100_000), 1)
    feed = fake.FakeFeed()

    async def run() -> None:
        hub = hubs.Hub(feed, Recording(tmp_path))
        hub.look_at_sources()
        runner = aiohttp.web.AppRunner(server.application(hub), shutdown_timeout=0.1)
        await runner.setup()
        await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession() as session:
            headers = {"Origin": address}
            fast = Client(await session.ws_connect(f"{address}/live", headers=headers))
            at_once = aiohttp.ClientWSTimeout(ws_close=0.1)
            slow = await session.ws_connect(f"{address}/live", headers=headers, timeout=at_once)
            slow._response.connection.transport.pause_reading()
            last = asyncio.create_task(fast.next("frame", frame=rounds))
            for number in range(1, rounds + 1):
                for event in (actors.frame(number, [actors.person(80, 60)]), picture, fake.events.Print("hello")):
                    hub.take(Item("maix_bit", event, number / 10))
                await asyncio.sleep(0)
            await last
            waiting = sorted(len(each.outbox) for each in hub.tabs)
            dropped = max(each.outbox.dropped for each in hub.tabs)
            assert waiting[0] <= 2
            # The newest frame and picture, how the board is, and the newest lines.
            assert MOST_KEPT < waiting[1] <= MOST_KEPT + 5
            assert dropped > rounds / 4
            await slow.close()
        await hub.close()
        await runner.cleanup()

    asyncio.run(asyncio.wait_for(run(), PATIENCE))


def test_a_port_that_is_taken_is_one_clear_line(page: Served, tmp_path: Path) -> None:
    with pytest.raises(web.server.WebError, match=rf"port {page.port} .*another program has it.*--web {page.port + 1}"):
        web.Page(page.port, fake.FakeFeed(), print, tmp_path)


def test_it_ends_promptly_with_tabs_open_that_do_not_answer(served: Callable) -> None:
    page = served(fake.FakeFeed())
    handshake = (
        f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nOrigin: {page.address}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", page.port), PATIENCE) as line:
        line.sendall(handshake.encode())
        assert line.recv(20).startswith(b"HTTP/1.1 101")
        page.end()
    with pytest.raises(OSError, match=r"."):
        socket.create_connection(("127.0.0.1", page.port), 2).close()


def test_an_error_of_the_feed_ends_the_server(tmp_path: Path) -> None:
    class Broken(fake.FakeFeed):
        def next(self, seconds: float) -> Item | None:
            raise LinkError("the port has gone")

    feed = Broken()
    with closing(web.Page(0, feed, str, tmp_path)) as page, pytest.raises(LinkError, match="the port has gone"):
        Session(feed, [page], Limits(), FrameProcessor()).run(threading.Event())


def test_what_goes_wrong_in_the_server_is_raised_in_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = fake.FakeFeed()
    with closing(web.Page(0, feed, str, tmp_path)) as page:
        monkeypatch.setattr(feed, "sources", None)
        with pytest.raises(TypeError, match="not iterable"):
            page.tick([], 0.0)


def test_items_do_not_pile_up_before_the_server(tmp_path: Path) -> None:
    """An item is taken there before the run goes on."""
    feed = fake.FakeFeed()
    taken: list[Item] = []
    with closing(web.Page(0, feed, str, tmp_path)) as page:
        page._hub.take = taken.append
        for number in range(100):
            page.take(Item("maix_bit", fake.events.Print(str(number)), 0.0))
            assert len(taken) == number + 1
