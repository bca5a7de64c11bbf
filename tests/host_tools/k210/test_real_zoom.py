"""Zoom on the vendor's own firmware: turned on and off while frames run, live frames verified, and what frames leave.

The kmodel is as large as the published one, and sees people; both heaps are as full as on a board.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from conversion import card, test_vector
from conversion import weights as weights_files
from conversion.kpu import posenet
from host_tools import boards, cli, payload, zoom_room
from host_tools.verification import upload
from host_tools.virtual_board.camera import Photo
from tests import drawn_people
from tests.command_line import invoke
from tests.conversion.evaluation import plain_kmodel
from tests.host_tools.k210 import states
from tests.host_tools.k210.asker import Asker
from tests.host_tools.k210.on_line import OnLine
from tests.host_tools.k210.states import PatientSession

IMAGE = "minimum"
SIZE = (320, 240)
RAISED_BAUD = 1_500_000
FULL_STEP = 512
# x of the middle, y of the top, height in pixels of the VGA frame: each at most a third of it high.
ONE = [(330, 150, 160)]
FIVE = [(60 + 130 * n, 120 + 30 * (n % 2), 150) for n in range(5)]
# Frames that lie between a setting and what it changes: one on its way, and the camera's first ones.
SETTLING = 3
# Of MicroPython's heap, in bytes: what a frame with zoom may leave behind more than one without.
MORE_A_FRAME = 4096
WEIGHED_FRAMES = 12
# The program, which says what each of its frames leaves behind.
WEIGHED = """
import gc, pose_heap
with pose_heap.Importing():
    import pose_loop
app = pose_loop.App(None)
take = app._take_frame
def weighed():
    gc.collect()
    gc.disable()
    free = gc.mem_free()
    take()
    left = free - gc.mem_free()
    gc.enable()
    print("left", left, app.engine.count)
app._take_frame = weighed
app._garbage.add = lambda size: None
app.run()
"""

pytestmark = pytest.mark.soak


@pytest.fixture
def kmodel(tfjs_graph_dir: Path, tmp_path: Path) -> Path:
    """The published weights, rounded, with the test vector that a self-test wants."""
    weights = weights_files.load(tfjs_graph_dir)
    path = plain_kmodel.write(tmp_path, weights, *SIZE, weights.origin.files)
    described = posenet.read_described(path)
    whole = {**described.card, "test_vector": test_vector.test_vector(described.simulation, described.card)}
    card.path_beside(path).write_bytes(card.to_json(whole))
    return path


def laid_out(kmodel: Path) -> int:
    """Bytes of MicroPython's heap that `deploy` computes for zoom."""
    return zoom_room.fit_of(payload.of(boards.find(states.BOARD), kmodel)).heap_bytes


def running(kmodel: Path, heap: int) -> PatientSession:
    """A board whose program takes frames without zoom, with so large a heap, before one person."""
    config = {**boards.pose_config(boards.find(states.BOARD)), "heap": heap}
    board = states.running(IMAGE, {payload.POSE_CONFIG: json.dumps(config).encode()}, kmodel)
    board.machine.look_at(Photo(drawn_people.frame(ONE)))
    return board


def raised(board: PatientSession) -> Asker:
    """The line carries every frame then."""
    asker = Asker(board)
    asker.ask("BAUD", RAISED_BAUD)
    board.machine.run_for(0.05)
    return asker


def looks(asker: Asker, zoom: int) -> None:
    """The program looks at frames as that value of `zoom` wants it, and finds somebody."""
    asker.ask("ZOOM", zoom)
    asker.frames(SETTLING)
    for frame in asker.frames(3):
        assert len(frame.poses) >= 1
        steps = [step for _, _, step in frame.windows]
        if zoom == 0:
            assert not steps
        elif zoom == 1:
            assert steps[0] < FULL_STEP
        else:
            assert steps[0] == FULL_STEP > max(steps[1:])
            assert len(steps) <= zoom


@pytest.mark.parametrize("for_zoom", [True, False])
def test_zoom_is_turned_on_and_off_while_frames_run(kmodel: Path, for_zoom: bool) -> None:
    """With heaps as `deploy` lays them out for zoom, two VGA frames have room; with its usual heap one has."""
    board = running(kmodel, laid_out(kmodel) if for_zoom else payload.DEFAULT_SETTINGS["heap"])
    asker = raised(board)
    asker.frames(40)
    for zoom in (1, 0, 1, 2, 3, 4, 0, 1):
        looks(asker, zoom)
    # An upload keeps its picture to its end.
    asker.ask("PAUSE")
    asker.ask("PIXELS", *SIZE, 0)
    status, _, text = asker.answer("ZOOM", 0)
    assert (status, "RESUME" in text) == (3, True)
    words = upload.to_words(np.asarray(drawn_people.frame(ONE).resize(SIZE)))
    upload.send(asker, words, 720, lambda done, total: None)
    asker.digest("RUN", 0)
    asker.ask("RESUME")
    for zoom in (0, 4, 1):
        looks(asker, zoom)
    assert b"$ERROR," not in board.sent, re.findall(rb"[$]ERROR[^\r]*", bytes(board.sent))


@pytest.mark.parametrize(("zoom", "smooth"), [(1, 0), (1, 1), (2, 0), (4, 1)])
def test_live_frames_whose_windows_are_parts_of_the_frame_are_verified(kmodel: Path, zoom: int, smooth: int) -> None:
    board = running(kmodel, laid_out(kmodel))
    board.machine.look_at(Photo(drawn_people.frame(FIVE[1:4])))
    asker = raised(board)
    asker.ask("ZOOM", zoom, smooth)
    asker.frames(SETTLING)
    asker.ask("BAUD", 115200)
    board.machine.run_for(0.05)
    with OnLine(board.machine) as on_line:
        ended = invoke(cli.main, ["verify", "--json", "--port", on_line.port, "--model", kmodel, "--frames", "4"])
    assert ended.exit_code == 0, ended
    found = json.loads(ended.stdout)
    assert found["verified"], found
    live = found["findings"][1:]
    assert [finding["compared"] for finding in live] == [["windows", "poses of its heads"]] * 4
    assert all(finding["pose_count"] >= 1 for finding in live)
    steps = [step for finding in live for _, _, step in finding["windows"]]
    assert min(steps) < FULL_STEP, steps
    if zoom > 1:
        assert max(len(finding["windows"]) for finding in live) == zoom


@pytest.mark.parametrize("people", [ONE, FIVE], ids=["one", "five"])
def test_a_frame_with_zoom_leaves_little_more_on_the_heap(kmodel: Path, people: list[tuple[int, int, int]]) -> None:
    board = running(kmodel, laid_out(kmodel))
    board.machine.look_at(Photo(drawn_people.frame(people)))
    board.enter_raw()
    begin = len(board.sent)
    board.type(WEIGHED.encode() + b"\x04")
    board.wait("$FRAME,", begin)
    asker = raised(board)
    left = {}
    for zoom in (0, 1, 2, 3, 4):
        asker.ask("ZOOM", zoom)
        asker.frames(SETTLING)
        begin = len(board.sent)
        board.frames(WEIGHED_FRAMES)
        found = re.findall(rb"left (\d+) (\d+)\r\n", bytes(board.sent[begin:]))
        # Of those that are sent, which not every frame is: the line carries a larger part of slower ones.
        left[zoom] = max(int(number) for number, _ in found)
        print(f"zoom {zoom}: {left[zoom]} bytes a frame, {fmean(int(count) for _, count in found):.1f} people")
    assert max(left.values()) - left[0] <= MORE_A_FRAME, left
    assert b"$ERROR," not in board.sent, re.findall(rb"[$]ERROR[^\r]*", bytes(board.sent))
