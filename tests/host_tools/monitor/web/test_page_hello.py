"""On the page: a picture that lies on its side in memory; previews that have no room, or are refused."""

from __future__ import annotations

import io
from dataclasses import replace

from PIL import Image

from host_tools.serial_link import events
from tests.host_tools.monitor import actors
from tests.host_tools.monitor.web import fake
from tests.host_tools.monitor.web.browser import Tab
from tests.host_tools.monitor.web.looking import click, part, shoulders, text_of, until, wait_for_pixel

# people.js: COLOURS, of the first person.
GREEN = (0x4B, 0xE3, 0x8A)


def test_a_turned_picture_and_its_people_stand(tab: Tab, feed: fake.FakeFeed) -> None:
    """The picture's left half, red in memory, is above; `pixel` has places in shares of 320x240."""
    hello = replace(fake.hello(), turned=1)
    feed.change(0, hello=hello)
    person = actors.person(120, 160, 60)
    feed.say(hello, actors.frame(1, [person]))
    for x, y in shoulders(person):
        wait_for_pixel(tab, 0, y / 240 * 320, x / 320 * 240, GREEN)
    assert tab.evaluate(f"{text_of('.about')}.includes('240×320 (turned)')")
    click(tab, ".preview")
    until(lambda: feed.asked_for("PREVIEW") == [(250, 35)], tab)
    file, halves = io.BytesIO(), Image.new("RGB", (320, 240), (30, 60, 200))
    halves.paste((200, 30, 60), (0, 0, 160, 240))
    halves.save(file, "JPEG", quality=90)
    feed.say(events.Block("JPEG", file.getvalue(), 1))
    wait_for_pixel(tab, 0, 300, 20, (200, 30, 60, 255))
    wait_for_pixel(tab, 0, 20, 20, (200, 30, 60, 255))
    wait_for_pixel(tab, 0, 20, 220, (30, 60, 200, 255))
    wait_for_pixel(tab, 0, 300, 220, (30, 60, 200, 255))


def test_a_preview_that_has_no_room_cannot_be_asked_for_and_the_page_says_why(tab: Tab, feed: fake.FakeFeed) -> None:
    assert tab.evaluate(text_of(".no-previews")) == ""
    hello = replace(fake.hello(), preview_missing=344)
    feed.change(0, hello=hello)
    feed.say(hello, actors.frame(1))
    tab.wait_for(f"{text_of('.no-previews')}.includes('344 KiB of the board')")
    assert "`minimum` build" in tab.evaluate(text_of(".no-previews"))
    tab.wait_for(f"{part('.preview')}.disabled")
    assert tab.evaluate(f"{part('.preview', 1)}.disabled") is False, "the other board has room"
    assert tab.evaluate(f"{part('.pause')}.disabled") is False


def test_a_board_that_refuses_previews_has_the_box_cleared(tab: Tab, feed: fake.FakeFeed) -> None:
    feed.answer = fake.refusing("PREVIEW", 6, "this board has no preview")
    click(tab, ".preview")
    tab.wait_for(f"{text_of('.log ol')}.includes('this board has no preview')")
    assert tab.evaluate("document.querySelector('.preview').checked") is False
