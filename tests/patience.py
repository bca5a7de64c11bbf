"""How long tests wait for what has to come: long enough for any machine, so that only a test that hangs ends by it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from host_tools import time_limits
from host_tools.errors import LinkError
from host_tools.time_limits import Limit

HANG_SECONDS = 180.0


def exactly(seconds: float) -> Limit:
    """A limit of so many seconds in these tests, for those in which it runs out."""
    return Limit(seconds / time_limits.patience())


def until(done: Callable[[], object], over: Callable[[], object] = lambda: False) -> None:
    """Wait until something is so, or fail when it is `over`; what cannot be waited for as an event."""
    end = time.monotonic() + HANG_SECONDS
    while not done():
        assert not over()
        assert time.monotonic() < end, "nothing came of it"
        time.sleep(0.01)


def said(
    pattern: str, call: Callable[[float], object], seconds: float = 0.5, error: type[Exception] = LinkError
) -> str:
    """What a call says that has `seconds` to find out: with more of them, where it has not heard enough by then."""
    for limit in (seconds, 10 * seconds, 100 * seconds):
        with pytest.raises(error) as caught:
            call(limit)
        if re.search(pattern, str(caught.value)):
            break
    text = str(caught.value)
    assert re.search(pattern, text), text
    assert "\n" not in text
    return text
