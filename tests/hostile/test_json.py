"""JSON from outside: as deep, as wide and as large as it may be, and a little beyond."""

from __future__ import annotations

import pytest

from conversion.outside import json_text
from conversion.outside.json_text import MOST_DEPTH

SOUND = {
    "nested": "[" * MOST_DEPTH + "]" * MOST_DEPTH,
    "objects": '{"a":' * MOST_DEPTH + "1" + "}" * MOST_DEPTH,
    "the largest integer": str(2**63 - 1),
    "the lowest integer": str(-(2**63)),
    "a large number": "1.7e308",
    "the same name in two objects": '[{"a": 1}, {"a": 1}]',
}
HARMFUL = {
    "nested": ("[" * (MOST_DEPTH + 1) + "]" * (MOST_DEPTH + 1), f"nested deeper than {MOST_DEPTH}"),
    "objects": ('{"a":' * (MOST_DEPTH + 1) + "1" + "}" * (MOST_DEPTH + 1), f"nested deeper than {MOST_DEPTH}"),
    "deeper than Python's own": ("[" * 100_000 + "]" * 100_000, f"nested deeper than {MOST_DEPTH}"),
    "an integer of 64 bits and one": (str(2**63), "an integer of 19 digits does not fit 64 bits"),
    "a negative one": (str(-(2**63) - 1), "an integer of 20 digits does not fit 64 bits"),
    "10^400": ("1" + "0" * 400, "an integer of 401 digits does not fit 64 bits"),
    "1e400": ("1e400", "1e400 is beyond what a float holds"),
    "-1e400": ("-1e400", "-1e400 is beyond what a float holds"),
    "NaN": ("[NaN]", "NaN is no number"),
    "Infinity": ("[-Infinity]", "-Infinity is no number"),
    "a name twice": ('{"a": 1, "a": 1}', "a name stands twice in one object"),
    "one byte too many": (" " * 1000 + "1", "more than 1000 bytes"),
}
MOST_BYTES = 1000


@pytest.mark.parametrize("what", SOUND)
def test_what_json_may_be(what: str) -> None:
    assert json_text.parse(SOUND[what], MOST_BYTES, unique=True) is not None


@pytest.mark.parametrize("what", HARMFUL)
def test_what_json_may_not_be(what: str) -> None:
    text, words = HARMFUL[what]
    most = MOST_BYTES if what == "one byte too many" else len(text)
    with pytest.raises(ValueError, match=words) as refused:
        json_text.parse(text.encode(), most, unique=True)
    assert len(str(refused.value)) < 100
