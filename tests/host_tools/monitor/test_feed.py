"""The feed: several ports in threads of their own, names, requests from any thread, unplugging, recordings."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from host_tools import time_limits
from host_tools.errors import LinkError
from host_tools.monitor import sources
from host_tools.monitor.feed import MOST_WAITING, Feed, Item, Note, Queue
from host_tools.monitor.record import Recorder, RecordingError
from host_tools.monitor.sources import short_names
from host_tools.serial_link import events, sentences
from host_tools.serial_link.sentences import Frame
from host_tools.time_limits import Tries
from tests import patience
from tests.host_tools.monitor import actors
from tests.host_tools.monitor.actors import Puppet
from tests.patience import HANG_SECONDS, exactly


def until(feed: Feed, enough: Callable[[list[Item]], bool]) -> list[Item]:
    """Items until there are enough of them."""
    items: list[Item] = []
    deadline = time.monotonic() + HANG_SECONDS
    while not enough(items):
        assert time.monotonic() < deadline, [item for item in items if not isinstance(item.event, Frame)]
        if (item := feed.next(0.1)) is not None:
            items.append(item)
    return items


def numbers(items: list[Item], source: str | None = None) -> list[int]:
    return [item.event.number for item in items if isinstance(item.event, Frame) and source in (None, item.source)]


def frames(count: int) -> Callable[[list[Item]], bool]:
    return lambda items: len(numbers(items)) >= count


def of(items: list[Item], kind: type) -> list:
    return [item.event for item in items if isinstance(item.event, kind)]


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith(("port ", "replay "))}


def said(count: int) -> list[bytes]:
    return [actors.lines(frame) for frame in actors.walking(count)]


def test_one_board_is_called_by_its_name() -> None:
    with Puppet(said(3)) as puppet, sources.of_ports([puppet.port]) as feed:
        items = until(feed, frames(3))
        (source,) = feed.sources
    assert isinstance(items[0].event, events.Hello)
    assert {item.source for item in items} == {"maix_bit"}
    assert numbers(items) == [1, 2, 3]
    assert (source.label, source.port, source.size, source.alive) == ("maix_bit", puppet.port, (320, 240), True)
    assert (source.statistics.frames, source.statistics.damaged) == (3, 0)
    assert not threads()


def test_several_boards_are_called_by_name_and_port() -> None:
    with Puppet(said(5)) as one, Puppet(said(5)) as two, sources.of_ports([one.port, two.port]) as feed:
        items = until(feed, frames(10))
        labels = [source.label for source in feed.sources]
    assert labels == [f"maix_bit@{port.removeprefix('/dev/')}" for port in (one.port, two.port)]
    assert all(numbers(items, label) == [1, 2, 3, 4, 5] for label in labels)


def test_short_names_differ() -> None:
    assert short_names(["/dev/ttyUSB0", "COM3", "socket://pi:5000", "/tmp/a/port"]) == [
        "ttyUSB0", "COM3", "pi:5000", "port",
    ]  # fmt: skip
    assert short_names(["/tmp/a/port", "/tmp/b/port"]) == ["/tmp/a/port", "/tmp/b/port"]


def test_a_port_that_is_not_there_at_the_start_is_an_error(tmp_path: Path) -> None:
    with Puppet() as puppet, pytest.raises(LinkError, match="none: there is no such port"):
        sources.of_ports([puppet.port, str(tmp_path / "none")])
    assert not threads()


def test_a_board_that_is_unplugged_and_comes_back_at_another_port(tmp_path: Path) -> None:
    link = tmp_path / "board"
    with Puppet(said(3), link=link) as puppet, sources.of_ports([str(link)]) as feed:
        until(feed, frames(3))
        puppet.close()
        lost = until(feed, lambda items: of(items, events.Lost))
        assert feed.sources[0].alive
        with Puppet(said(4), boot=2, link=link):
            back = until(feed, frames(4))
        statistics = feed.sources[0].statistics
    assert [item.source for item in lost] == ["maix_bit"]
    assert of(back, events.Found)
    assert of(back, events.Restarted)
    assert numbers(back) == [1, 2, 3, 4]
    assert (statistics.reconnects, statistics.restarts) == (1, 1)


def test_an_impatient_feed_ends_with_its_board() -> None:
    puppet = Puppet(said(2))
    with sources.of_ports([puppet.port], patient=False) as feed:
        until(feed, frames(2))
        puppet.close()
        items = until(feed, lambda _: feed.ended)
        assert isinstance(items[-1].event, events.Lost)
        begin = time.monotonic()
        assert feed.next(HANG_SECONDS) is None
        assert time.monotonic() - begin < HANG_SECONDS
        future = feed.ask("maix_bit", "PING")
        assert future.cancelled()


def test_requests_come_from_any_thread_and_frames_go_on() -> None:
    with Puppet(said(200), per_second=100) as puppet, sources.of_ports([puppet.port]) as feed:
        until(feed, frames(1))
        answers = [feed.ask("maix_bit", "POSES", 3, None, number, None) for number in range(5)]
        assert [answer.result(HANG_SECONDS) for answer in answers] == [7] * 5
        items = until(feed, frames(50))
    assert [sentence.fields[1:] for sentence in puppet.asked if sentence.kind == "POSES"] == [
        ("3", "", str(number), "") for number in range(5)
    ]
    found = numbers(items)
    assert found == list(range(found[0], found[0] + len(found)))


def test_a_request_to_nobody() -> None:
    with Puppet() as puppet, sources.of_ports([puppet.port]) as feed:
        until(feed, lambda items: of(items, events.Hello))
        with pytest.raises(LinkError, match="amigo: there is no board of this name here; there are maix_bit"):
            feed.ask("amigo", "PING").result(1)


def test_a_silent_board_is_diagnosed_and_its_frames_are_taken_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limits, "MONITOR_GREETING", exactly(0.5))
    with Puppet(answers=False) as puppet, sources.of_ports([puppet.port]) as feed:
        (note,) = of(until(feed, lambda items: of(items, Note)), Note)
        assert "nothing comes from it" in note.text
        for piece in said(2):
            puppet.send(piece)
        assert {item.source for item in until(feed, frames(2))} == {puppet.port.removeprefix("/dev/")}
        puppet.send(actors.hello("amigo"))
        until(feed, lambda items: of(items, events.Hello))
        assert feed.sources[0].label == "amigo"


def test_a_board_that_starts_again_keeps_its_name() -> None:
    """At its start the program does not know it yet."""
    with Puppet([actors.hello("-", boot=2), *said(1)]) as puppet, sources.of_ports([puppet.port]) as feed:
        items = until(feed, frames(1))
    assert of(items, events.Restarted)
    assert {item.source for item in items} == {"maix_bit"}


def test_a_raised_speed_is_told_of_and_lowered_again() -> None:
    with Puppet() as puppet:
        with sources.of_ports([puppet.port], baud=460800) as feed:
            (note,) = of(until(feed, lambda items: of(items, Note)), Note)
            assert note.text == "the line runs at 460800 baud"
            puppet.send(actors.lines(actors.frame(9)))
            assert numbers(until(feed, frames(1))) == [9]
        asked = [sentence.fields[1] for sentence in puppet.asked if sentence.kind == "BAUD"]
    assert asked == ["460800", "115200"]


@pytest.mark.parametrize(
    ("fields", "older"), [((0, 5, 16384, 20, 0, 0, 10000, 0, 50), True), ((0,) * 9 + (20,), False)]
)
def test_an_older_program_is_told_of_once_and_its_frames_are_taken(fields: tuple[int, ...], older: bool) -> None:
    """It ends its SETTINGS before the share that sending may take."""
    with Puppet() as puppet, sources.of_ports([puppet.port], baud=460800) as feed:
        until(feed, lambda items: of(items, Note))
        for _ in range(2):
            puppet.send(sentences.made("SETTINGS", *fields))
        puppet.send(actors.lines(actors.frame(9)))
        items = until(feed, frames(1))
        assert numbers(items) == [9]
        told = [note.text for note in of(items, Note)]
        assert [text.endswith("run `make deploy` for this board") for text in told] == [True] * older
        assert "SETTINGS" in {sentence.kind for sentence in puppet.asked}


def test_a_speed_that_does_not_work_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limits, "SPEED_PING", Tries(0.05, 1))
    with Puppet(follows_baud=False) as puppet, sources.of_ports([puppet.port], baud=460800) as feed:
        (note,) = of(until(feed, lambda items: of(items, Note)), Note)
        assert note.text == "nothing comes through at 460800 baud, the line stays at 115200"
        puppet.send(actors.lines(actors.frame(9)))
        assert numbers(until(feed, frames(1))) == [9]


def test_what_nobody_reads_is_lost_from_its_old_end_and_counted() -> None:
    queue = Queue(most=3)
    for number in range(5):
        queue.put(Item("a", events.Print(str(number)), 0.0))
    assert queue.lost == 2
    assert [queue.get(0, lambda: False).event.text for _ in range(3)] == ["2", "3", "4"]
    assert queue.get(0.01, lambda: False) is None


# Recordings


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "one.jsonl"
    recorder = Recorder(path, 0.0)
    with Puppet(said(5)) as puppet, sources.of_ports([puppet.port]) as feed:
        for item in until(feed, frames(5)):
            recorder.take(Item(item.source, item.event, getattr(item.event, "number", 0) * 0.1))
    recorder.close()
    return path


def test_a_replay_gives_the_same_items(recording: Path) -> None:
    with sources.of_recording(recording, 0) as feed:
        items = until(feed, lambda _: feed.ended)
        (source,) = feed.sources
    assert numbers(items) == [1, 2, 3, 4, 5]
    assert (source.label, source.hello.board, source.statistics, source.alive) == ("maix_bit", "maix_bit", None, False)
    assert not threads()


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 0.5), (2.0, 0.25), (0, 0.0)])
def test_a_replay_keeps_its_time(recording: Path, speed: float, seconds: float) -> None:
    """At full speed it is over at once, and its items say when they would have come."""
    begin = time.monotonic()
    with sources.of_recording(recording, speed) as feed:
        items = until(feed, lambda _: feed.ended)
        assert seconds <= time.monotonic() - begin < HANG_SECONDS
    times = [item.at for item in items if isinstance(item.event, Frame)]
    assert times[-1] - times[0] == pytest.approx(0.4 / (speed or 1))


def test_a_long_recording_waits_for_its_reader(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    recorder = Recorder(path, 0.0)
    for number in range(6000):
        recorder.take(Item("bit", actors.frame(number), 0.0))
    recorder.close()
    with sources.of_recording(path, 0) as feed:
        patience.until(lambda: len(feed._queue._items) == MOST_WAITING)
        assert numbers(until(feed, lambda _: feed.ended)) == list(range(6000))
        assert feed.lost == 0


def test_closing_in_the_middle_of_a_recording_is_prompt(recording: Path) -> None:
    begin = time.monotonic()
    # At this speed it would take minutes.
    with sources.of_recording(recording, 0.0005) as feed:
        assert feed.next(HANG_SECONDS) is not None
    assert time.monotonic() - begin < HANG_SECONDS
    assert not threads()


def test_a_damaged_recording_plays_up_to_there(recording: Path) -> None:
    lines = recording.read_text().splitlines()
    recording.write_text("\n".join([*lines[:4], "{}", *lines[4:]]) + "\n")
    with sources.of_recording(recording, 0) as feed:
        assert None not in [feed.next(HANG_SECONDS) for _ in range(3)]
        with pytest.raises(RecordingError, match=r"one\.jsonl:5: is damaged"):
            feed.next(HANG_SECONDS)


def test_a_recording_answers_nothing(recording: Path) -> None:
    with sources.of_recording(recording, 0) as feed:
        until(feed, lambda _: feed.ended)
        with pytest.raises(LinkError, match="maix_bit: this is a recording, which takes no PAUSE"):
            feed.ask("maix_bit", "PAUSE").result(1)
