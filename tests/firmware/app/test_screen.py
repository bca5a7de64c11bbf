"""The picture on LCDs of four sizes: where it lies, what is drawn, where texts stand, and messages."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion import network
from tests.firmware.app import stand_ins
from tests.firmware.app.board import Board

SIZES = ((320, 240), (240, 240), (135, 240), (240, 135), (480, 320))
PICTURES = ((320, 240), (224, 224), (64, 64), (160, 128), (240, 240))
NOTHING_SET = {"type": 1, "lcd_type": 0, "freq": 15000000, "width": 320, "height": 240, "invert": 0, "rotation": -1,
               "mirror": -1, "bgr": -1}  # fmt: skip

with Board().modules():
    # For what needs no LCD.
    PURE = importlib.import_module("pose_screen")


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    with board.modules():
        yield board


@pytest.fixture
def screens(board: Board) -> ModuleType:
    return importlib.import_module("pose_screen")


def pose(x: int = 100, y: int = 100, score: int = 200) -> SimpleNamespace:
    """A pose whose parts stand on a diagonal from (x, y), all of one score."""
    return SimpleNamespace(
        score=score,
        x16=[16 * (x + 3 * part) for part in range(17)],
        y16=[16 * (y + 2 * part) for part in range(17)],
        scores=bytes([score] * 17),
    )


def drawn_upon(
    screen: SimpleNamespace, size: tuple[int, int] = (320, 240), poses: Sequence[SimpleNamespace] = (), note: str = ""
) -> tuple[tuple[int, int], list[tuple]]:
    """A picture of a size with poses through canvas, draw and show: the canvas's size, and what was drawn."""
    canvas = screen.canvas(stand_ins.Image(size=size))
    screen.draw(canvas, poses, len(poses), 50, "12.3 fps", note)
    screen.show(canvas)
    return canvas.size, canvas.drawn


@pytest.mark.parametrize("scaled", [True, False], ids=["scaled", "cropped"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("picture_size", PICTURES)
def test_texts_and_the_middle_are_in_their_place(
    board: Board, screens: ModuleType, size: tuple[int, int], picture_size: tuple[int, int], scaled: bool
) -> None:
    board.lcd.size = size
    board.free_heap = 700_000
    screen = screens.Screen(NOTHING_SET, scaled)
    canvas_size, drawn = drawn_upon(screen, picture_size, [pose()], "a note")
    ((shown_size, roi, offset, _),) = board.lcd.shown
    assert shown_size == canvas_size
    assert (canvas_size == picture_size) or scaled
    assert roi[2:] == (min(size[0], canvas_size[0]), min(size[1], canvas_size[1]))
    # The middle of the picture is in the middle of the LCD.
    for side in range(2):
        middle = offset[side] + canvas_size[side] / 2 - roi[side]
        assert abs(middle - size[side] / 2) <= 0.5
    # Texts begin where the LCD shows the picture, and the score stays on it.
    for _, (x, y, text), _ in [item for item in drawn if item[0] == "string"]:
        assert roi[0] <= x
        assert roi[1] <= y
        assert y + screens.LETTER_HEIGHT <= roi[1] + roi[3]
        assert x + 8 * len(text) <= roi[0] + roi[2] or text != "78%"


def test_the_skeleton_is_the_networks(screens: ModuleType) -> None:
    lines = {frozenset(pair) for pair in zip(screens.FROM, screens.TO, strict=True)}
    assert lines == {frozenset(pair) for pair in network.SKELETON}
    assert len(screens.FROM) == 12


def test_lines_and_joints_are_where_the_keypoints_are(board: Board, screens: ModuleType) -> None:
    seen = pose()
    seen.x16[9] += 7
    seen.y16[9] -= 8
    seen.x16[10] += 8
    seen.y16[10] -= 9
    _, drawn = drawn_upon(screens.Screen(NOTHING_SET), poses=[seen])
    lines = [args for kind, args, _ in drawn if kind == "line"]
    joints = [args for kind, args, _ in drawn if kind == "circle"]
    assert len(lines) == 12
    assert len(joints) == 17
    assert (100 + 21, 100 + 14, 100 + 27, 100 + 18) in lines  # 7 - 9, elbow to wrist: rounded half up
    assert (100 + 27, 100 + 18, screens.JOINT_RADIUS) in joints
    assert (100 + 24, 100 + 16, 100 + 31, 100 + 19) in lines  # 8 - 10
    assert (100 + 31, 100 + 19, screens.JOINT_RADIUS) in joints


def test_unsure_joints_and_their_lines_are_left_out(board: Board, screens: ModuleType) -> None:
    seen = pose()
    scores = bytearray(seen.scores)
    scores[5] = 49
    seen.scores = bytes(scores)
    _, drawn = drawn_upon(screens.Screen(NOTHING_SET), poses=[seen])
    # The left shoulder has three lines: to hip, elbow and the other shoulder.
    assert sum(kind == "line" for kind, _, _ in drawn) == 9
    assert sum(kind == "circle" for kind, _, _ in drawn) == 16


def test_people_have_colours_of_their_own(board: Board, screens: ModuleType) -> None:
    _, drawn = drawn_upon(screens.Screen(NOTHING_SET), poses=[pose() for _ in range(7)])
    colours = [colour for kind, _, colour in drawn if kind == "line"][::12]
    assert len(set(colours)) == 6
    assert colours[6] == colours[0]


def test_borders_are_cleared_once_and_after_a_message(board: Board, screens: ModuleType) -> None:
    board.lcd.size = (480, 320)
    screen = screens.Screen(NOTHING_SET)
    for _ in range(3):
        drawn_upon(screen)
    assert board.lcd.clears == 1
    screen.message("Paused", "text")
    drawn_upon(screen)
    drawn_upon(screen)
    assert board.lcd.clears == 3


@pytest.mark.parametrize("size", SIZES)
def test_a_long_message_fits(board: Board, screens: ModuleType, size: tuple[int, int]) -> None:
    """The stand-in asserts that no line leaves the LCD."""
    board.lcd.size = size
    text = "no memory for the kmodel (posenet-mobilenet-075-320x240.kmodel): " * 3
    screens.Screen(NOTHING_SET).message("Error 27", text)
    assert board.lcd.texts[0] == "Error 27"
    assert len(board.lcd.texts) > 2


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("x", "y"), [(100, 100), (-40, -30), (400, 300), (5, 235)])
def test_turned_bars_stand_for_letters(
    board: Board, screens: ModuleType, size: tuple[int, int], x: int, y: int
) -> None:
    """On the part of the picture that the LCD shows: as long as the score is high, above the head, which is left."""
    board.lcd.size = size
    screen = screens.Screen(NOTHING_SET)
    screen.turned = 1
    picture = stand_ins.Image(size=(320, 240))
    for score in (255, 51):
        picture.drawn = []
        canvas = screen.canvas(picture)
        screen.draw(canvas, [pose(x, y, score)], 1, 256, "12.3 fps", "a note")
        screen.show(canvas)
        _, (left, top, columns, rows), _, drawn = board.lcd.shown[-1]
        assert {kind for kind, _, _ in drawn} == {"line"}
        whole, bar, note = (args for _, args, _ in drawn)
        assert bar[3] - bar[1] == screens.BAR_LENGTH * score // 255
        assert whole[3] - whole[1] == screens.BAR_LENGTH
        assert bar[:3] == whole[:3]
        assert left <= bar[0] - 2
        assert bar[0] + 2 < left + columns
        assert top <= whole[1] < whole[3] < top + rows
        if (x, y, size) == (100, 100, (320, 240)):
            assert bar[:2] == (100 - screens.LABEL_ABOVE, 100 - screens.BAR_LENGTH // 2)
        # A note is for who reads the line: below, which is right.
        assert note[0] == note[2] > left + columns - 8
        assert (note[1], note[3]) == (top, top + rows - 1)
    canvas = screen.canvas(picture)
    canvas.drawn = []
    screen.draw(canvas, [], 0, 256, "12.3 fps", "")
    assert canvas.drawn == []


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200), st.integers(1, 60))
def test_wrapping_loses_nothing_but_spaces(text: str, columns: int) -> None:
    lines = PURE.wrapped(text, columns)
    assert all(len(line) <= columns for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_settings_of_the_lcd_are_passed_on_only_where_they_are_made(board: Board, screens: ModuleType) -> None:
    screens.Screen(NOTHING_SET)
    assert [name for name, _, _ in board.lcd.calls] == ["init"]
    assert board.lcd.calls[0][2] == {"type": 1, "freq": 15000000, "invert": 0}
    screens.Screen({**NOTHING_SET, "rotation": 2, "mirror": 1, "bgr": 0})
    assert board.lcd.calls[2:] == [("rotation", (2,), {}), ("mirror", (True,), {}), ("bgr_to_rgb", (False,), {})]


def test_an_lcd_without_memory_is_not_even_started(board: Board, screens: ModuleType) -> None:
    """MaixPy's lcd.init() drops the result of its own malloc."""
    board.free = 2 * 320 * 240 - 1
    with pytest.raises(importlib.import_module("pose_errors").PoseError, match="no 150 KiB for the LCD"):
        screens.Screen(NOTHING_SET)
    assert board.lcd.calls == []


def test_only_what_is_not_the_default_is_passed_to_the_lcd(board: Board, screens: ModuleType) -> None:
    """Older firmware knows fewer arguments, and refuses those with a TypeError."""
    amigo = {"type": 1, "freq": 15000000, "invert": 1, "lcd_type": 2, "width": 480, "height": 320}
    screens.Screen({**NOTHING_SET, **amigo})
    assert board.lcd.calls[0][2] == amigo


def test_an_lcd_that_refuses_its_arguments_is_an_lcd_that_failed(
    board: Board, screens: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def init(**arguments: int) -> None:
        raise TypeError("extra keyword arguments given")

    monkeypatch.setattr(board.lcd, "init", init)
    with pytest.raises(importlib.import_module("pose_errors").PoseError, match="going on without it"):
        screens.Screen(NOTHING_SET)
