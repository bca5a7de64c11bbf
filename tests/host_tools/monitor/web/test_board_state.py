"""The state of a board as a page shows it, from the events that make it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from host_tools.monitor.feed import Note, Source
from host_tools.monitor.web import board_state as views
from host_tools.monitor.web.board_state import BoardState
from host_tools.monitor.windows import outlines
from host_tools.serial_link import events
from host_tools.serial_link.statistics import Statistics
from tests.host_tools.monitor import actors
from tests.host_tools.monitor.web import fake

PORT = "/dev/fake0"
UNKNOWN = Source(0, "fake0", PORT, None, Statistics())
KNOWN = Source(0, "maix_bit", PORT, fake.hello(), Statistics())
NO_MODEL = replace(KNOWN, hello=fake.hello(width=0, height=0))
FRAME = actors.frame(1, [actors.person(100, 60)])
TROUBLE = events.Trouble(23, 1, "no kmodel at any of the places")
LATER = views.SILENT_SECONDS + 1

# What comes at second 0, what was last known of the source, and the state and a part of its text seconds later.
STATES = {
    "nobody has said anything": ((), UNKNOWN, LATER, "waiting", ""),
    "the host knows why": (
        (Note("fake0: MicroPython's prompt; run `make deploy`"),),
        UNKNOWN,
        LATER,
        "waiting",
        "prompt",
    ),
    "it has just come": ((), KNOWN, 1.0, "starting", ""),
    "frames come": ((FRAME,), KNOWN, 1.0, "running", ""),
    "frames came": ((FRAME,), KNOWN, LATER, "silent", ""),
    "it is paused": ((FRAME, fake.stats(2)), KNOWN, 0.1, "paused", ""),
    "it runs again": ((fake.stats(2), FRAME), KNOWN, 0.1, "running", ""),
    "it tries again": ((TROUBLE, fake.stats(3)), KNOWN, 0.1, "retrying", "no kmodel"),
    "it gets pixels": ((fake.stats(4),), KNOWN, 0.1, "receiving", ""),
    "it has no model": ((TROUBLE, fake.stats(3)), NO_MODEL, 0.1, "no_model", "make flash"),
    "it is lost": ((FRAME, events.Lost("unplugged")), KNOWN, 0.1, "lost", "unplugged"),
    "it is found again": ((events.Lost("unplugged"), events.Found(PORT), FRAME), KNOWN, 0.1, "running", ""),
    "it came back and is silent": ((FRAME, events.Lost("x"), events.Found(PORT)), KNOWN, 0.1, "starting", ""),
    "it has started again": ((FRAME, events.Restarted(fake.hello(boot=8))), KNOWN, 0.1, "starting", ""),
    "it is gone for good": ((events.Lost("unplugged"),), replace(KNOWN, alive=False), 0.1, "ended", "unplugged"),
    "it speaks another protocol": ((events.OtherProtocol(2, "9.0"),), UNKNOWN, LATER, "waiting", "protocol 2"),
}


def told(found: list, kind: str) -> list[dict]:
    """The messages of a type."""
    return [each for each in (json.loads(each.data) for each in found) if each["type"] == kind]


def board_of(view: BoardState, now: float) -> dict:
    """How the board is, as a page that opens now sees it."""
    return told(view.everything(now), "board")[0]


@pytest.mark.parametrize("what", STATES)
def test_the_state_is_plain(what: str) -> None:
    came, source, later, state, text = STATES[what]
    view = BoardState(source, 0.0)
    for event in came:
        view.take(event, 0.0)
    view.tick(source, later)
    board = board_of(view, later)
    assert board["state"] == state
    assert text in board["text"]
    assert bool(text) == bool(board["text"])


def test_a_restart_is_told_for_a_while_and_asks_for_the_settings_again() -> None:
    view = BoardState(KNOWN, 0.0)
    view.take(fake.SETTINGS, 0.0)
    view.greeting_due = False
    found = view.take(events.Restarted(fake.hello(boot=8)), 1.0)
    assert told(found, "board")[0]["restarted"]
    assert told(found, "board")[0]["settings"] is None
    assert told(found, "log")[0]["text"] == "the board has started again"
    assert view.greeting_due
    later = told(view.tick(KNOWN, 1.0 + views.RESTARTED_SECONDS), "board")
    assert [each["restarted"] for each in later] == [False]


def test_a_board_is_told_of_only_when_it_has_changed() -> None:
    view = BoardState(KNOWN, 0.0)
    assert told(view.tick(KNOWN, 0.1), "board")
    assert not told(view.tick(KNOWN, 0.2), "board")
    assert told(view.take(fake.SETTINGS, 0.3), "board")
    assert not told(view.take(fake.SETTINGS, 0.4), "board")


def test_a_frame_has_ids_rates_and_smoothed_keypoints_beside_its_own() -> None:
    view = BoardState(KNOWN, 0.0)
    for number in range(1, 11):
        # The one who was first is second from now on.
        people = [actors.person(80, 60), actors.person(220 + 4 * (number % 2), 60)]
        found = told(view.take(actors.frame(number, people[:: -1 if number > 5 else 1]), number / 10), "frame")
    (frame,) = found
    assert (frame["board"], frame["frame"], frame["fps"], frame["computed"]) == (0, 10, 10.0, 10.0)
    assert [pose["id"] for pose in frame["poses"]] == [2, 1]
    own, smooth = frame["poses"][0]["keypoints"], frame["poses"][0]["smooth"]
    assert own[0] == [16 * 220, 16 * 60, 240]
    assert smooth[0] != own[0]
    assert abs(smooth[0][0] - own[0][0]) < 64


def test_people_of_a_turned_picture_stand() -> None:
    view = BoardState(UNKNOWN, 0.0)
    hello = replace(fake.hello(), turned=1)
    view.take(hello, 0.0)
    (frame,) = told(view.take(FRAME, 0.1), "frame")
    (pose,) = FRAME.poses
    expected = [[y, x, score] for x, y, score in pose.keypoints]
    assert frame["poses"][0]["keypoints"] == frame["poses"][0]["smooth"] == expected
    assert board_of(view, 0.1)["picture"] == [240, 320]


def test_windows_of_a_turned_picture_stand() -> None:
    """A quarter of the VGA frame, whose middle is the picture's: half as high and wide as the picture."""
    quarter = ((160 * 256, 120 * 256, 256),)
    lying = outlines(quarter, (320, 240))
    ((left, top, width, height),) = lying
    assert (left, top) == pytest.approx((80, 60), abs=1)
    assert (width, height) == pytest.approx((160, 120), abs=2)
    assert outlines(quarter, (240, 320), True) == [[top, left, height, width]]


def test_why_there_are_no_previews() -> None:
    view = BoardState(KNOWN, 0.0)
    assert board_of(view, 0.0)["no_previews"] == ""
    view.take(replace(fake.hello(), preview_missing=344), 0.0)
    assert board_of(view, 0.0)["no_previews"].startswith("no previews: 344 KiB of the board's memory are missing; take")
    assert board_of(BoardState(UNKNOWN, 0.0), 0.0)["picture"] is None


def test_pictures_are_passed_on_and_other_blocks_are_not() -> None:
    view = BoardState(KNOWN, 0.0)
    (picture,) = [
        each for each in view.take(events.Block("JPEG", b"\xff\xd8\n\xff", 7), 0.0) if type(each.data) is bytes
    ]
    head, _, data = picture.data.partition(b"\n")
    assert json.loads(head) == {"type": "picture", "board": 0, "frame": 7}
    assert data == b"\xff\xd8\n\xff"
    for other in (events.Block("HEADS", b"\xff\xd8", 7), events.Block("JPEG", b"<svg>", 7)):
        assert not [each for each in view.take(other, 0.0) if type(each.data) is bytes]


def test_the_log_is_kept_for_pages_that_open_later_but_not_for_ever() -> None:
    view = BoardState(KNOWN, 0.0)
    for number in range(3 * views.LOG_LINES):
        view.take(events.Print(f"line {number} " + 5000 * "x"), 0.0)
    lines = told(view.everything(0.0), "log")
    assert len(lines) == views.LOG_LINES
    assert lines[-1]["text"].startswith(f"line {3 * views.LOG_LINES - 1} ")
    assert len(lines[-1]["text"]) < 1000


def test_a_recording_cannot_be_asked() -> None:
    assert BoardState(KNOWN, 0.0).reachable
    assert not BoardState(replace(KNOWN, statistics=None), 0.0).reachable
