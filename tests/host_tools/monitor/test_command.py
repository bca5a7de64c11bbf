"""`python -m host_tools monitor`: from ports to terminal, JSON, files; every way it ends."""

from __future__ import annotations

import itertools
import json
import re
import signal
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from host_tools import cli, time_limits
from host_tools.monitor import monitor_command as command_module
from host_tools.monitor.web import server
from tests.command_line import Ended, invoke
from tests.host_tools.monitor import actors
from tests.host_tools.monitor.actors import Puppet
from tests.host_tools.monitor.running import in_terminal, run, started
from tests.patience import HANG_SECONDS, exactly

FOREIGN = b"[MAIXPY] Pll0:freq:806000000\r\n\xff\xfe\x80garbage\r\n$FRAME,1,2*0000\r\nTraceback [/x]:\r\n"


def said(count: int, people: int = 1) -> list[bytes]:
    return [actors.lines(frame) for frame in actors.walking(count, people)]


def endless(people: int = 1) -> object:
    return (actors.lines(actors.frame(number, [actors.person(100, 60)] * people)) for number in itertools.count(1))


def objects(output: str) -> list[dict]:
    return [json.loads(line) for line in output.splitlines()]


def run_here(*arguments: object) -> Ended:
    """Run it in this process, where what it waits for can be shortened."""
    return invoke(cli.main, ["monitor", *arguments])


# JSON and lines


def test_json_is_one_object_a_frame_and_nothing_else_on_stdout() -> None:
    with Puppet([FOREIGN, *said(5, people=2)]) as puppet:
        done = run("--port", puppet.port, "--json", "--frames", 5)
    assert done.returncode == 0
    assert objects(done.stdout) == [frame.to_dict("maix_bit") for frame in actors.walking(5, 2)]
    assert "maix_bit: [MAIXPY] Pll0:freq:806000000\n" in done.stderr
    assert "maix_bit: Traceback [/x]:\n" in done.stderr
    assert re.search(r"· 5 frames in \d+\.\d s; maix_bit: damaged 1\n$", done.stderr)


def test_ids_and_smoothing_are_there_when_asked_for() -> None:
    with Puppet(said(5, people=2)) as puppet:
        done = run("--port", puppet.port, "--json", "--frames", 5, "--ids", "--smooth")
    found = objects(done.stdout)
    assert [[pose["id"] for pose in frame["poses"]] for frame in found] == [[1, 2]] * 5
    assert (
        found[-1]["poses"][0]["keypoints"]
        != [frame.to_dict("x") for frame in actors.walking(5, 2)][-1]["poses"][0]["keypoints"]
    )


def test_two_boards_in_one_stream() -> None:
    with Puppet(said(3)) as one, Puppet(said(3), board="amigo") as two:
        done = run("--port", one.port, "--port", two.port, "--json", "--frames", 6)
    boards = {frame["board"].split("@")[0] for frame in objects(done.stdout)}
    assert (done.returncode, boards) == (0, {"maix_bit", "amigo"})


def test_plain_lines_where_stdout_is_no_terminal() -> None:
    with Puppet([b"a print\r\n", *said(3)]) as puppet:
        done = run("--port", puppet.port, "--frames", 3)
    first, *others = done.stdout.splitlines()
    assert first == "maix_bit> a print"
    assert [line.split(",")[0] for line in others] == [f"maix_bit frame {n}: 1 person (0.94)" for n in (1, 2, 3)]


def test_a_reader_that_has_enough_ends_it_silently() -> None:
    """`monitor --json | head -1`."""
    with Puppet(endless(), per_second=50) as puppet, started("--port", puppet.port, "--json") as monitor:
        head = subprocess.run(
            ["head", "-1"], stdin=monitor.stdout, capture_output=True, text=True, timeout=HANG_SECONDS
        )
        monitor.stdout.close()
        errors = monitor.stderr.read()
        assert monitor.wait(HANG_SECONDS) == 0
    assert json.loads(head.stdout)["frame"] == 1
    assert [line for line in errors.splitlines() if not line.startswith("·")] == []


# A terminal


def test_a_terminal_shows_figures_and_the_boards_own_words_above() -> None:
    traceback = b"Traceback (most recent call last):\r\n  File \"main.py\", line 3\r\nNameError: name 'x'\r\n"
    says = itertools.chain(said(5), [traceback], endless())
    with Puppet(says, per_second=20) as puppet, in_terminal("--port", puppet.port) as monitor:
        monitor.until(r"[⠁-⣿]{2}")
        monitor.until("NameError: name 'x'")
        monitor.until(r"\d+\.\d frames/s")
        assert monitor.end() == 0
    assert re.search(r"· \d+ frames? in \d+\.\d s; maix_bit: nothing lost", monitor.text)
    assert b"\x1b[?25h" in monitor.raw
    assert b"Traceback (most recent call last)" in monitor.raw
    assert re.search(rb"\x1b\[38;5;\d+m", monitor.raw)


def test_a_terminal_without_colours_gets_none() -> None:
    with Puppet(endless(), per_second=20) as puppet, in_terminal("--port", puppet.port, NO_COLOR="1") as monitor:
        monitor.until(r"[⠁-⣿]{2}")
        assert monitor.end() == 0
    assert not re.search(rb"\x1b\[[0-9;]*3[0-9]", monitor.raw)


def test_a_dumb_terminal_gets_lines() -> None:
    with Puppet(said(2)) as puppet, in_terminal("--port", puppet.port, "--frames", 2, TERM="dumb") as monitor:
        assert monitor.end(None) == 0
    assert "maix_bit frame 2: 1 person (0.94)" in monitor.text
    assert "\x1b" not in monitor.raw.decode()


# Ways to end


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_one_line(ending: signal.Signals) -> None:
    with Puppet(endless(), per_second=20) as puppet, started("--port", puppet.port) as monitor:
        monitor.stdout.readline()
        monitor.send_signal(ending)
        _, errors = monitor.communicate(timeout=HANG_SECONDS)
    assert monitor.returncode == 0
    assert re.fullmatch(r"· \d+ frames? in \d+\.\d s; maix_bit: nothing lost", errors.splitlines()[-1])
    assert "Traceback" not in errors


def test_it_ends_after_its_seconds() -> None:
    with Puppet(endless(), per_second=20) as puppet:
        # With more of them where it has not come to a frame in fewer.
        for seconds in (2, 20, 100):
            done = run("--port", puppet.port, "--json", "--seconds", seconds)
            if done.returncode == 0:
                break
    assert done.returncode == 0
    assert objects(done.stdout)


def ended_saying(reason: str, puppet: Puppet) -> None:
    """A run without frames ends after its seconds and says why, once they are enough to know it."""
    for seconds in (1, 10, 100):
        done = run_here("--port", puppet.port, "--seconds", seconds)
        assert done.exit_code == 2
        if re.search(reason, done.stderr):
            break
    assert re.search(f"error: no frame in {seconds} s; {reason}", done.stderr), done.stderr


def test_no_frames_in_its_seconds_is_an_error_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limits, "MONITOR_GREETING", exactly(0.5))
    with Puppet(answers=False) as puppet:
        ended_saying(r"pts/\d+: nothing comes from it: is the board on.*\n$", puppet)


def test_a_board_that_answers_and_sends_no_frames_says_why() -> None:
    trouble = actors.sentences.made("ERROR", 23, 1, "no kmodel at 0x300000")
    with Puppet([trouble]) as puppet:
        ended_saying("maix_bit: error 23: no kmodel at 0x300000; run `make flash`", puppet)


@pytest.mark.parametrize(("answers", "said_instead"), [(True, "is it paused"), (False, "nothing comes from it")])
def test_frames_that_never_come_are_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch, answers: bool, said_instead: str
) -> None:
    if not answers:
        monkeypatch.setattr(time_limits, "MONITOR_GREETING", exactly(0.3))
    with Puppet(answers=answers) as puppet:
        for seconds in (1, 10, 100):
            monkeypatch.setattr(time_limits, "FIRST_FRAME", exactly(seconds))
            done = run_here("--port", puppet.port, "--frames", 1)
            assert done.exit_code == 2
            if said_instead in done.stderr:
                break
    assert f"error: no frame in {seconds} s; " in done.stderr
    assert said_instead in done.stderr


@pytest.mark.parametrize(("arguments", "code", "text"), [
    (("--port", "/dev/none"), 2, "error: /dev/none: there is no such port"),
    (("--port", "7"), 2, "error: --port 7: there is no such number"),
    (("--port", "gopher://x"), 2, "error: gopher://x: not a URL that pyserial knows"),
    (("--replay", "none.jsonl"), 2, "error: none.jsonl: cannot be read"),
    (("--replay", "x", "--port", "y"), 2, "--replay reads a file"),
    (("--speed", "2"), 2, "--speed is that of --replay FILE"),
    (("--replay", "x", "--speed", "-1"), 2, "-1.0 is not in the range"),
    (("--frames", "0"), 2, "0 is not in the range"),
    (("--seconds", "0"), 2, "0.0 is not in the range"),
    (("--port", "PORT", "--mqtt", "http://x/y"), 2, "error: --mqtt: begins with http:, and must name a host"),
    (("--port", "PORT", "--record", "/none/x"), 2, "error: /none/x: cannot be written"),
    (("--port", "PORT", "--snapshot", "/proc/none/x.png"), 2, "error: /proc/none/x.png: the snapshot cannot be"),
])  # fmt: skip
def test_bad_use_is_one_line(
    arguments: tuple[str, ...], code: int, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Puppet() as puppet:
        given = [puppet.port if argument == "PORT" else argument for argument in arguments]
        done = run_here(*given)
    assert done.exit_code == code
    assert text in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_port_that_another_program_reads() -> None:
    with Puppet(endless(), per_second=20) as puppet, started("--port", puppet.port) as first:
        first.stdout.readline()
        second = run("--port", puppet.port)
    assert second.returncode == 2
    assert re.fullmatch(rf"error: {puppet.port}: in use by .+; close it and try again\n", second.stderr)


def test_the_cable_is_pulled_and_plugged_in_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is said while the line's speed changes is lost, and this board says everything once: the speed stays.
    monkeypatch.setenv(time_limits.PATIENCE, "1")
    link = tmp_path / "board"
    arguments = ("--port", link, "--baud", 115200, "--json", "--frames", 5)
    with Puppet(said(3), link=link) as puppet, started(*arguments) as monitor:
        before = [json.loads(monitor.stdout.readline()) for _ in range(3)]
        puppet.close()
        assert any("lost: " in line for line in iter(monitor.stderr.readline, ""))
        with Puppet(said(2), boot=2, link=link):
            output, errors = monitor.communicate(timeout=HANG_SECONDS)
    assert monitor.returncode == 0
    assert [frame["frame"] for frame in [*before, *objects(output)]] == [1, 2, 3, 1, 2]
    assert "maix_bit: found again at " in errors
    assert "maix_bit: the board has started again" in errors
    assert errors.splitlines()[-1].endswith("restarts 1, reconnects 1")


# Files


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recorded") / "one.jsonl"
    with Puppet(itertools.chain([b"hello\r\n"], said(20, people=2)), per_second=20) as puppet:
        done = run("--port", puppet.port, "--record", path, "--frames", 20)
    assert done.returncode == 0, done.stderr
    return path


def test_a_replay_is_what_was_live(recording: Path) -> None:
    done = run("--replay", recording, "--json", "--speed", 0)
    assert done.returncode == 0
    assert objects(done.stdout) == [frame.to_dict("maix_bit") for frame in actors.walking(20, 2)]
    assert "maix_bit: hello" in done.stderr


def test_a_replay_at_its_own_speed_takes_its_time(recording: Path) -> None:
    """Twenty frames, twenty a second."""
    usual, fast = (run("--replay", recording, "--json", *speed) for speed in ((), ("--speed", 0)))
    taken = [float(re.search(r"20 frames in (\d+\.\d) s", done.stderr)[1]) for done in (usual, fast)]
    assert taken[0] >= 0.9
    assert taken[1] < taken[0]


def test_a_snapshot_alone_is_of_the_first_frame_and_with_a_limit_of_the_last(recording: Path, tmp_path: Path) -> None:
    first, last, third = (tmp_path / name for name in ("first.png", "last.png", "third.png"))
    assert run("--replay", recording, "--speed", 0, "--snapshot", first).returncode == 0
    assert run("--replay", recording, "--speed", 0, "--snapshot", last, "--frames", 99).returncode == 0
    assert run("--replay", recording, "--speed", 0, "--snapshot", third, "--frames", 3).returncode == 0
    pictures = [Image.open(path) for path in (first, third, last)]
    assert [picture.size for picture in pictures] == [(320, 240)] * 3
    assert len({picture.tobytes() for picture in pictures}) == 3


def test_a_recording_can_be_cut(recording: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl"
    assert run("--replay", recording, "--speed", 0, "--frames", 4, "--record", cut).returncode == 0
    frames = [[line for line in map(json.loads, path.open()) if "poses" in line][:4] for path in (recording, cut)]
    assert [frame["frame"] for frame in frames[1]] == [1, 2, 3, 4]
    times = [[line["at_ms"] - found[0]["at_ms"] for line in found] for found in frames]
    assert times[1] == pytest.approx(times[0], abs=1)


def test_a_torn_recording_is_played_with_a_word(recording: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn.jsonl"
    torn.write_bytes(recording.read_bytes()[:-100])
    done = run("--replay", torn, "--speed", 0, "--json")
    assert done.returncode == 0
    assert len(objects(done.stdout)) == 19
    assert "is torn and was left out" in done.stderr


def test_a_damaged_recording_is_an_error_that_names_the_line(recording: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.jsonl"
    lines = recording.read_text().splitlines()
    damaged.write_text("\n".join([*lines[:5], "{", *lines[5:]]) + "\n")
    done = run("--replay", damaged, "--speed", 0, "--json")
    assert done.returncode == 2
    assert re.search(r"error: .*damaged\.jsonl:6: is damaged \(.+\); delete this line\n$", done.stderr)


def test_a_recording_without_frames(recording: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text(recording.read_text().splitlines()[0] + "\n")
    done = run("--replay", empty, "--speed", 0)
    assert done.returncode == 2
    assert done.stderr.endswith("it holds none\n")


def test_what_was_recorded_before_a_kill_can_be_replayed(tmp_path: Path) -> None:
    path = tmp_path / "killed.jsonl"
    with (
        Puppet(endless(), per_second=50) as puppet,
        started("--port", puppet.port, "--json", "--record", path) as monitor,
    ):
        for _ in range(5):
            monitor.stdout.readline()
        monitor.kill()
    done = run("--replay", path, "--speed", 0, "--json")
    assert done.returncode == 0
    assert len(objects(done.stdout)) >= 5


def test_the_page_has_the_port_of_its_server() -> None:
    assert command_module.DEFAULT_WEB_PORT == server.PORT


def test_other_outputs_go_on_beside_the_page(recording: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.jsonl"
    done = run("--replay", recording, "--web", 0, "--json", "--frames", 5, "--record", copy)
    assert done.returncode == 0
    assert [frame["frame"] for frame in objects(done.stdout)] == [1, 2, 3, 4, 5]
    assert "the page is at http://127.0.0.1:" in done.stderr
    assert copy.read_text().count('"poses"') == 5
