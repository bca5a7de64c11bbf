"""What a page may order, and that nothing else gets through."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.monitor.web import messages
from host_tools.monitor.web.messages import BadOrderError, Order, Range

BOARDS = (0, 3)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
WRONG = {
    "no JSON": ("{", None),
    "a number": ("7", None),
    "nested too deeply": ("[" * 4000, None),
    "no id": ('{"do": "pause", "board": 0}', None),
    "an id of the wrong kind": ('{"id": true, "do": "pause", "board": 0}', None),
    "a negative id": ('{"id": -1, "do": "pause", "board": 0}', None),
    "nothing to do": ('{"id": 5, "board": 0}', 5),
    "an unknown order": ('{"id": 5, "do": "reset", "board": 0}', 5),
    "an order that is no text": ('{"id": 5, "do": ["pause"], "board": 0}', 5),
    "no board": ('{"id": 5, "do": "pause"}', 5),
    "an unknown board": ('{"id": 5, "do": "pause", "board": 1}', 5),
    "a board by name": ('{"id": 5, "do": "pause", "board": "maix_bit"}', 5),
    "false as board 0": ('{"id": 5, "do": "pause", "board": false}', 5),
    "out of range": ('{"id": 5, "do": "poses", "board": 0, "max_poses": 33}', 5),
    "a fraction": ('{"id": 5, "do": "poses", "board": 0, "root_score": 0.5}', 5),
    "infinite": ('{"id": 5, "do": "poses", "board": 0, "root_score": Infinity}', 5),
    "a mode that does not exist": ('{"id": 5, "do": "mode", "board": 0, "mode": 2}', 5),
    "no mode": ('{"id": 5, "do": "mode", "board": 0}', 5),
    "a switch that is a number": ('{"id": 5, "do": "preview", "board": 0, "on": 1, "quality": 40}', 5),
    "a quality too high": ('{"id": 5, "do": "preview", "board": 0, "on": true, "quality": 96}', 5),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_order_is_refused_with_its_number(what: str) -> None:
    text, number = WRONG[what]
    with pytest.raises(BadOrderError) as caught:
        messages.parse(text, BOARDS)
    assert caught.value.number == number
    assert str(caught.value)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/b", "a\\b", ".", "..", ".hidden", "", "a" * 61, "a\n", "a\0", "ä", 7, "-rf"]
)
def test_the_name_of_a_recording_cannot_leave_its_folder(name: object) -> None:
    with pytest.raises(BadOrderError, match="name must be"):
        messages.parse(json.dumps({"id": 1, "do": "record", "on": True, "name": name}), BOARDS)


def test_right_orders_are_taken_as_they_are() -> None:
    assert messages.parse('{"id": 0, "do": "poses", "board": 3, "root_score": 16384}', BOARDS) == Order(
        0, "poses", 3, {"max_poses": None, "root_score": 16384, "nms_radius": None, "pose_score": None, "vote": None}
    )
    assert messages.parse('{"id": 9, "do": "pause", "board": 0, "more": 1}', BOARDS) == Order(9, "pause", 0, {})
    record = messages.parse('{"id": 9, "do": "record", "on": true, "name": "squats-1.jsonl"}', BOARDS)
    assert record == Order(9, "record", None, {"on": True, "name": "squats-1.jsonl"})


@given(st.text() | ANYTHING.map(json.dumps))
def test_whatever_comes_is_an_order_or_refused(text: str) -> None:
    try:
        order = messages.parse(text, BOARDS)
    except BadOrderError:
        return
    assert order.do in messages.ORDERS


@given(
    st.sampled_from(sorted(messages.ORDERS)),
    st.dictionaries(
        st.sampled_from(
            ["max_poses", "root_score", "nms_radius", "pose_score", "vote", "mode", "on", "quality", "name"]
        ),
        ANYTHING | st.integers(0, 33000),
    ),
)
def test_every_field_of_an_order_is_within_its_range(do: str, fields: dict) -> None:
    try:
        order = messages.parse(json.dumps({"id": 1, "do": do, "board": 0, **fields}), BOARDS)
    except BadOrderError:
        return
    for name, field in messages.ORDERS[do].items():
        value = order.values[name]
        assert (
            value is None or not isinstance(field, Range) or (type(value) is int and field.low <= value <= field.high)
        )


def test_the_ranges_are_those_of_the_board(root: Path) -> None:
    code = "import sys; sys.modules['utime'] = sys; import json, pose_settings; print(json.dumps(pose_settings.TABLE))"
    done = subprocess.run([sys.executable, "-c", code], cwd=root / "firmware", capture_output=True, check=True)
    board = {name: (low, high) for name, low, high, _ in json.loads(done.stdout)}
    for name, field in messages.POSES.items():
        assert (field.low, field.high) == board[name]
    assert (messages.PREVIEW_QUALITY.low, messages.PREVIEW_QUALITY.high) == board["preview_quality"]
