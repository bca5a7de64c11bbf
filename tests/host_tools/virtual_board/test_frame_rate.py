"""Frames a second: what frames say of time, what a host says meanwhile, and a sample on a real image."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools import boards, cli
from host_tools.errors import BoardError
from host_tools.monitor import sources
from host_tools.serial_link import FASTEST, STAGES, Frame, sentences
from host_tools.virtual_board import frame_rate
from host_tools.virtual_board.emulated_host import EmulatedHost
from host_tools.virtual_board.frame_rate import FEWEST_CYCLES, MONITOR, MOST_CYCLES, NOBODY, REST, WINDOWS, Conditions
from tests.command_line import invoke
from tests.host_tools.k210.images import image
from tests.host_tools.peer import Peer, hello, polite, reply
from tests.host_tools.verification import small
from tests.patience import until


def frame(number: int, t_ms: int, send_us: int = 4000) -> Frame:
    stages = dict(zip(STAGES, (1000, 40_000, 6000, 12_000, send_us), strict=True))
    return Frame(number, t_ms, 0, stages, ())


def test_making_windows_is_a_stage_of_its_own() -> None:
    frames = [replace(frame(n, 110 * n), windows=((0, 0, 300),), windows_us=42_000) for n in range(11)]
    run = frame_rate.of_frames("320x240", Conditions(zoom=1), frames)
    assert run.stages_ms[WINDOWS] == 42.0
    assert run.stages_ms[REST] == pytest.approx(5.0)
    assert run.to_dict()["zoom"] == 1


def test_the_stages_and_the_rest_are_the_whole_frame() -> None:
    run = frame_rate.of_frames("320x240", Conditions(), [frame(n, 70 * n) for n in range(11)])
    assert run.fps == pytest.approx(1000 / 70)
    assert run.stages_ms == {
        "capture": 1.0, "kpu": 40.0, "decode": 6.0, "draw": 12.0, "send": 4.0, WINDOWS: 0.0,
        REST: pytest.approx(7.0)
    }  # fmt: skip


@given(st.integers(1, 20), st.integers(60, 200), st.integers(1000, 90_000))
def test_sending_is_shared_among_the_frames_that_were_not_sent(every: int, period: int, send_us: int) -> None:
    frames = [frame(n, period * n, send_us) for n in range(0, every * 5 + 1, every)]
    run = frame_rate.of_frames("320x240", Conditions(), frames)
    assert run.fps == pytest.approx(1000 / period)
    assert run.stages_ms["send"] == pytest.approx(send_us / 1000 / every)
    assert sum(run.stages_ms.values()) == pytest.approx(period)


def test_the_plan_has_the_bars_and_both_ends_of_what_is_guessed() -> None:
    runs = frame_rate.plan(None)
    assert runs[0] == Conditions()
    assert {run.host for run in runs} == {MONITOR, NOBODY}
    assert {run.people for run in runs} == {1, 4}
    assert {run.cycles for run in runs} == {Fraction(3, 2), FEWEST_CYCLES, MOST_CYCLES}
    assert [run.settings(700_000) for run in runs if run.settings()] == [
        {"lcd": {"freq": 20_000_000}}, {"camera": {"dual_buffer": 0}},
        {"lcd": {"width": 240, "height": 135}}, {"lcd": {"width": 240, "height": 240}},
        {"lcd": {"width": 480, "height": 320}}, {"heap": 700_000, "settings": {"zoom": 1}},
    ]  # fmt: skip
    assert {run.people for run in frame_rate.plan(3)} == {3}
    assert [(run.zoom, run.host) for run in frame_rate.plan(None, zoom=4)] == [(4, MONITOR), (4, NOBODY)]


@pytest.mark.parametrize(("fps", "below"), [(13.4, True), (13.5, False)])
def test_a_bar_holds_for_the_usual_run_alone(fps: float, below: bool) -> None:
    found = Conditions(lcd_hertz=15_000_000, lcd_size=(320, 240), buffers=2)
    assert frame_rate.missed(frame_rate.Measured("320x240", found, fps, {})) is below
    assert frame_rate.missed(frame_rate.Measured("224x224", found, fps, {})) is None
    small = Conditions(lcd_hertz=15_000_000, lcd_size=(240, 135), buffers=2)
    assert frame_rate.missed(frame_rate.Measured("320x240", small, fps, {})) is None
    one_buffer = Conditions(lcd_hertz=15_000_000, lcd_size=(320, 240), buffers=1)
    assert frame_rate.missed(frame_rate.Measured("320x240", one_buffer, fps, {})) is None
    nobody = Conditions(host=NOBODY, lcd_hertz=15_000_000, lcd_size=(320, 240), buffers=2)
    assert frame_rate.missed(frame_rate.Measured("320x240", nobody, fps, {})) is None


@pytest.mark.parametrize(
    ("size", "fps", "below"), [("320x240", 7.9, True), ("320x240", 8.0, False), ("256x192", 12.9, True)]
)
def test_zoom_has_bars_of_its_own(size: str, fps: float, below: bool) -> None:
    found = Conditions(lcd_hertz=15_000_000, lcd_size=(320, 240), buffers=2, zoom=1)
    assert frame_rate.missed(frame_rate.Measured(size, found, fps, {})) is below
    four = replace(found, zoom=4)
    assert frame_rate.missed(frame_rate.Measured(size, four, fps, {})) is None


@pytest.mark.parametrize("size", [(320, 240), (256, 192)])
@pytest.mark.parametrize("count", [1, 4])
def test_people_stand_in_the_part_that_the_model_sees(count: int, size: tuple[int, int]) -> None:
    picture = frame_rate.crowd(count, size)
    assert picture.size == (320, 240)
    left, top, right, bottom = picture.getbbox()
    assert (left, top) == (0, 0)
    assert size[0] - count < right <= size[0]
    assert bottom == size[1]


class FakeMachine:
    """A machine whose board answers at once, and whose time passes when it is run."""

    def __init__(self, answer: Callable[[sentences.Sentence], bytes] = polite) -> None:
        self.serial = self.clock = self
        self.seconds, self.due, self.heard = 0.0, [], []
        self._answer = answer

    def feed(self, data: bytes) -> None:
        sentence = sentences.read(data.rstrip())
        self.heard.append((self.seconds, sentence.kind, *sentence.fields[1:]))
        for byte in self._answer(sentence):
            self.on_sent(bytes([byte]))

    def cycles_of(self, seconds: float) -> int:
        return round(1000 * seconds)

    def after(self, cycles: int, action: Callable[[], None]) -> None:
        self.due.append((self.seconds + cycles / 1000, action))

    def run(self, until: Callable[[], bool], **limits: float) -> None:
        assert until()

    def run_for(self, seconds: float) -> None:
        end = self.seconds + seconds
        while self.due and min(self.due, key=lambda item: item[0])[0] <= end:
            self.due.sort(key=lambda item: item[0])
            self.seconds, action = self.due.pop(0)
            action()
        self.seconds = end


def test_the_host_in_the_boards_time_says_what_a_monitor_says() -> None:
    machine = FakeMachine()
    EmulatedHost(machine).attach()
    machine.run_for(2.5)
    with Peer(polite) as peer, sources.of_ports([peer.port], baud=FASTEST):
        until(lambda: len(peer.heard) >= 6)
    assert [said[1:] for said in machine.heard] == [(each.kind, *each.fields[1:]) for each in peer.heard[:6]]
    moments = [said[0] for said in machine.heard]
    assert moments == pytest.approx([0, 0, 0.025, 0.025, 1.025, 2.025])


def test_the_host_keeps_what_it_hears_and_says_what_is_refused() -> None:
    machine = FakeMachine(lambda sentence: hello() + reply(sentence, 2, 0, "no such rate"))
    host = EmulatedHost(machine)
    with pytest.raises(BoardError, match="BAUD with: no such rate"):
        host.ask("BAUD", 5)
    assert host.hello is not None
    assert host.hello.board == "maix_bit"


@pytest.mark.soak
def test_a_real_image_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole command, with a small model and few frames; twice the same run gives the same figures."""
    firmware = tmp_path / "maixpy.bin"
    firmware.write_bytes(image("minimum"))
    kmodel = small.write(tmp_path / "small.kmodel")
    monkeypatch.setattr(frame_rate, "FRAMES", 10)
    monkeypatch.setattr(frame_rate, "plan", lambda people, zoom: [Conditions(), Conditions(host=NOBODY)])
    figures = tmp_path / "fps.json"
    ended = invoke(cli.main, ["fps", "--firmware", firmware, "--model", kmodel, "--json", figures])
    assert ended.exit_code == 0, ended
    assert "capture: rests on" in ended.stdout
    assert "1.2 to 1.8" in " ".join(ended.stdout.split())
    found = json.loads(figures.read_text())
    assert (found["image"], found["cycles_per_instruction"]) == ("maixpy.bin", 1.5)
    monitor, nobody = found["runs"]
    assert (monitor["size"], monitor["host"], monitor["zoom"], monitor["buffers"]) == ("96x80", MONITOR, 0, 2)
    assert monitor["lcd_hertz"] == 15_000_000
    assert nobody["host"] == NOBODY
    for run in found["runs"]:
        assert sum(run["stages_ms"].values()) == pytest.approx(1000 / run["fps"], abs=0.2)
        # The KPU's time, and the LCD's 9.9 ms of SPI.
        assert run["stages_ms"]["kpu"] > 0.5
        assert run["stages_ms"]["draw"] > 1
    again = frame_rate.measure(image("minimum"), boards.find("maix_bit"), kmodel, Conditions(), print)
    assert again.to_dict() == monitor


@pytest.mark.parametrize(
    ("content", "words"), [(b"nothing", "is no firmware"), (b"", "empty")]
)  # fmt: skip
def test_what_is_no_firmware_is_refused(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "maixpy.bin"
    path.write_bytes(content)
    ended = invoke(cli.main, ["fps", "--firmware", path])
    assert ended.exit_code == 2
    assert words in ended.stderr
    assert not (tmp_path / "build").exists()
