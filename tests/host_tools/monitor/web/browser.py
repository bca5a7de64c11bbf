"""A headless Chromium, driven through the DevTools protocol: one tab, what it asked for, what it complained of."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as NotInTime
from pathlib import Path
from typing import TypeVar

import aiohttp

from tests.patience import HANG_SECONDS

T = TypeVar("T")
NAMES = ("chromium", "chromium-browser", "google-chrome")
# A busy machine starts it in ten seconds.
# Nothing of its own accord: no first run, no updates, no look-ups.
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--remote-debugging-port=0", "--no-first-run", "--disable-gpu",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--disable-dev-shm-usage", "--disable-features=Translate,OptimizationHints,MediaRouter", "--mute-audio",
    "--no-default-browser-check", "--disable-default-apps", "--force-device-scale-factor=1", "about:blank",
)  # fmt: skip


def program() -> str | None:
    """The browser's path; None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class PageError(AssertionError):
    """Script of a test that failed in the page, or a condition that did not come true."""


class Browser:
    """The browser's process and a thread that talks with it. A context manager."""

    def __init__(self, path: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        command = [path, *_OPTIONS[:-1], f"--user-data-dir={self._folder.name}", _OPTIONS[-1]]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._address = self._find_address()
            self._session = self.run(self._make_session())
        except BaseException:
            self.close()
            raise

    def _find_address(self) -> str:
        """Where it listens, which it writes into a file of its folder."""
        file = Path(self._folder.name) / "DevToolsActivePort"
        deadline = time.monotonic() + HANG_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if file.exists() and "\n" in (text := file.read_text()):
                return f"http://127.0.0.1:{text.splitlines()[0]}"
            time.sleep(0.05)
        raise PageError(f"the browser did not start (exit code {self._process.poll()})")

    async def _make_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession()

    def run(self, task: Coroutine[None, None, T], seconds: float = HANG_SECONDS) -> T:
        """Carry out a coroutine in the browser's thread."""
        future = asyncio.run_coroutine_threadsafe(task, self._loop)
        try:
            return future.result(seconds)
        except NotInTime:
            future.cancel()
            raise PageError(f"the browser did not answer within {seconds:g} s") from None

    def open(self, address: str, width: int = 1280, height: int = 900) -> Tab:
        """A new tab of that size, which loads an address."""
        return Tab(self, self._session, self._address, address, width, height)

    def close(self) -> None:
        """End the process; nothing is left of it."""
        if hasattr(self, "_session"):
            self.run(self._session.close())
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(HANG_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._folder.cleanup()

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Tab:
    """One page. `complaints`: errors of its scripts and of the console; `requests`: every address it asked for."""

    def __init__(
        self, browser: Browser, session: aiohttp.ClientSession, devtools: str, address: str, width: int, height: int
    ) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._browser, self._session, self._devtools = browser, session, devtools
        self._numbers = itertools.count(1)
        self._replies: dict[int, asyncio.Future] = {}
        self._loaded = threading.Event()
        browser.run(self._connect())
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.resize(width, height)
        self.load(address)

    async def _connect(self) -> None:
        async with self._session.put(f"{self._devtools}/json/new?about:blank") as answer:
            about = await answer.json()
        self._id = about["id"]
        self._socket = await self._session.ws_connect(about["webSocketDebuggerUrl"], max_msg_size=0)
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for said in self._socket:
            message = json.loads(said.data)
            if "id" in message:
                self._replies.pop(message["id"]).set_result(message)
            else:
                self._take(message["method"], message["params"])

    def _take(self, method: str, told: dict) -> None:
        if method == "Page.loadEventFired":
            self._loaded.set()
        elif method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.requests.append(told["url"])
        elif method == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            self.complaints.append(" ".join(str(each.get("value")) for each in told["args"]))
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")

    def call(self, method: str, **parameters: object) -> dict:
        """A command of the DevTools protocol; PageError if it is refused."""
        return self._browser.run(self._call(method, parameters))

    async def _call(self, method: str, parameters: dict) -> dict:
        number = next(self._numbers)
        self._replies[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        reply = await self._replies[number]
        if "error" in reply:
            raise PageError(f"{method}: {reply['error']['message']}")
        return reply["result"]

    def resize(self, width: int, height: int) -> None:
        """Make the tab this large, in CSS pixels."""
        self.call("Emulation.setScrollbarsHidden", hidden=True)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def load(self, address: str) -> None:
        """Go to an address, and wait until it is loaded."""
        self._loaded.clear()
        self.call("Page.navigate", url=address)
        if not self._loaded.wait(HANG_SECONDS):
            raise PageError(f"{address} did not load")

    def evaluate(self, script: str) -> object:
        """The value of an expression in the page, awaited if it is a promise."""
        done = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            details = done["exceptionDetails"]
            raise PageError(details.get("exception", {}).get("description") or details["text"])
        return done["result"].get("value")

    def wait_for(self, script: str, seconds: float = HANG_SECONDS) -> object:
        """The value of an expression as soon as it is true."""
        deadline = time.monotonic() + seconds
        while not (value := self.evaluate(script)):
            if time.monotonic() > deadline:
                raise PageError(f"not within {seconds:g} s: {script}")
            time.sleep(0.05)
        return value

    def screenshot(self, path: Path) -> None:
        """A PNG of what is seen, the whole page."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        """Close the tab."""
        self._browser.run(self._end())

    async def _end(self) -> None:
        await self._socket.close()
        await self._reader
        async with self._session.get(f"{self._devtools}/json/close/{self._id}"):
            pass

    def __enter__(self) -> Tab:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
