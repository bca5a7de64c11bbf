"""The page in a real browser, with boards that do as they are told: what is drawn, what is sent, what is said."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from host_tools.monitor import replay
from host_tools.monitor.smoothing import Smoother
from host_tools.serial_link import events
from host_tools.serial_link.sentences import Frame
from tests.host_tools.monitor import actors
from tests.host_tools.monitor.web import fake
from tests.host_tools.monitor.web.browser import Browser, Tab
from tests.host_tools.monitor.web.fake import LABELS
from tests.host_tools.monitor.web.looking import (
    HAS_COLOUR,
    click,
    enter,
    part,
    pixel,
    shoulders,
    slide,
    slider,
    text_of,
    until,
    wait_for_pixel,
)
from tests.host_tools.monitor.web.serving import Served

# people.js: COLOURS, of the first and the second person.
GREEN, YELLOW = (0x4B, 0xE3, 0x8A), (0xFF, 0xD8, 0x4D)
NO_MODEL = fake.hello(width=0, height=0)
CONTROLS = ("button", "slider", "checkbox", "radio", "textbox", "spinbutton", "image")


def jpeg(colour: tuple[int, int, int]) -> bytes:
    """A picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (320, 240), colour).save(file, "JPEG", quality=90)
    return file.getvalue()


def test_people_are_drawn_where_the_board_saw_them_each_board_in_its_panel(tab: Tab, feed: fake.FakeFeed) -> None:
    near, far, other = actors.person(80, 50), actors.person(240, 70), actors.person(160, 60)
    feed.say(actors.frame(1, [near, far]), label=LABELS[0])
    feed.say(actors.frame(1, [other]), label=LABELS[1])
    for board, person, colour in ((0, near, GREEN), (0, far, YELLOW), (1, other, GREEN)):
        for x, y in shoulders(person):
            wait_for_pixel(tab, board, x, y, colour)
    for board, x, y in ((0, 160, 200), (0, 10, 120), (1, 40, 120), (1, 280, 120)):
        assert pixel(tab, board, x, y)[3] == 0, "nobody is there"
    assert tab.evaluate(f"[{text_of('h2')}, {text_of('h2', 1)}]") == list(LABELS)
    assert tab.evaluate(text_of(".state")) == "Running"
    assert "2 people" in tab.evaluate(text_of(".numbers"))
    tab.wait_for(f"{part('canvas.picture')}.getAttribute('aria-label').startsWith('2 people, scores 0.94')")


def test_mirrored_the_picture_is_turned_and_the_next_visit_remembers(
    tab: Tab, feed: fake.FakeFeed, page: Served
) -> None:
    feed.say(actors.frame(1, [actors.person(80, 60)]))
    x, y = shoulders(actors.person(80, 60))[0]
    wait_for_pixel(tab, 0, x, y, GREEN)
    tab.evaluate("document.getElementById('mirror').click()")
    wait_for_pixel(tab, 0, 320 - x, y, GREEN)
    tab.load(page.address)
    assert tab.evaluate("document.getElementById('mirror').checked") is True
    tab.evaluate("localStorage.clear()")


def test_a_first_visit_shows_people_on_the_picture_that_they_were_found_in(tab: Tab) -> None:
    on = {name: tab.evaluate(f"document.getElementById('{name}').checked") for name in ("match", "mirror")}
    assert on == {"match": True, "mirror": False}


def test_a_person_keeps_one_colour_whatever_its_place(tab: Tab, feed: fake.FakeFeed) -> None:
    left, right = actors.person(80, 60), actors.person(240, 60)
    feed.say(actors.frame(1, [left, right]), actors.frame(2, [right, left]))
    tab.wait_for(f"{text_of('.numbers')}.includes('frame 2')")
    wait_for_pixel(tab, 0, *shoulders(left)[0], GREEN)
    wait_for_pixel(tab, 0, *shoulders(right)[0], YELLOW)


def test_smoothed_people_are_drawn_where_the_smoother_has_them(
    tab: Tab, feed: fake.FakeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Smoother, "smooth", lambda self, poses, *_: tuple(actors.person(240, 60) for _ in poses))
    feed.say(actors.frame(1, [actors.person(80, 60)]))
    wait_for_pixel(tab, 0, *shoulders(actors.person(80, 60))[0], GREEN)
    tab.evaluate("document.getElementById('smooth').click()")
    wait_for_pixel(tab, 0, *shoulders(actors.person(240, 60))[0], GREEN)
    tab.evaluate("localStorage.clear()")


def test_a_preview_is_asked_for_shown_below_the_people_and_ended(tab: Tab, feed: fake.FakeFeed) -> None:
    person = actors.person(80, 60)
    picture = events.Block("JPEG", jpeg((200, 30, 60)), 1)
    feed.say(actors.frame(1, [person]), picture)
    wait_for_pixel(tab, 0, *shoulders(person)[0], GREEN)
    assert pixel(tab, 0, 300, 20)[3] == 0, "nobody has asked for it"
    click(tab, ".preview")
    until(lambda: feed.asked_for("PREVIEW") == [(250, 35)], tab)
    feed.say(picture)
    wait_for_pixel(tab, 0, 300, 20, (200, 30, 60, 255))
    wait_for_pixel(tab, 0, *shoulders(person)[0], GREEN)
    feed.say(events.Block("JPEG", b"\xff\xd8 is no picture", 2))
    click(tab, ".preview")
    wait_for_pixel(tab, 0, 300, 20, (0, 0, 0, 0))
    assert feed.asked_for("PREVIEW")[-1] == (0,)


def test_people_can_be_shown_as_they_were_in_the_preview(tab: Tab, feed: fake.FakeFeed) -> None:
    then, now = actors.person(80, 60), actors.person(240, 60)
    click(tab, ".preview")
    feed.say(actors.frame(1, [then]), actors.frame(2, [now]), events.Block("JPEG", jpeg((200, 30, 60)), 1))
    wait_for_pixel(tab, 0, 300, 230, (200, 30, 60, 255))
    wait_for_pixel(tab, 0, *shoulders(then)[0], GREEN)
    assert pixel(tab, 0, *shoulders(now)[0])[:3] == pytest.approx((200, 30, 60), abs=30)
    tab.evaluate("document.getElementById('match').click()")
    wait_for_pixel(tab, 0, *shoulders(now)[0], YELLOW)
    tab.evaluate("localStorage.clear()")


def test_a_picture_whose_frame_was_not_sent_has_the_people_of_the_nearest(tab: Tab, feed: fake.FakeFeed) -> None:
    then, now = actors.person(80, 60), actors.person(240, 60)
    click(tab, ".preview")
    feed.say(actors.frame(1, [then]), actors.frame(9, [now]), events.Block("JPEG", jpeg((200, 30, 60)), 3))
    wait_for_pixel(tab, 0, 300, 230, (200, 30, 60, 255))
    wait_for_pixel(tab, 0, *shoulders(then)[0], GREEN)


def test_a_board_that_ends_its_previews_has_the_box_cleared_and_is_not_asked_again(
    tab: Tab, feed: fake.FakeFeed
) -> None:
    click(tab, ".preview")
    until(lambda: len(feed.asked_for("PREVIEW")) == 1, tab)
    feed.say(events.Trouble(42, 1, "no preview (MemoryError): it is off now"))
    tab.wait_for(f"!{part('.preview')}.checked")
    asked = len(feed.asked_for("SETTINGS"))
    feed.say(events.Restarted(fake.hello(boot=8)))
    until(lambda: len(feed.asked_for("SETTINGS")) > asked, tab)
    assert len(feed.asked_for("PREVIEW")) == 1


def test_a_slider_sets_the_board_and_shows_what_it_answered(tab: Tab, feed: fake.FakeFeed) -> None:
    tab.wait_for(f"{slider('root_score')} === '0.5'")
    slide(tab, "root_score", 0.25)
    tab.wait_for(f"{text_of('.answer')}.includes('has taken it')")
    assert feed.asked_for("POSES") == [(None, 8192, None, None, None)]
    slide(tab, "max_poses", 2, board=1)
    until(lambda: feed.asked[-1] == (LABELS[1], "POSES", (2, None, None, None, None)), tab)
    click(tab, "input[type=radio][value='1']")
    until(lambda: (LABELS[0], "MODE", (1,)) in feed.asked, tab)
    # What somebody else sets is shown too.
    feed.say(fake.replace(fake.SETTINGS, root_score=32768, nms_radius=300), label=LABELS[0])
    tab.wait_for(f"{slider('root_score')} === '1' && {slider('nms_radius')} === '100'")


def test_a_refused_threshold_goes_back(tab: Tab, feed: fake.FakeFeed) -> None:
    feed.answer = fake.refusing("POSES", 3, "the self-test is running")
    tab.wait_for(f"{slider('pose_score')} === '0'")
    slide(tab, "pose_score", 0.4)
    tab.wait_for(f"{text_of('.answer')}.includes('the self-test is running')")
    assert tab.evaluate(slider("pose_score")) == "0"


def test_settings_are_saved_on_the_board_and_a_refusal_is_told(tab: Tab, feed: fake.FakeFeed) -> None:
    tab.wait_for(f"!{part('.save')}.disabled")
    click(tab, ".save")
    tab.wait_for(f"{text_of('.answer')} === 'Saved: the board starts with these.'")
    assert feed.asked_for("SAVE") == [()]

    feed.answer = fake.refusing("SAVE", 6, "pose_config.json cannot be written: is it full?")
    click(tab, ".save")
    tab.wait_for(f"{text_of('.answer')}.includes('Not saved: ')")
    assert "is it full?" in tab.evaluate(text_of(".answer"))


def test_out_of_range_in_the_number_field_is_refused_and_goes_back(tab: Tab, feed: fake.FakeFeed) -> None:
    tab.wait_for(f"{slider('nms_radius')} === '20'")
    field = ".slider:has(input.nms_radius) input[type=number]"
    enter(tab, field, 5000, "change")
    tab.wait_for(f"{text_of('.answer')}.includes('nms_radius must be from 0 to 1023')")
    assert tab.evaluate(f"{part(field)}.value") == "20"
    assert feed.asked_for("POSES") == []


def test_dragging_sends_the_last_place_and_no_heap_of_orders(tab: Tab, feed: fake.FakeFeed) -> None:
    tab.wait_for(f"{slider('root_score')} === '0.5'")
    for value in range(20, 80):
        slide(tab, "root_score", value / 100)
    until(
        lambda: (
            bool(feed.asked_for("POSES"))
            and feed.asked_for("POSES")[-1] == (None, round(0.79 * 32768), None, None, None)
        ),
        tab,
    )
    assert tab.evaluate(slider("root_score")) == "0.79"


def test_pause_and_resume(tab: Tab, feed: fake.FakeFeed) -> None:
    def answer(label: str, kind: str, fields: tuple) -> int:
        if kind == "STATS":
            paused = [asked for _, asked, _ in feed.asked if asked in ("PAUSE", "RESUME")][-1:] == ["PAUSE"]
            feed.say(fake.stats(2 if paused else 1), label=label)
        return 0

    feed.answer = answer
    feed.say(actors.frame(1))
    tab.wait_for(f"{text_of('.state')} === 'Running'")
    click(tab, ".pause")
    tab.wait_for(f"{text_of('.state')} === 'Paused' && {text_of('.pause')} === 'Resume'")
    assert ("maix_bit@ttyUSB0", "PAUSE", ()) in feed.asked
    click(tab, ".pause")
    tab.wait_for(f"{text_of('.state')} === 'Running' && {text_of('.pause')} === 'Pause'")


def test_a_recording_is_started_and_stopped_and_can_be_replayed(tab: Tab, feed: fake.FakeFeed, tmp_path: Path) -> None:
    frames = list(actors.walking(3))
    tab.evaluate("document.querySelector('#recorder input').value = 'walk'")
    tab.evaluate("document.querySelector('#recorder button').click()")
    tab.wait_for("document.querySelector('#recorder output').textContent.startsWith('walk.jsonl')")
    feed.say(*frames)
    tab.wait_for(f"{text_of('.numbers')}.includes('frame 3')")
    tab.evaluate("document.querySelector('#recorder button').click()")
    tab.wait_for("document.querySelector('#recorder button').textContent === 'Record'")
    read = [event for _, _, event in replay.read(tmp_path / "recordings" / "walk.jsonl")]
    assert [event for event in read if isinstance(event, Frame)] == frames
    tab.evaluate("document.querySelector('#recorder button').click()")
    tab.wait_for("document.querySelector('#recorder output').textContent.includes('exists already')")


@pytest.mark.parametrize("name", ["../up", "a b", "-x"])
def test_a_bad_name_is_not_sent_or_refused(tab: Tab, tmp_path: Path, name: str) -> None:
    """The field's pattern stops it; past the field, the server does."""
    tab.evaluate(f"document.querySelector('#recorder input').value = '{name}'")
    tab.evaluate("document.querySelector('#recorder button').click()")
    assert tab.evaluate("document.querySelector('#recorder').checkValidity()") is False
    tab.evaluate("document.querySelector('#recorder').dispatchEvent(new SubmitEvent('submit', {cancelable: true}))")
    tab.wait_for("document.querySelector('#recorder output').textContent.includes('name must be')")
    assert not (tmp_path / "recordings").exists()


@pytest.mark.parametrize(
    ("said", "state", "words"),
    [
        ([events.Lost("fake0: the port has gone; check the cable")], "Lost", "check the cable"),
        ([events.Trouble(31, 1, "the camera is silent"), fake.stats(3)], "In trouble", "the camera is silent"),
        ([events.Restarted(fake.hello(boot=8))], "Starting, restarted", ""),
        ([events.Restarted(NO_MODEL), events.Trouble(23, 1, "no kmodel")], "No model, restarted", "make flash"),
        ([fake.stats(2)], "Paused", ""),
    ],
)  # fmt: skip
def test_how_a_board_is_is_said_plainly(tab: Tab, feed: fake.FakeFeed, said: list, state: str, words: str) -> None:
    feed.say(actors.frame(1, [actors.person(80, 60)]))
    tab.wait_for(f"{text_of('.state')} === 'Running'")
    feed.say(*said)
    tab.wait_for(f"{text_of('.state')} === {state!r} && !document.querySelector('.message').hidden")
    assert words in tab.evaluate(text_of(".message"))


def test_a_board_that_is_found_again_goes_on(tab: Tab, feed: fake.FakeFeed) -> None:
    feed.say(events.Lost("unplugged"))
    tab.wait_for(f"{text_of('.state')} === 'Lost' && document.querySelector('.pause').disabled")
    feed.say(events.Found("/dev/fake0"), actors.frame(9, [actors.person(80, 60)]))
    tab.wait_for(f"{text_of('.state')} === 'Running' && !document.querySelector('.pause').disabled")
    wait_for_pixel(tab, 0, *shoulders(actors.person(80, 60))[0], GREEN)


def test_plots_numbers_and_log_show_what_came(tab: Tab, feed: fake.FakeFeed) -> None:
    feed.change(0, statistics=fake.Statistics(bytes=2048, damaged=3))
    for number in range(1, 10):
        feed.say(actors.frame(number, [actors.person(80, 60)]), ago=10 - number)
    feed.say(fake.stats())
    feed.say(events.Print("<b>hello</b> & more"), events.Trouble(41, 2, "on_frame: ValueError"))
    tab.wait_for(f"{text_of('.log ol')}.includes('<b>hello</b> & more')")
    tab.wait_for("document.querySelector('.log .error')?.textContent.includes('on_frame: ValueError')")
    tab.wait_for(f"{text_of('dl')}.includes('2.0 KiB') && {text_of('dl .bad')} === 'Damaged lines3'")
    assert "kpu30" in tab.evaluate(text_of(".plots"))
    green = [int(part) for part in tab.evaluate(
        "getComputedStyle(document.querySelector('.key.kpu'), '::before').backgroundColor"
    )[4:-1].split(",")]  # fmt: skip
    tab.wait_for(f"{HAS_COLOUR}('.plots figure:nth-child(2) canvas', {green})")


def test_when_the_monitor_ends_the_page_says_so(page: Served, browser: Browser, feed: fake.FakeFeed) -> None:
    with browser.open(page.address) as tab:
        tab.wait_for("document.querySelectorAll('.panel').length === 2")
        page.end()
        tab.wait_for("!document.getElementById('connection').hidden")
        assert tab.evaluate(text_of(".state")) == "No connection"
        assert tab.evaluate("document.querySelector('.pause').disabled") is True


@pytest.mark.parametrize("width", [320, 700, 1600])
def test_nothing_is_cut_off_at_any_width(tab: Tab, width: int) -> None:
    tab.resize(width, 800)
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert tab.evaluate("document.querySelector('canvas.picture').clientWidth") >= min(280, width - 60)


def test_every_control_has_a_name(tab: Tab) -> None:
    """Of the accessibility tree, as a screen reader gets it."""
    nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
    controls = [node for node in nodes if node.get("role", {}).get("value") in CONTROLS]
    assert len(controls) > 20
    assert [node["role"]["value"] for node in controls if not node.get("name", {}).get("value")] == []
