"""A served page for each test, and one browser for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.host_tools.monitor.web import browser as browsers
from tests.host_tools.monitor.web.serving import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[[object], Served]]:
    """Serves feeds; recordings go to tmp_path / "recordings"."""
    with ExitStack() as parts:
        yield lambda feed: parts.enter_context(Served(feed, tmp_path / "recordings"))


@pytest.fixture(scope="session")
def browser() -> Iterator[browsers.Browser]:
    """The browser; the test is skipped where there is none."""
    path = browsers.program()
    if path is None:
        pytest.skip(f"no browser to look at the page with: none of {', '.join(browsers.NAMES)} is installed")
    with browsers.Browser(path) as started:
        yield started
