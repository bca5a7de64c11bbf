"""Zoom on the virtual board: windows on the wire, turned on and off while frames run, and what it does without room."""

from __future__ import annotations

import re
import zlib

import numpy as np
import pytest

from conversion import memory_budget
from host_tools.virtual_board import Faults
from tests.firmware.app import sentences
from tests.firmware.app.virtual import Program
from tests.samples import sample

SIZE = (96, 80)
# Of MicroPython, whose pictures want large pieces of it.
HEAP = 704 << 10
# What a FRAME without windows has.
PLAIN = 9
FULL_STEP = -(-640 * 256 // 96)
# Of the settings' fields.
ZOOM, SMOOTH = -2, -1

# Leaves half of what the heap has free, in pieces smaller than a picture.
PIECES_HOOK = """
import gc
import pose_app
kept = []
def on_frame(poses, frame, image):
    if frame == 3:
        gc.collect()
        try:
            while True:
                kept.append(bytearray(2048))
        except MemoryError:
            kept[:] = kept[::2]
            gc.collect()
            print("in pieces")
pose_app.run(on_frame)
"""

FRAMES_HOOK = """
import pose_app
pose_app.run(lambda poses, frame, image: print("shown", frame))
"""

HEAP_HOOK = """
import gc
import pose_app
def on_frame(poses, frame, image):
    gc.collect()
    print("heap", frame, gc.mem_alloc())
pose_app.run(on_frame)
"""


def program(zoom: int, **more: object) -> Program:
    config = more.pop("config", {})
    own = {"heap": HEAP, **config, "settings": {"zoom": zoom, "stats_ms": 0}}
    return Program(size=SIZE, config=own, **more)


def windows(board: Program) -> list[tuple[int, ...]]:
    """Those of the next frame."""
    fields = board.next("FRAME").fields[PLAIN + 1 :]
    return [fields[at : at + 3] for at in range(0, len(fields), 3)]


def zoom_now(board: Program) -> int:
    assert board.ask("SETTINGS,900")[0] == 0
    return sentences.of(board.sentences(), "SETTINGS")[-1][ZOOM]


@pytest.mark.parametrize(("zoom", "most"), sample([(1, 2), (2, 2), (4, 4)], 2))
def test_a_frame_tells_its_windows(zoom: int, most: int) -> None:
    with program(zoom) as board:
        seen = [windows(board) for _ in range(6)]
    assert all(1 <= len(of_frame) <= most for of_frame in seen)
    # The first frame is looked at as a whole; of several windows the first one always is.
    wholes = seen[:1] if zoom == 1 else seen
    assert all(of_frame[0][2] == FULL_STEP for of_frame in wholes)
    assert any(of_frame[-1][2] < FULL_STEP for of_frame in seen)


def test_without_zoom_a_frame_is_what_it_was() -> None:
    with program(0) as board:
        assert windows(board) == []
        assert "VGA" not in board.output()


def test_zoom_is_turned_on_and_off_while_frames_run() -> None:
    with program(0) as board:
        assert windows(board) == []
        for number, zoom in enumerate((1, 3, 0)):
            assert board.ask(f"ZOOM,{10 + number},{zoom}")[0] == 0
            # The frame that was under way is of the old kind.
            windows(board)
            windows(board)
            assert bool(windows(board)) == bool(zoom), zoom
        assert zoom_now(board) == 0
        assert sentences.of(board.sentences(), "ERROR") == []


def test_zoom_is_turned_on_in_a_heap_of_pieces() -> None:
    """Where there is room for zoom its pictures are taken at the start, also without zoom."""
    with program(0, files={"main.py": PIECES_HOOK}) as board:
        board.wait_for("in pieces")
        for number, zoom in enumerate((1, 0, 4)):
            assert board.ask(f"ZOOM,{10 + number},{zoom}")[0] == 0
            windows(board)
            windows(board)
            assert bool(windows(board)) == bool(zoom), zoom
        assert sentences.of(board.sentences(), "ERROR") == []


def test_zoom_is_turned_on_where_its_frames_just_have_room() -> None:
    """The camera gives back what lies beside what is free: the LCD's buffer is not in between."""
    needed = 2 * memory_budget.WIDE_CAMERA_BYTES + memory_budget.WIDE_RESERVE_BYTES + memory_budget.LCD_BYTES
    kmodel = len(program(0).model.data) + memory_budget.LOADER_BYTES
    taken = memory_budget.MINIMUM.free_bytes - (HEAP - memory_budget.MICROPYTHON_HEAP_BYTES) - needed - 2 * kmodel
    with program(0, faults=Faults(memory=taken)) as board:
        assert windows(board) == []
        assert board.ask("ZOOM,10,1")[0] == 0
        windows(board)
        windows(board)
        assert windows(board)
        assert sentences.of(board.sentences(), "ERROR") == []
        assert "one camera buffer" not in board.output()


def test_frames_wait_until_the_heads_of_all_runs_have_gone_out_of_the_picture() -> None:
    with program(4, files={"main.py": FRAMES_HOOK}) as board:
        board.wait_for("shown 3\r\n")
        status, number, _ = board.ask("HEADS,1")
        assert status == 0
        block, _, size, chunk_bytes, crc32, frame = board.next("BULK").fields
        chunks = -(-size // chunk_bytes)
        board.next("CHUNK", f"{block},{chunks - 1},")
        # One of them once more, while it is still there.
        assert board.ask(f"RESEND,2,{block},0,1")[:2] == (0, 1)
        board.next("CHUNK", f"{block},0,")
        board.wait_for(f"shown {number + 1}\r\n")
        assert board.ask(f"RESEND,3,{block},0,1")[0] == 4
        said = board.sentences()
        assert sentences.of(said, "ERROR") == []
        shown = [int(line) for line in re.findall(r"shown (\d+)\r\n", board.output())]
    assert frame == number
    assert shown == [*range(1, number), *range(number + 1, shown[-1] + 1)]
    begin = next(n for n, item in enumerate(said) if item.type == "BULK")
    after = next(n for n in range(begin, len(said)) if said[n].type == "FRAME")
    pieces = {item.fields[1]: item.fields[2] for item in said[begin:after] if item.type == "CHUNK"}
    assert sorted(pieces) == list(range(chunks))
    data = b"".join(pieces[n] for n in range(chunks))
    assert (len(data), zlib.crc32(data)) == (size, crc32)


def test_what_takes_the_picture_ends_the_heads_that_lie_in_it() -> None:
    with program(1) as board:
        board.next("FRAME")
        for number, wanted in enumerate((f"PIXELS,{{}},{SIZE[0]},{SIZE[1]},0", "SELFTEST,{}")):
            assert board.ask(f"HEADS,{10 + number}")[0] == 0
            block = board.next("BULK").fields[0]
            assert board.ask(wanted.format(20 + number))[0] == 0
            assert board.ask(f"RESEND,{30 + number},{block},0,1")[0] == 4
            assert board.ask(f"RESUME,{40 + number}")[0] == 0
            board.next("FRAME")


def test_smoothing_is_turned_on_and_off() -> None:
    with program(0) as board:
        board.next("FRAME")
        for number, smooth in enumerate((1, 0)):
            assert board.ask(f"ZOOM,{10 + number},,{smooth}")[0] == 0
            assert windows(board) == []
        assert sentences.of(board.sentences(), "SETTINGS")[-1][SMOOTH] == 0


def test_zoom_waits_while_pixels_come_in() -> None:
    with program(0) as board:
        board.next("FRAME")
        assert board.ask(f"PIXELS,1,{SIZE[0]},{SIZE[1]},0")[0] == 0
        status, _, text = board.ask("ZOOM,2,1")
        assert status == 3
        assert "RESUME" in text
        # What changes no camera may be changed.
        assert board.ask("ZOOM,3,,1")[0] == 0
        assert board.ask("RESUME,4")[0] == 0
        assert board.ask("ZOOM,5,1")[0] == 0
        board.next("FRAME")
        assert windows(board)


@pytest.mark.parametrize("zoom", [1, 4])
def test_without_room_for_vga_frames_go_on_without_zoom(zoom: int) -> None:
    """Less than one VGA frame is free."""
    taken = memory_budget.MINIMUM.free_bytes - 1_300_000
    with program(zoom, faults=Faults(memory=taken)) as board:
        code, _, text = board.next("ERROR").fields
        assert code == 27
        assert "no memory for the camera" in text
        assert windows(board) == []
        assert zoom_now(board) == 0


def test_by_itself_it_zooms_only_where_two_frames_have_room() -> None:
    taken = memory_budget.MINIMUM.free_bytes - 2_500_000
    with program(-1, faults=Faults(memory=taken)) as board:
        board.wait_for("posenet: no zoom (")
        assert windows(board) == []
        assert sentences.of(board.sentences(), "ERROR") == []
    with program(-1) as board:
        assert windows(board)
        assert "no zoom" not in board.output()
        assert "VGA camera 3000" in board.output()


def test_frames_with_windows_leave_nothing_on_the_heap() -> None:
    with program(4, files={"main.py": HEAP_HOOK}) as board:
        used = [int(board.wait_for(re.compile(rf"heap {number} (\d+)\r\n"))[1]) for number in (6, 14)]
    assert used[1] - used[0] < 256


def test_pixels_of_the_host_and_the_self_test_go_through_the_networks_picture() -> None:
    with program(1) as board:
        board.next("FRAME")
        assert board.ask("SELFTEST,1")[0] == 0
        assert board.next("SELFTEST").fields[1] == 0
        board.next("FRAME")
        assert windows(board)


@pytest.mark.parametrize(("zoom", "seen"), [(1, True), (0, False)])
def test_the_lcd_shows_the_frame_round_the_window(zoom: int, seen: bool) -> None:
    """Windows of several sizes take turns: a large one comes now and then."""
    with program(zoom) as board:
        assert any(outlined(after_a_frame(board)) for _ in range(12)) == seen


def after_a_frame(board: Program) -> np.ndarray:
    """What the LCD shows when the next frame has been told."""
    board.next("FRAME")
    return board.lcd()


def outlined(picture: np.ndarray) -> bool:
    """Whether there is a grey line, long enough for a window of a third of the frame."""
    grey = (abs(picture.astype(int) - 160) <= 6).all(axis=2)
    return max(grey.sum(axis=1).max(), grey.sum(axis=0).max()) > SIZE[1] // 4
