"""A served page for each test, open in a tab."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from host_tools.monitor.web import board_state
from tests.host_tools.monitor.web import browser as browsers
from tests.host_tools.monitor.web import fake
from tests.host_tools.monitor.web.looking import until
from tests.host_tools.monitor.web.serving import Served
from tests.patience import HANG_SECONDS


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[object], Served]]:
    """Serves feeds; recordings go to tmp_path / "recordings". What a board says once is shown until it says more."""
    # On a busy machine a browser draws a frame after these limits, when the page is told that the board is silent.
    monkeypatch.setattr(board_state, "SILENT_SECONDS", HANG_SECONDS)
    monkeypatch.setattr(board_state, "RESTARTED_SECONDS", HANG_SECONDS)
    with ExitStack() as parts:
        yield lambda feed: parts.enter_context(Served(feed, tmp_path / "recordings"))


@pytest.fixture
def feed() -> fake.FakeFeed:
    """Two boards that do as they are told."""
    return fake.FakeFeed(fake.LABELS)


@pytest.fixture
def page(served: Callable, feed: fake.FakeFeed) -> Served:
    """Their page."""
    return served(feed)


@pytest.fixture
def tab(page: Served, feed: fake.FakeFeed, browser: browsers.Browser) -> Iterator[browsers.Tab]:
    """The page, open and connected; afterwards nothing has failed in it, and nothing came from elsewhere."""
    with browser.open(page.address) as opened:
        opened.wait_for("document.querySelectorAll('.panel').length === 2")
        # The server has begun to ask both boards for what it must know of them.
        until(lambda: len(feed.asked_for("SETTINGS")) == 2, opened)
        yield opened
        assert opened.complaints == []
        strangers = {request for request in opened.requests if not request.startswith((page.address, "about:"))}
        assert strangers == {page.address.replace("http", "ws") + "/live"}
