"""How long tests wait for what has to come: long enough for any machine, so that only a test that hangs ends by it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from host_tools import limits
from host_tools.errors import LinkError
from host_tools.limits import Limit

HANG_SECONDS = 300.0


def exactly(seconds: float) -> Limit:
    """A limit of so many seconds in these tests, for those in which it runs out."""
    return Limit(seconds / limits.patience())


def said(pattern: str, call: Callable[[float], object], seconds: float = 0.5) -> str:
    """What a call says that has `seconds` to find out: with more of them, where it has not heard enough by then."""
    for limit in (seconds, 10 * seconds, 100 * seconds):
        with pytest.raises(LinkError) as caught:
            call(limit)
        if re.search(pattern, str(caught.value)):
            break
    assert re.search(pattern, str(caught.value)), caught.value
    return str(caught.value)
