"""What is shown: lines, JSON, panels that keep within the terminal, snapshots; numbers that are right."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console

from conversion.decoding import overlay
from host_tools.errors import HostToolError
from host_tools.monitor import event_format, snapshot, terminal
from host_tools.monitor.feed import Item, Note, Source
from host_tools.monitor.frame_processing import FrameProcessor, ProcessedFrame
from host_tools.monitor.rates import Rates
from host_tools.monitor.snapshot import SnapshotKeeper
from host_tools.monitor.terminal import Terminal
from host_tools.monitor.text_output import JsonFrames, PlainText
from host_tools.serial_link import events
from host_tools.serial_link.events import Hello, Print, Stats, Trouble
from host_tools.serial_link.remedies import remedy
from host_tools.serial_link.statistics import Statistics
from tests.host_tools.monitor import actors
from tests.host_tools.monitor.actors import SIZE, person

HELLO = Hello(1, "0.1.0", 1, "MaixPy", "v0.6.3", "maix_bit", 0, *SIZE, 320, 240, 1375888, None, 720, 115200)


def processed(
    number: int = 1, people: int = 1, label: str = "maix_bit", at: float = 0.0, ids: bool = False
) -> ProcessedFrame:
    poses = [person(60 + 60 * each, 60) for each in range(people)]
    return FrameProcessor(ids=ids).process(label, actors.frame(number, poses), at, SIZE)


# Frames as they are handed out


def test_without_smoothing_and_ids_a_frame_is_the_boards_own() -> None:
    frame = actors.frame(1, [person(100, 60)])
    handed = FrameProcessor().process("bit", frame, 0.0, SIZE)
    assert handed.frame is frame
    assert handed.to_dict() == frame.to_dict("bit")


def test_smoothed_frames_and_ids_in_json_are_whole_numbers() -> None:
    processor = FrameProcessor(smooth=True, ids=True)
    for number in range(1, 9):
        jitter = number % 2 * 0.4
        frame = actors.frame(number, [person(100 + jitter, 60), person(200, 60 - jitter)])
        made = processor.process("bit", frame, 0.0, SIZE).to_dict()
    assert [pose["id"] for pose in made["poses"]] == [1, 2]
    assert made["poses"] != frame.to_dict("bit")["poses"]
    numbers = [number for pose in made["poses"] for keypoint in pose["keypoints"] for number in keypoint]
    assert {type(number) for number in numbers} == {int}
    json.dumps(made)


def test_two_boards_have_their_own_people() -> None:
    processor = FrameProcessor(ids=True)
    frame = actors.frame(1, [person(100, 60)])
    assert [processor.process(label, frame, 0.0, SIZE).ids for label in ("one", "two")] == [(1,), (1,)]


# Rates


def test_rates_of_a_board_that_computes_more_than_it_sends() -> None:
    rates = Rates()
    for step in range(31):
        rates.add(10 + 0.1 * step, actors.frame(2 * step + 1, t_ms=105 * step))
    assert rates.arriving(13.0) == pytest.approx(10)
    assert rates.computed(13.0) == pytest.approx(2 / 0.105)
    assert rates.arriving(20.0) == rates.computed(20.0) == 0


def test_rates_begin_anew_with_a_restarted_board() -> None:
    rates = Rates()
    rates.add(0.0, actors.frame(500))
    rates.add(1.0, actors.frame(1))
    assert rates.arriving(1.0) == 0
    rates.add(1.5, actors.frame(2))
    assert rates.arriving(1.5) == pytest.approx(2)


def test_frames_that_lay_in_a_buffer_are_no_rate() -> None:
    rates = Rates()
    for number in range(1, 9):
        rates.add(5 + 0.0001 * number, actors.frame(number, t_ms=100 * number))
    assert rates.arriving(5.1) == 0
    assert rates.computed(5.1) == pytest.approx(10)


# Lines


def test_json_lines_have_nothing_else_on_stdout() -> None:
    out, said = io.StringIO(), []
    view = JsonFrames(out, said.append)
    view.event(Item("maix_bit", Print("[red]hello"), 0.0))
    view.frame(processed(7))
    view.event(Item("maix_bit", Stats(*range(13)), 0.0))
    assert json.loads(out.getvalue()) == processed(7).to_dict()
    assert said == ["maix_bit: [red]hello"]


def test_plain_lines_say_it_in_words() -> None:
    out, said = io.StringIO(), []
    view = PlainText(out, said.append)
    for number in range(1, 4):
        view.frame(processed(number, people=number - 1, at=0.1 * number, ids=number > 2))
    view.event(Item("maix_bit", Print("hello"), 0.0))
    view.event(Item("maix_bit", Note("it is dark"), 0.0))
    stages = "capture 1.1 kpu 30.3 decode 12.1 draw 15.2 send 3.0 ms"
    assert out.getvalue().splitlines() == [
        f"maix_bit frame 1: nobody, 0.0 frames/s, {stages}",
        f"maix_bit frame 2: 1 person (0.94), 10.0 frames/s, {stages}",
        f"maix_bit frame 3: 2 people (#1 0.94, #2 0.94), 10.0 frames/s, {stages}",
        "maix_bit> hello",
    ]
    assert said == ["maix_bit: it is dark"]


def test_a_stdout_that_knows_no_umlauts_gets_them_escaped() -> None:
    raw = io.BytesIO()
    output = io.TextIOWrapper(raw, encoding="ascii")
    PlainText(output, print).event(Item("bit", Print("grün"), 0.0))
    assert raw.getvalue() == b"bit> gr\\xfcn\n"


@pytest.mark.parametrize(("event", "said"), [
    (HELLO, "program 0.1.0 on MaixPy v0.6.3, 320x240, 115200 baud"),
    (replace(HELLO, turned=1), "program 0.1.0 on MaixPy v0.6.3, 240x320 (turned), 115200 baud"),
    (replace(HELLO, preview_missing=344), "program 0.1.0 on MaixPy v0.6.3, 320x240, 115200 baud; no previews: 344 KiB "
     "of the board's memory are missing; take a `minimum` build of MaixPy without zoom, or deploy with `--heap 384 "
     "--set camera.dual_buffer=0 --set settings.zoom=0`"),
    (events.OtherProtocol(9, "2.0"), "program 2.0 speaks protocol 9, not 1; run `make deploy`"),
    (Trouble(42, 3, "no room"), f"error 42: no room (3 times); {remedy(42)}"),
    (Trouble(999, 1, "?"), "error 999: ?"),
    (events.Restarted(HELLO), "the board has started again"),
    (events.Lost("gone"), "lost: gone"),
    (events.Found("/dev/x"), "found again at /dev/x"),
    (events.SelfTest(1, 1, 0, 0, 0, 0, "heatmap"), "self-test failed: the heads differ (heatmap)"),
    (events.BlockLost("JPEG", 1, "late"), "JPEG lost: late"),
    (Stats(*range(13)), None),
])  # fmt: skip
def test_events_in_words(event: events.Event, said: str | None) -> None:
    assert event_format.of(event) == said


def test_only_mishaps_that_happened_are_told() -> None:
    assert event_format.mishaps(Statistics(frames=9, sentences=20)) == "nothing lost"
    assert event_format.mishaps(Statistics(missed=1, torn=2, blocks_lost=3)) == "missed 1, torn 2, blocks lost 3"


# Terminal


def console(width: int, height: int, **more: object) -> Console:
    return Console(
        file=io.StringIO(),
        width=width,
        height=height,
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
        **more,
    )


def sources(count: int, **more: object) -> list[Source]:
    return [
        Source(n, f"maix_bit@ttyUSB{n}", "/dev/x", HELLO, Statistics(frames=9, missed=2), **more) for n in range(count)
    ]


def shown(screen: Console) -> str:
    return screen.file.getvalue()


@pytest.mark.parametrize(("now", "said"), [(1_500_000, "1500000 baud"), (None, "115200 baud")])
def test_the_panel_shows_the_line_s_speed_of_now(now: int | None, said: str) -> None:
    """Not that of the greeting, which a board says before its line is raised."""
    screen = console(80, 24)
    view = Terminal(screen)
    view.tick(sources(1, baud=now), 0.0)
    view.frame(processed(1, 1, "maix_bit@ttyUSB0"))
    screen.print(view._picture(0.1))
    view.close()
    assert said in shown(screen)


@given(st.integers(1, 4), st.integers(0, 5), st.integers(20, 200), st.integers(5, 70), st.booleans())
def test_panels_never_leave_the_terminal(boards: int, people: int, width: int, height: int, ids: bool) -> None:
    screen = console(width, height)
    view = Terminal(screen)
    view.tick(sources(boards), 0.0)
    for source in sources(boards):
        view.frame(processed(1, people, source.label, ids=ids))
    picture = screen.render_lines(view._picture(0.1), screen.options)
    view.close()
    assert all(sum(segment.cell_length for segment in line) <= width for line in picture)
    if height >= 20 and width >= 40 * boards:
        assert len(picture) <= height - 2


def test_a_panel_shows_figure_people_stages_and_link() -> None:
    screen = console(100, 30)
    view = Terminal(screen)
    view.tick(sources(1), 0.0)
    for number in range(1, 20):
        view.frame(processed(2 * number, 2, "maix_bit@ttyUSB0", 0.1 * number))
    view.event(Item("maix_bit@ttyUSB0", Stats(5000, 1, 60, 58, 2, 1, 1, 0, 3, 300 << 10, 0, -1, 115200), 0.0))
    view.tick(sources(1), 1.9)
    view.close()
    text = shown(screen)
    for part in (
        "10.0 frames/s",
        "0.94",
        "17 of 17 keypoints",
        "30.3 ms",
        "missed 2",
        "errors 3",
        "300 KiB",
        "320x240",
    ):
        assert part in text
    assert any(0x2801 <= ord(character) <= 0x28FF for character in text)
    assert "38;2;255;196;0" in text
    assert "38;2;0;190;255" in text


def test_prints_stand_above_the_panel_as_they_are() -> None:
    screen = console(80, 24)
    view = Terminal(screen)
    view.tick(sources(1), 0.0)
    view.event(Item("maix_bit@ttyUSB0", Print("Traceback [/nothing] [red]x"), 0.0))
    view.close()
    assert "Traceback [/nothing] [red]x" in shown(screen)


@pytest.mark.parametrize(("source", "stats", "now", "said"), [
    ({}, None, 1.0, ""),
    ({}, None, 9.0, "no frame for 9 s"),
    ({}, 2, 9.0, "no frame for 9 s (paused)"),
    ({"alive": False}, None, 1.0, "ended"),
])  # fmt: skip
def test_a_panel_says_when_nothing_comes(source: dict, stats: int | None, now: float, said: str) -> None:
    screen = console(100, 30)
    view = Terminal(screen)
    view.tick(sources(1), 0.0)
    view.frame(processed(1, 1, "maix_bit@ttyUSB0", 0.0))
    if stats is not None:
        view.event(Item("maix_bit@ttyUSB0", Stats(0, stats, *range(11)), 0.0))
    view.tick(sources(1, **source), now)
    view.close()
    last = shown(screen).rpartition("╰")[2]
    assert (said in last) if said else "no frame" not in last


def test_it_is_not_drawn_more_often_than_ten_times_a_second_but_at_its_end() -> None:
    screen = console(80, 24)
    view = Terminal(screen)
    sizes = set()
    for step in range(100):
        view.tick(sources(1), 1.0 + step / 1000)
        sizes.add(len(shown(screen)))
    assert len(sizes) <= 2
    view.frame(processed(1234, 1, "maix_bit@ttyUSB0", 1.0))
    assert "frame 1234" not in shown(screen)
    view.close()
    assert "frame 1234" in shown(screen)


@pytest.mark.parametrize(("made", "fit"), [
    (lambda: console(80, 24), True),
    (lambda: Console(file=io.StringIO()), False),
    (lambda: console(80, 24, _environ={"TERM": "dumb"}), False),
    (lambda: Console(file=io.TextIOWrapper(io.BytesIO(), encoding="latin-1"), force_terminal=True), False),
])  # fmt: skip
def test_figures_need_a_terminal_that_can_show_them(made: object, fit: bool) -> None:
    assert terminal.fits(made()) is fit


# Snapshots


def test_a_snapshot_has_the_models_size_and_the_skeleton_in_it() -> None:
    picture = snapshot.draw(actors.frame(1, [person(100, 60)]), (160, 240))
    pixels = np.asarray(picture)
    assert picture.size == (160, 240)
    drawn = (pixels == overlay.COLOURS[0]).all(axis=2)
    # The left shoulder, and a place on the line to the left hip; nothing in the corner.
    assert drawn[84 - 4 : 84 + 4, 119 - 4 : 119 + 4].any()
    assert drawn[107 - 3 : 107 + 3, 116 - 5 : 116 + 5].any()
    assert tuple(pixels[235, 5]) == overlay.PAPER


def test_what_has_a_low_score_is_not_in_a_snapshot() -> None:
    picture = snapshot.draw(actors.frame(1, [person(100, 60, score=snapshot.PART_SCORE - 1)]), SIZE)
    assert len(picture.getcolors(maxcolors=1 << 20)) == 1


def test_the_keeper_writes_the_last_frame_of_each_board(tmp_path: Path) -> None:
    path = tmp_path / "new" / "seen.png"
    keeper = SnapshotKeeper(path)
    assert keeper.write() == f"{path}: not written, since no frame came"
    assert not path.exists()
    for number in range(3):
        keeper.frame(processed(number, number))
    assert keeper.write() == f"{path}: written, 1 board"
    with Image.open(path) as one:
        assert one.size == SIZE
        assert one.tobytes() == snapshot.draw(processed(2, 2).frame, SIZE).tobytes()
    keeper.frame(processed(1, 1, "other"))
    assert keeper.write() == f"{path}: written, 2 boards"
    with Image.open(path) as two:
        assert two.width > 2 * 320
    assert [file.name for file in path.parent.iterdir()] == ["seen.png"]


def test_a_snapshot_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "seen.png"
    path.write_bytes(b"mine")
    with pytest.raises(HostToolError, match=r"seen\.png: exists already; delete it, or choose another name"):
        SnapshotKeeper(path)
    assert path.read_bytes() == b"mine"


def test_a_place_for_snapshots_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostToolError, match=r"seen\.png: the snapshot cannot be written \(.+\); choose another place"):
        SnapshotKeeper(tmp_path / "file" / "seen.png")
