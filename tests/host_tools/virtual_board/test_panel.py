"""The LCD: what somebody before the board sees of what its controller is told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion import memory_budget
from host_tools import boards
from host_tools.virtual_board import pixels
from host_tools.virtual_board.hardware import ROTATIONS, Hardware
from host_tools.virtual_board.memory import OutOfMemoryError, SystemHeap
from host_tools.virtual_board.panel import BLUE_FIRST, Glass, Panel

STANDARD = Glass(32, 24, 0xA0, inverted=False)
DIRECTIONS = st.sampled_from(range(0, 0x100, 0x20))


def words(width: int, height: int) -> np.ndarray:
    """A picture whose pixels all differ."""
    return np.arange(width * height, dtype=np.uint16).reshape(height, width) * 61 + 7


def heap() -> SystemHeap:
    return SystemHeap(memory_budget.MINIMUM.image_bytes)


def started(glass: Glass, direction: int, inverted: bool = False) -> Panel:
    panel = Panel(glass)
    panel.start(heap(), glass.width, glass.height, inverted, direction)
    return panel


def test_off_it_is_black() -> None:
    panel = Panel(STANDARD)
    panel.write(0, 0, words(32, 24))
    assert not panel.seen().any()


@given(DIRECTIONS, st.sampled_from([(32, 24), (24, 24), (13, 24)]))
def test_driven_as_it_is_mounted_it_shows_the_picture(direction: int, size: tuple[int, int]) -> None:
    panel = started(Glass(*size, direction, inverted=False), direction)
    panel.write(0, 0, words(*size))
    assert (panel.seen() == pixels.to_rgb(words(*size))).all()


def test_rotation_2_turns_it_upside_down() -> None:
    panel = started(STANDARD, ROTATIONS[0])
    panel.turn(ROTATIONS[2])
    panel.write(0, 0, words(32, 24))
    assert (panel.seen() == pixels.to_rgb(words(32, 24)[::-1, ::-1])).all()


def test_rotations_1_and_3_stand_on_the_short_side() -> None:
    for rotation, turns in ((1, -1), (3, 1)):
        panel = started(STANDARD, ROTATIONS[0])
        panel.turn(ROTATIONS[rotation])
        panel.write(0, 0, words(24, 32))
        seen = panel.seen()
        turned = [np.rot90(pixels.to_rgb(words(24, 32)), k) for k in (turns, -turns)]
        assert any((seen == picture).all() for picture in turned)


def test_the_two_short_sides_differ() -> None:
    seen = []
    for rotation in (1, 3):
        panel = started(STANDARD, ROTATIONS[rotation])
        panel.write(0, 0, words(24, 32))
        seen.append(panel.seen())
    assert (seen[0] == seen[1][::-1, ::-1]).all()


def test_mirrored_it_is_mirrored_left_to_right() -> None:
    panel = started(STANDARD, 0x20)
    panel.write(0, 0, words(32, 24))
    assert (panel.seen() == pixels.to_rgb(words(32, 24)[:, ::-1])).all()


def test_wrong_inversion_is_a_negative() -> None:
    glass = Glass(32, 24, 0xA0, inverted=True)
    right, wrong = started(glass, 0xA0, inverted=True), started(glass, 0xA0, inverted=False)
    for panel in (right, wrong):
        panel.write(0, 0, words(32, 24))
    assert (right.seen() == pixels.to_rgb(words(32, 24))).all()
    assert (wrong.seen() == 255 - right.seen()).all()


def test_exchanged_red_and_blue_outlive_a_turn() -> None:
    panel = started(STANDARD, 0xA0)
    panel.blue_first(True)
    panel.turn(0xA0)
    panel.write(0, 0, words(32, 24))
    assert (panel.seen() == pixels.to_rgb(words(32, 24))[..., ::-1]).all()
    panel.blue_first(False)
    assert (panel.seen() == pixels.to_rgb(words(32, 24))).all()


@given(DIRECTIONS, st.integers(-40, 40), st.integers(-40, 40), st.integers(1, 50), st.integers(1, 50))
def test_what_does_not_fit_is_lost_and_the_rest_stays_in_place(
    direction: int, left: int, top: int, width: int, height: int
) -> None:
    glass = Glass(32, 24, direction, inverted=False)
    panel = started(glass, direction)
    panel.write(left, top, words(width, height))
    expected = np.zeros((24, 32), np.uint16)
    for y in range(height):
        for x in range(width):
            if 0 <= top + y < 24 and 0 <= left + x < 32:
                expected[top + y, left + x] = words(width, height)[y, x]
    assert (panel.seen() == pixels.to_rgb(expected)).all()


def test_the_buffer_is_taken_and_given_back() -> None:
    memory = heap()
    free = memory.free
    panel = Panel(STANDARD)
    panel.start(memory, 320, 240, False, 0xA0)
    panel.start(memory, 320, 240, False, 0xA0)
    assert memory.free == free - 153_600
    panel.stop(memory)
    assert memory.free == free
    memory.take(free - 1000)
    with pytest.raises(OutOfMemoryError):
        panel.start(memory, 320, 240, False, 0xA0)
    assert not panel.on


@pytest.mark.parametrize(
    ("board", "size", "direction", "inverted", "default"),
    [
        ("maix_bit", (320, 240), 0xA0, False, (320, 240)),
        ("maix_cube", (240, 240), 0x60, True, (320, 240)),
        ("m5stickv", (240, 135), 0x60, True, (240, 135)),
        ("maix_amigo_tft", (480, 320), 0x28, False, (320, 240)),
        ("maix_amigo_ips", (480, 320), 0x28, True, (320, 240)),
    ],
)
def test_board_files_say_how_the_glass_is_mounted(
    board: str, size: tuple[int, int], direction: int, inverted: bool, default: tuple[int, int]
) -> None:
    hardware = Hardware.of(boards.find(board))
    assert hardware.glass == Glass(*size, direction, inverted)
    assert hardware.lcd_default == default
    assert bool(direction & BLUE_FIRST) == board.startswith("maix_amigo")


def test_a_board_without_lcd_has_no_glass() -> None:
    assert Hardware.of(boards.find("maix_nano")).glass is None
